"""Waiting by previewbot's own JSON, and how a wait is shown to whoever watches."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from previewbot.api.reference import Reference
from previewbot.asking import Access, Listing, Standing, State
from previewbot.asking.page import PageSource
from previewbot.asking.progress import Progress
from previewbot.errors import RemoteError, TryLater, Unauthorized
from tests.support.servers import served

SHA, OLDER, BEARER = "a" * 40, "b" * 40, "c" * 40
HERE = Reference("acme/shop", 42)
FACTS: dict[str, Any] = {
    **{"version": 1, "repository": "acme/shop", "number": 42, "phase": "Ready", "head_sha": SHA},
    **{"serving_sha": SHA, "proven": "Yes", "url": "https://shop.example.com/", "words": "Ready."},
}


class Previewbot:
    """Answers as `previewbot web` does where pages are private."""

    def __init__(self) -> None:
        self.told: dict[str, Any] | None = FACTS
        self.bearer, self.away = BEARER, False
        self.asked: list[str] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path_qs)
        if request.headers.get("Authorization") != f"Bearer {self.bearer}":
            return web.Response(status=404, text="<h1>Not Found</h1>")
        if self.away:
            return web.json_response({"message": "away"}, status=503, headers={"Retry-After": "5"})
        if request.path == "/previews.json":
            return web.json_response({"previews": [self.told] if self.told else []})
        if self.told is None:
            return web.json_response({"message": "none"}, status=404)
        tag = f'"{hash(str(self.told))}"'
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304)
        return web.json_response(self.told, headers={"ETag": tag})


@pytest.fixture
def previewbot() -> Iterator[tuple[Previewbot, str]]:
    answering = Previewbot()
    with served(answering.handle) as (url, _):
        yield answering, url


async def test_a_life_is_followed_by_what_previewbot_says(previewbot: tuple[Previewbot, str]) -> None:
    answering, url = previewbot
    states: list[State] = []
    async with aiohttp.ClientSession() as http:
        source = PageSource(http, Access(url=url, bearer=BEARER))
        for told in (
            None,
            {**FACTS, "head_sha": OLDER},
            {**FACTS, "phase": "Deploying"},
            FACTS,
            FACTS,
            {**FACTS, "head_sha": OLDER},
            None,
        ):
            answering.told = told
            states.append((await source.look(HERE, SHA)).standing.state)
        assert await source.listing("acme/shop") == Listing(())
    wait, nothing, ended = State.WAITING, State.NOTHING, State.ENDED
    assert states == [nothing, nothing, wait, State.READY, State.READY, ended, ended]
    assert answering.asked[0] == "/p.json?repository=acme%2Fshop&number=42"
    # Whether the bearer counts is asked once.
    assert answering.asked.count("/previews.json") == 1


async def test_a_bearer_that_does_not_count_is_told_from_a_preview_that_is_not_there(
    previewbot: tuple[Previewbot, str],
) -> None:
    _, url = previewbot
    async with aiohttp.ClientSession() as http:
        source = PageSource(http, Access(url=url, bearer="another"))
        with pytest.raises(Unauthorized, match=r"does not take this bearer.*api\.bearer_file"):
            await source.look(HERE, SHA)


@pytest.mark.parametrize("told", [{"version": 2}, {"message": "another service answers"}])
async def test_what_is_none_of_previewbots_facts_is_no_answer(
    previewbot: tuple[Previewbot, str], told: dict[str, Any]
) -> None:
    answering, url = previewbot
    answering.told = told
    async with aiohttp.ClientSession() as http:
        with pytest.raises(TryLater, match="cannot be read"):
            await PageSource(http, Access(url=url, bearer=BEARER)).look(HERE, SHA)


async def test_it_is_asked_again_when_it_says(previewbot: tuple[Previewbot, str]) -> None:
    answering, url = previewbot
    answering.away = True
    async with aiohttp.ClientSession() as http:
        with pytest.raises(RemoteError) as raised:
            await PageSource(http, Access(url=url, bearer=BEARER)).look(HERE, SHA)
    assert isinstance(raised.value, TryLater) and raised.value.after == 5


async def test_who_asks_for_days_remembers_no_more_than_the_newest_answers(
    previewbot: tuple[Previewbot, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, url = previewbot
    monkeypatch.setattr("previewbot.asking.http._MOST_REMEMBERED", 2)
    statuses: list[int] = []

    async def noted(session: object, context: object, ended: aiohttp.TraceRequestEndParams) -> None:
        statuses.append(ended.response.status)

    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(noted)
    async with aiohttp.ClientSession(trace_configs=[trace]) as http:
        source = PageSource(http, Access(url=url, bearer=BEARER))
        for number in (1, 2, 1, 3, 1, 2):
            await source.told(Reference("acme/shop", number))
    # The second is forgotten for the third, and the third for the second.
    assert statuses == [200, 200, 304, 200, 304, 200]


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


BUILDING = Standing(State.WAITING, "CI is building\n::error::x", sha=SHA)


def test_a_log_gets_a_line_for_each_change_and_a_sign_of_life_after_minutes() -> None:
    time, log = [100.0], io.StringIO()
    progress = Progress(log, now=lambda: time[0])
    progress.tell(BUILDING)
    for passed in (101.0, 399.0, 400.0, 401.0):
        time[0] = passed
        progress.sign_of_life()
    progress.tell(Standing(State.READY, "ready", sha=SHA))
    assert log.getvalue().splitlines() == [
        "[0:00] waiting: CI is building ::error::x",
        "[5:00] still waiting, for 5 minutes: CI is building ::error::x",
        "[5:01] ready: ready",
    ]


def test_a_terminal_has_a_last_line_that_lives_and_is_gone_at_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "40")
    time, screen = [0.0], Screen()
    progress = Progress(screen, now=lambda: time[0])
    progress.tell(BUILDING)
    time[0] = 61.0
    progress.sign_of_life()
    progress.say("the token may not read checks")
    shown = screen.getvalue().split("\r\x1b[K")
    assert shown[-2:] == ["… 1:01 CI is building ::error::x", "[1:01] the token may not read checks\n"]


def test_a_terminal_that_can_do_nothing_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    screen = Screen()
    Progress(screen, now=lambda: 0.0).tell(BUILDING)
    assert screen.getvalue() == "[0:00] waiting: CI is building ::error::x\n"
