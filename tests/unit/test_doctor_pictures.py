"""What the doctor says of the worker of pictures: by what answers, and by what the worker says of itself."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from previewbot.api.pictures import NoPicture
from previewbot.config.server import Settings
from previewbot.doctor.check import Check, State, Whose
from previewbot.doctor.examination import Secrets, questions_about
from previewbot.doctor.pictures import OfPictures
from previewbot.doctor.pictures_judged import BROWSER, VERSION, WORKER, stands
from previewbot.rules.pictures import Seen
from previewbot.rules.pictures_health import BrowserState, Health, why_not
from tests.support import passes
from tests.support.servers import served
from tests.unit.test_pictures_worker import TOKEN, a_wish, running

NOTE, OK, NOT_CHECKED, WRONG = State.NOTE, State.OK, State.NOT_CHECKED, State.WRONG
URL = "http://previewbot-pictures:8080"
FINE = Health("1.2.3", BrowserState.OK, previews=2, size=3 * 1024 * 1024 + 1, most=256 * 1024 * 1024)


async def found(url: str, token: bytes | None = TOKEN) -> dict[str, Check]:
    [question] = OfPictures(url, token, "tests").questions()
    return {check.name: check for check in await question.ask()}


async def test_of_a_worker_that_runs_it_says_what_it_holds_and_whether_its_browser_starts(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as worker:
        await worker.all_taken(a_wish())
        told = await found(worker.client.url)
        # A page that no browser can take, time and again.
        worker.camera.seen["/"] = Seen(failure=NoPicture.OTHER)
        await worker.all_taken(a_wish(sha="c" * 40))
        failed = await found(worker.client.url)
        strangers = await found(worker.client.url, b"x" * 40)

    assert {name: check.state for name, check in told.items()} == {WORKER: OK, BROWSER: OK}
    assert "takes our secret; it has pictures of 1 preview, 1 of 1 MiB" in told[WORKER].words
    assert failed[BROWSER].state is NOTE
    assert "could not take the last 4 pictures" in failed[BROWSER].words
    assert {name: check.state for name, check in strangers.items()} == {WORKER: WRONG}
    assert "knows another secret than the one here" in strangers[WORKER].words


ANSWERS: dict[str, tuple[int, Any, str]] = {
    "its own secret cannot be read": (500, "Server got itself in trouble", "cannot read its secret"),
    "a page": (200, "<html>Sign in</html>", "something else than the worker of pictures"),
    "nothing of the kind": (404, "no such page", "something else than the worker of pictures"),
    "another shape": (200, {"version": 1, "browser": "ok"}, "something else than the worker of pictures"),
    "a book": (200, {"version": "x" * 200_000, "browser": "ok"}, "something else than the worker"),
    "led elsewhere": (302, "", "something else than the worker of pictures"),
}


@pytest.mark.parametrize(("status", "body", "words"), ANSWERS.values(), ids=ANSWERS)
async def test_what_else_answers_there_is_told_and_never_believed(status: int, body: Any, words: str) -> None:
    async def answer(request: web.Request) -> web.Response:
        if isinstance(body, str):
            return web.Response(status=status, text=body, headers={"Location": "/elsewhere"})
        return web.json_response(body)

    with served(answer) as (url, _):
        told = await found(url)

    assert list(told) == [WORKER]
    assert (told[WORKER].state, told[WORKER].whose) == (WRONG, Whose.PLATFORM_TEAM)
    assert words in told[WORKER].words


async def test_where_nobody_answers_it_says_whether_the_name_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closed = await found("http://127.0.0.1:9")

    def unknown(*asked: Any, **more: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    nowhere = await found(URL)
    unread = await found(URL, None)

    assert (closed[WORKER].state, nowhere[WORKER].state, unread[WORKER].state) == (WRONG, WRONG, NOT_CHECKED)
    assert "nobody answers at http://127.0.0.1:9" in closed[WORKER].words
    assert f"no address is known for the host of {URL}" in nowhere[WORKER].words
    assert unread[WORKER].words == "because of the secret of pictures"


SAID: dict[str, tuple[Health, str, State, str]] = {
    "all is well": (FINE, WORKER, OK, "pictures of 2 previews, 4 of 256 MiB"),
    "it is busy": (Health("1.2.3", BrowserState.OK, waiting=7), WORKER, OK, "7 pictures wait"),
    "another version": (Health("1.2.2", BrowserState.OK), VERSION, NOTE, "1.2.2, and this one 1.2.3"),
    "just started": (Health("1.2.3", BrowserState.UNTRIED), BROWSER, NOT_CHECKED, "ask again"),
    "no browser": (
        Health("1.2.3", BrowserState.CANNOT_START, f"libnss3.so: cannot open\nBearer ghs_{'a' * 36}"),
        BROWSER,
        WRONG,
        "every picture is told as one that the browser could not take. It says: libnss3.so: cannot open",
    ),
    "a page that is too much": (
        Health("1.2.3", BrowserState.OK, failed=3),
        BROWSER,
        NOTE,
        "could not take the last 3 pictures",
    ),
    "a page or two": (Health("1.2.3", BrowserState.OK, failed=2), BROWSER, OK, "it starts"),
}


@pytest.mark.parametrize(("health", "name", "state", "words"), SAID.values(), ids=SAID)
def test_what_the_worker_says_of_itself(health: Health, name: str, state: State, words: str) -> None:
    told = {check.name: check for check in stands(URL, health, "1.2.3")}

    assert told[name].state is state
    assert words in told[name].words
    assert "ghs_" not in told[name].line
    assert (VERSION in told) == (name == VERSION)


@pytest.mark.parametrize(("process", "asks"), [("controller", True), ("pages", True), ("web", False)])
async def test_who_has_its_secret_asks_the_worker(tmp_path: Path, process: str, asks: bool) -> None:
    async with running(tmp_path) as worker:
        pictures = {"url": worker.client.url, "token_file": "/secret"}
        settings = Settings.model_validate({**passes.SETTINGS, "pictures": pictures})
        secrets = Secrets(here=(process,), pictures=TOKEN)
        async with questions_about(settings, secrets, lambda: datetime.now(UTC)) as questions:
            states = [
                check.state
                for question in questions
                if question.name == WORKER
                for check in await question.ask()
            ]

    assert states == ([OK, OK] if asks else [])


def test_why_a_browser_did_not_start_is_what_it_wrote_last() -> None:
    log = "BrowserType.launch: closed\nBrowser logs:\n<launching> /usr/bin/chromium --secret-host\n"
    log += "[pid=7][err] a note\n[pid=7][err] no usable sandbox\n[pid=7] <process did exit: exitCode=1>"

    assert why_not(log) == "no usable sandbox; exitCode=1"
    assert why_not("BrowserType.launch: executable doesn't exist at /nope\nmore") == (
        "BrowserType.launch: executable doesn't exist at /nope"
    )
    assert len(why_not("x" * 1000)) == 300
    assert why_not("") == ""
