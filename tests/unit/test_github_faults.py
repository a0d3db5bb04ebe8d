"""What the adapter says when GitHub limits, refuses, redirects, or cannot be reached."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest
from aiohttp import web

from previewbot import errors
from previewbot.api.github import ChangedFiles
from previewbot.clients.github.installation import FILES_LIMIT
from previewbot.clients.github.transport import MAX_PAGES
from tests.support import github_samples as samples
from tests.support.clock import Clock
from tests.support.github_script import pages, sends
from tests.support.github_town import Town, a_github, github_town

PULL = "/repos/acme/shop/pulls/7"


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with github_town() as built:
        yield built


async def test_pages_without_end_are_an_error_not_half_a_list(town: Town) -> None:
    town.script.on("GET", "/repos/acme/shop/pulls", pages(None, *[[]] * (MAX_PAGES + 2)))

    with pytest.raises(errors.RemoteError, match="pages"):
        await town.client.open_pull_requests("acme/shop")

    assert len(town.script.paths()) == MAX_PAGES


async def test_a_next_page_on_another_server_gets_no_credentials(town: Town) -> None:
    elsewhere = '<http://elsewhere.invalid/api/v3/x?page=2>; rel="next"'
    town.script.on("GET", "/repos/acme/shop/pulls", sends([], Link=elsewhere))

    with pytest.raises(errors.RemoteError, match="another server"):
        await town.client.open_pull_requests("acme/shop")


@pytest.mark.parametrize(("count", "complete"), [(FILES_LIMIT - 1, True), (FILES_LIMIT, False)])
async def test_a_list_of_files_that_github_cut_off_says_so(town: Town, count: int, complete: bool) -> None:
    files = [samples.changed_file(f"{number}.py") for number in range(count)]
    chunks = [files[start : start + 100] for start in range(0, count, 100)]
    town.script.on("GET", f"{PULL}/files", pages(None, *chunks))

    seen = await town.client.files("acme/shop", 7)

    assert isinstance(seen, ChangedFiles)
    assert (len(seen.files), seen.complete) == (count, complete)


@pytest.mark.parametrize(
    ("status", "message", "headers", "after"),
    [
        (403, "API rate limit exceeded", {"x_ratelimit_limit": "5000", "x_ratelimit_remaining": "0"}, 300),
        (429, "API rate limit exceeded", {"x_ratelimit_remaining": "0"}, 300),
        (403, "You have exceeded a secondary rate limit", {"retry_after": "45"}, 45),
        (429, "Slow down", {}, 60),
    ],
)
async def test_after_a_rate_limit_nothing_is_sent_until_it_is_over(
    town: Town, status: int, message: str, headers: dict[str, str], after: int
) -> None:
    reset = {"x_ratelimit_reset": str(int(town.our_clock().timestamp()) + 300)}
    limit = sends({"message": message}, status, **headers, **reset)
    town.script.on("GET", PULL, limit, samples.pull_request())

    with pytest.raises(errors.TryLater) as first:
        await town.client.pull_request("acme/shop", 7)
    with pytest.raises(errors.TryLater) as second:
        await town.client.comments("acme/shop", 7, None)

    assert first.value.after == pytest.approx(after, abs=2)
    assert second.value.after == pytest.approx(after, abs=2)
    assert len(town.script.paths()) == 1

    town.our_clock.forward(seconds=after + 1)
    assert (await town.client.pull_request("acme/shop", 7)).number == 7


async def test_a_rate_limit_of_one_installation_does_not_hold_up_the_app(town: Town) -> None:
    town.script.on("GET", PULL, sends({}, 429, retry_after="600"))

    with pytest.raises(errors.TryLater):
        await town.client.pull_request("acme/shop", 7)

    assert [installation.id for installation in await town.app.installations()] == [town.installation.id]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.Invalid),
        (403, errors.Forbidden),
        (404, errors.NotFound),
        (410, errors.NotFound),
        (409, errors.Conflict),
        (422, errors.Invalid),
        (451, errors.Invalid),
        (500, errors.TryLater),
        (502, errors.TryLater),
        (503, errors.TryLater),
    ],
)
async def test_githubs_refusals_are_said_in_our_words(
    town: Town, status: int, kind: type[errors.RemoteError]
) -> None:
    town.script.on("GET", PULL, sends({"message": "No, because"}, status))

    with pytest.raises(kind, match="No, because") as caught:
        await town.client.pull_request("acme/shop", 7)

    assert (type(caught.value), caught.value.status) == (kind, status)


async def test_github_being_down_says_how_long_to_wait_if_it_knows(town: Town) -> None:
    town.script.on("GET", PULL, sends({}, 503, retry_after="20"))

    with pytest.raises(errors.TryLater) as caught:
        await town.client.pull_request("acme/shop", 7)

    assert caught.value.after == 20


async def _cut_off(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000", "Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(b'{"number"')
    assert request.transport is not None
    request.transport.close()
    return response


async def _hung_up(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


def _typed(text: str, kind: str, status: int = 200) -> Callable[[web.Request], web.Response]:
    return lambda request: web.Response(text=text, content_type=kind, status=status)


@pytest.mark.parametrize(
    "answer",
    [
        _cut_off,
        _hung_up,
        _typed('{"number": ', "application/json"),
        _typed("{}", "application/json", 422),
    ],
    ids=["cut off", "hung up", "half a JSON", "a refusal without words"],
)
async def test_an_answer_that_cannot_be_read_is_a_passing_fault(
    town: Town, answer: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> None:
    town.script.on("GET", PULL, answer)

    with pytest.raises(errors.TryLater):
        await town.client.pull_request("acme/shop", 7)


@pytest.mark.parametrize("text", ["<h1>Welcome to the proxy</h1>", ""])
async def test_a_page_in_place_of_json_is_an_error_and_not_a_crash(town: Town, text: str) -> None:
    town.script.on("GET", PULL, _typed(text, "text/html"))
    town.script.on("GET", f"{PULL}/files", _typed(text, "text/html"))

    for call in (town.client.pull_request, town.client.files):
        with pytest.raises(errors.RemoteError):
            await call("acme/shop", 7)


async def test_a_server_that_is_not_there_is_a_passing_fault(unused_tcp_port: int) -> None:
    async with aiohttp.ClientSession() as session:
        github = a_github(session, f"http://127.0.0.1:{unused_tcp_port}", Clock())
        with pytest.raises(errors.TryLater, match="cannot be reached"):
            await github.installations()


async def test_a_server_that_never_answers_is_given_up_on(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = asyncio.Event()

    async def silence(request: web.Request) -> web.Response:
        await released.wait()
        return web.json_response({})

    town.script.on("GET", "/app/installations", silence)
    monkeypatch.setattr("previewbot.clients.github.transport._TIMEOUT", aiohttp.ClientTimeout(total=0.1))

    with pytest.raises(errors.TryLater, match="TimeoutError"):
        await town.app.installations()

    released.set()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_renamed_repository_is_found_under_its_new_address(town: Town, status: int) -> None:
    renamed = samples.branch("main", samples.BASE, samples.repository("acme/store"))
    moved = sends({}, status, Location=f"{town.url}/api/v3/repositories/77/pulls/7")
    town.script.on("GET", PULL, moved)
    town.script.on("GET", "/repositories/77/pulls/7", samples.pull_request(base=renamed))

    seen = await town.client.pull_request("acme/shop", 7)

    assert seen.base.repository == "acme/store"
    assert town.script.asked[-1].headers["authorization"] == f"token {town.script.tokens[0]}"


async def test_a_comment_for_a_renamed_repository_is_still_a_comment(town: Town) -> None:
    moved = sends({}, 301, Location=f"{town.url}/api/v3/repositories/77/issues/7/comments")
    town.script.on("POST", "/repos/acme/shop/issues/7/comments", moved)
    town.script.on("POST", "/repositories/77/issues/7/comments", sends(samples.comment(9), 201))

    assert (await town.client.create_comment("acme/shop", 7, "Hello")).id == 9

    assert town.script.asked[-1].data == {"body": "Hello"}


async def test_a_comment_for_an_issue_does_not_follow_it_into_another_repository(town: Town) -> None:
    moved = sends({}, 301, Location=f"{town.url}/api/v3/repositories/99/issues/3/comments")
    for method in ("GET", "POST"):
        town.script.on(method, "/repos/acme/shop/issues/12/comments", moved)

    with pytest.raises(errors.Invalid):
        await town.client.create_comment("acme/shop", 12, "Hello")
    with pytest.raises(errors.Invalid):
        await town.client.comments("acme/shop", 12, None)

    assert [path for path in town.script.paths() if "99" in path] == []


@pytest.mark.parametrize("target", ["http://elsewhere.invalid/x", "/api/v3" + PULL])
async def test_a_redirect_to_elsewhere_or_in_a_circle_is_not_followed_for_ever(
    town: Town, target: str
) -> None:
    town.script.on("GET", PULL, sends({}, 301, Location=target))

    with pytest.raises(errors.RemoteError) as caught:
        await town.client.pull_request("acme/shop", 7)

    assert caught.value.status == 301
    assert len(town.script.paths()) <= 4
