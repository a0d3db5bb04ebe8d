"""The file of the bearers is missing, may not be read or is empty: that is no fault of whoever asks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web as http
from flask.testing import FlaskClient

from previewbot.api.reference import Reference
from previewbot.asking import Access, Patience, Standing, State, wait
from previewbot.asking.page import PageSource
from previewbot.cli.secret_files import read_bearers
from previewbot.config.server import parse
from previewbot.mcp.trouble import words_of
from previewbot.pages.readers import BearerReaders, Reader
from previewbot.runtime.pages_app import create_pages
from tests.support.previews import NOW
from tests.support.servers import served
from tests.support.states import STATES
from tests.unit.test_web_pages import VALUES, Cluster

BEARER = "a-bearer-of-the-tests-with-forty-one-signs"
WITH = {"Authorization": f"Bearer {BEARER}"}
HERE = Reference("acme/shop", 42)
MOST = 12
"""More looks than a wait needs here: a test that goes wrong is to end."""


def client_of(file: Path, pages: str) -> FlaskClient:
    settings = parse({**VALUES, "pages": pages, "api": {"bearer_file": str(file)}}, {})
    cluster = Cluster()
    cluster.hold(STATES["ready"])
    return create_pages(
        settings,
        cluster,
        now=lambda: NOW,
        bearers=lambda: read_bearers(settings),
        listing=lambda: iter(cluster.objects.values()),
    ).test_client()


def spoiled(file: Path, how: str) -> None:
    if how == "empty":
        file.write_text("\n")
    if how == "not for us":
        # As root reads what nobody may: a folder in its place is refused to everybody.
        file.mkdir()


@pytest.mark.parametrize("pages", ["private", "public"])
@pytest.mark.parametrize("how", ["missing", "empty", "not for us"])
def test_a_program_hears_that_it_is_for_the_platform_team_and_nothing_of_any_preview(
    tmp_path: Path, how: str, pages: str
) -> None:
    spoiled(tmp_path / "bearer", how)
    asking = client_of(tmp_path / "bearer", pages)
    for address in (
        "/p/812/42.json",
        "/p/999/1.json",
        "/p.json?repository=acme/shop&number=42",
        "/previews.json",
    ):
        found = asking.get(address, headers=WITH)
        assert (found.status_code, found.headers["Retry-After"]) == (503, "30")
        assert "platform team" in found.get_json()["message"]
        assert "acme" not in found.text and str(tmp_path) not in found.text
    # Whoever sends none is answered as ever.
    assert asking.get("/previews.json").status_code == (404 if pages == "private" else 401)


def test_the_log_says_it_once_an_hour_however_many_ask_and_whatever_comes_between(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file, seconds = tmp_path / "bearer", [0.0]
    settings = parse({**VALUES, "api": {"bearer_file": str(file)}}, {})
    app = client_of(file, "private").application
    readers = BearerReaders(lambda: read_bearers(settings), lambda: NOW + timedelta(seconds=seconds[0]))

    def asked() -> Reader:
        with app.test_request_context("/previews.json", headers=WITH):
            return readers()

    for moment in range(0, 7300, 100):
        seconds[0] = float(moment)
        assert asked() is Reader.UNKNOWN
        file.write_text(BEARER)
        assert asked() is Reader.TRUSTED
        file.write_text("")
    assert caplog.text.count("lets nobody in") == 3


@dataclass
class Mended:
    """A clock on which only sleep passes; at the second one the file is made right."""

    file: Path
    content: str
    time: float = 0.0
    slept: int = 0

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.time, self.slept = self.time + seconds, self.slept + 1
        assert self.slept < MOST
        if self.slept == 2:
            self.file.write_text(self.content)


@contextmanager
def serving(asking: FlaskClient) -> Iterator[str]:
    async def handle(request: http.Request) -> http.StreamResponse:
        found = asking.get(request.path_qs, headers=dict(request.headers))
        return http.Response(status=found.status_code, body=found.data, headers=dict(found.headers))

    with served(handle) as (url, _):
        yield url


async def waited(url: str, clock: Mended) -> tuple[Standing, list[str]]:
    said: list[str] = []
    async with aiohttp.ClientSession() as session:
        source = PageSource(session, Access(url=url, bearer=BEARER))
        sha = STATES["ready"].status.observed.head_sha
        end = await wait(source, HERE, sha, Patience(timeout=120.0), say=said.append, clock=clock)
    return end, said


@pytest.mark.parametrize("pages", ["private", "public"])
async def test_whoever_waits_goes_on_waiting_and_says_whose_it_is(tmp_path: Path, pages: str) -> None:
    file = tmp_path / "bearer"
    with serving(client_of(file, pages)) as url:
        end, said = await waited(url, Mended(file, BEARER))

    assert end.state is State.READY
    assert len(said) == 1 and "until its platform team has mended that" in said[0]
    assert said[0].endswith("it is asked again")


async def test_a_wait_that_nobody_mends_ends_in_time_with_why(tmp_path: Path) -> None:
    file = tmp_path / "bearer"
    with serving(client_of(file, "private")) as url:
        end, _ = await waited(url, Mended(file, ""))

    assert end.state is State.TIMED_OUT and "platform team" in end.words


async def test_an_agent_is_told_not_to_look_for_another_bearer(tmp_path: Path) -> None:
    with serving(client_of(tmp_path / "bearer", "private")) as url:
        async with aiohttp.ClientSession() as session:
            source = PageSource(session, Access(url=url, bearer=BEARER))
            with pytest.raises(Exception, match="platform team") as raised:
                await source.listing("")
    words = words_of(raised.value, source.whom, "any previews")  # type: ignore[arg-type]
    assert "platform team" in words and words.endswith("Call the tool again in 30 s.")
