"""What the adapter says when GitHub limits, refuses, redirects, or cannot be reached."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest
from aiohttp import web

from previewbot import errors
from previewbot.github.installation import FILES_LIMIT
from previewbot.github.transport import MAX_PAGES
from previewbot.model import ChangedFiles
from tests.support import github_samples as samples
from tests.support.github_server import (
    INSTALLATION,
    Clock,
    World,
    a_github,
    a_world,
    pages,
    sends,
)

PULL = "/repos/acme/shop/pulls/7"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world() as world:
        yield world


async def test_pages_without_end_are_an_error_not_half_a_list(world: World) -> None:
    world.server.on("GET", "/repos/acme/shop/pulls", pages(None, *[[]] * (MAX_PAGES + 2)))

    with pytest.raises(errors.RemoteError, match="pages"):
        await world.client.open_pull_requests("acme/shop")

    assert len(world.server.paths()) == MAX_PAGES


async def test_a_next_page_on_another_server_gets_no_credentials(world: World) -> None:
    elsewhere = '<http://elsewhere.invalid/api/v3/x?page=2>; rel="next"'
    world.server.on("GET", "/repos/acme/shop/pulls", sends([], Link=elsewhere))

    with pytest.raises(errors.RemoteError, match="another server"):
        await world.client.open_pull_requests("acme/shop")


@pytest.mark.parametrize(("count", "complete"), [(FILES_LIMIT - 1, True), (FILES_LIMIT, False)])
async def test_a_list_of_files_that_github_cut_off_says_so(world: World, count: int, complete: bool) -> None:
    files = [samples.changed_file(f"{number}.py") for number in range(count)]
    chunks = [files[start : start + 100] for start in range(0, count, 100)]
    world.server.on("GET", f"{PULL}/files", pages(None, *chunks))

    seen = await world.client.files("acme/shop", 7)

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
    world: World, status: int, message: str, headers: dict[str, str], after: int
) -> None:
    reset = {"x_ratelimit_reset": str(int(world.clock().timestamp()) + 300)}
    limit = sends({"message": message}, status, **headers, **reset)
    world.server.on("GET", PULL, limit, samples.pull_request())

    with pytest.raises(errors.TryLater) as first:
        await world.client.pull_request("acme/shop", 7)
    with pytest.raises(errors.TryLater) as second:
        await world.client.comments("acme/shop", 7, None)

    assert first.value.after == pytest.approx(after, abs=2)
    assert second.value.after == pytest.approx(after, abs=2)
    assert len(world.server.paths()) == 1

    world.clock.forward(seconds=after + 1)
    assert (await world.client.pull_request("acme/shop", 7)).number == 7


async def test_a_rate_limit_of_one_installation_does_not_hold_up_the_app(world: World) -> None:
    world.server.on("GET", PULL, sends({}, 429, retry_after="600"))
    world.server.on("GET", "/app/installations", [samples.installation()])

    with pytest.raises(errors.TryLater):
        await world.client.pull_request("acme/shop", 7)

    assert [installation.id for installation in await world.github.installations()] == [INSTALLATION]


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
    world: World, status: int, kind: type[errors.RemoteError]
) -> None:
    world.server.on("GET", PULL, sends({"message": "No, because"}, status))

    with pytest.raises(kind, match="No, because") as caught:
        await world.client.pull_request("acme/shop", 7)

    assert (type(caught.value), caught.value.status) == (kind, status)


async def test_github_being_down_says_how_long_to_wait_if_it_knows(world: World) -> None:
    world.server.on("GET", PULL, sends({}, 503, retry_after="20"))

    with pytest.raises(errors.TryLater) as caught:
        await world.client.pull_request("acme/shop", 7)

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
    world: World, answer: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> None:
    world.server.on("GET", PULL, answer)

    with pytest.raises(errors.TryLater):
        await world.client.pull_request("acme/shop", 7)


@pytest.mark.parametrize("text", ["<h1>Welcome to the proxy</h1>", ""])
async def test_a_page_in_place_of_json_is_an_error_and_not_a_crash(world: World, text: str) -> None:
    world.server.on("GET", PULL, _typed(text, "text/html"))
    world.server.on("GET", f"{PULL}/files", _typed(text, "text/html"))

    for call in (world.client.pull_request, world.client.files):
        with pytest.raises(errors.RemoteError):
            await call("acme/shop", 7)


async def test_a_server_that_is_not_there_is_a_passing_fault(unused_tcp_port: int) -> None:
    async with aiohttp.ClientSession() as session:
        github = a_github(session, f"http://127.0.0.1:{unused_tcp_port}", Clock())
        with pytest.raises(errors.TryLater, match="cannot be reached"):
            await github.installations()


async def test_a_server_that_never_answers_is_given_up_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = asyncio.Event()

    async def silence(request: web.Request) -> web.Response:
        await released.wait()
        return web.json_response({})

    world.server.on("GET", "/app/installations", silence)
    monkeypatch.setattr("previewbot.github.transport._TIMEOUT", aiohttp.ClientTimeout(total=0.1))

    with pytest.raises(errors.TryLater, match="TimeoutError"):
        await world.github.installations()

    released.set()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_renamed_repository_is_found_under_its_new_address(world: World, status: int) -> None:
    renamed = samples.branch("main", samples.BASE, samples.repository("acme/store"))
    moved = sends({}, status, Location=f"{world.url}/repositories/77/pulls/7")
    world.server.on("GET", PULL, moved)
    world.server.on("GET", "/repositories/77/pulls/7", samples.pull_request(base=renamed))

    seen = await world.client.pull_request("acme/shop", 7)

    assert seen.base.repository == "acme/store"
    assert world.server.asked[-1].headers["authorization"] == "token ghs_1"


async def test_a_comment_for_a_renamed_repository_is_still_a_comment(world: World) -> None:
    moved = sends({}, 301, Location=f"{world.url}/repositories/77/issues/7/comments")
    world.server.on("POST", "/repos/acme/shop/issues/7/comments", moved)
    world.server.on("POST", "/repositories/77/issues/7/comments", sends(samples.comment(9), 201))

    assert (await world.client.create_comment("acme/shop", 7, "Hello")).id == 9

    assert world.server.asked[-1].data == {"body": "Hello"}


@pytest.mark.parametrize("target", ["http://elsewhere.invalid/x", "/api/v3" + PULL])
async def test_a_redirect_to_elsewhere_or_in_a_circle_is_not_followed_for_ever(
    world: World, target: str
) -> None:
    world.server.on("GET", PULL, sends({}, 301, Location=target))

    with pytest.raises(errors.RemoteError) as caught:
        await world.client.pull_request("acme/shop", 7)

    assert caught.value.status == 301
    assert len(world.server.paths()) <= 4
