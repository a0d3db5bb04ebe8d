"""Objects, lists and events of the API server that are too large; some of them are written by others."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from previewbot import errors
from previewbot.clients.kubernetes.api_client import PAGES
from previewbot.clients.kubernetes.cache import ObjectCache
from previewbot.clients.kubernetes.client import Kube
from previewbot.clients.kubernetes.informer import Informer
from previewbot.clients.kubernetes.resources import MOST_BYTES, PODS, PREVIEWS
from tests.support.kube_clients import kube_at
from tests.unit.test_informer import Server, an_object, eventually, raw, tell

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_PIECE = b"x" * 65_536


@asynccontextmanager
async def a_cluster(handler: Handler) -> AsyncIterator[Kube]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    async with TestServer(app) as running:
        kube = kube_at(str(running.make_url("")), request_timeout=10)
        yield kube
        await kube.close()


def without_end(begun: bytes, status: int = 200) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=status, headers={"Content-Type": "application/json"})
        await response.prepare(request)
        try:
            await response.write(begun)
            while True:
                await response.write(_PIECE)
        except ConnectionError:
            # The reader has gone, as it should.
            return response

    return answer


CALLS: dict[str, Callable[[Kube], Awaitable[object]]] = {
    "get preview": lambda kube: kube.get_preview("pr-1-2"),
    "list pods": lambda kube: kube.list_children(PODS, "staging", "a=b"),
    "list previews": lambda kube: kube.list_for_watch(PREVIEWS, None),
    "list events": lambda kube: kube.pod_events("staging", "uid-1"),
    "get lease": lambda kube: kube.get_lease("previewbot", "previewbot"),
}


@pytest.mark.parametrize("what", CALLS)
async def test_an_answer_without_end_is_given_up_and_the_words_say_which(what: str) -> None:
    async with a_cluster(without_end(b'{"items": [{"a": "')) as kube:
        with pytest.raises(errors.TooLarge, match=f"Kubernetes: {what}: 200 the answer has more than 4 MiB"):
            await CALLS[what](kube)


@pytest.mark.parametrize("what", [*CALLS, "get operator"])
@pytest.mark.parametrize("status", [200, 503])
async def test_an_answer_of_nested_brackets_is_none(what: str, status: int) -> None:
    """What an aggregated API sends, as that of mirrord's operator, the API server hands on as it is."""
    call = CALLS.get(what, Kube.get_operator)

    async def nested(_: web.Request) -> web.Response:
        return web.Response(status=status, body=b"[" * 100_000, content_type="application/json")

    async with a_cluster(nested) as kube:
        with pytest.raises(errors.TryLater):
            await call(kube)


async def test_an_event_of_nested_brackets_has_the_list_read_again() -> None:
    server = Server(raw(b"[" * 100_000 + b"\n"), tell(("ADDED", an_object("b", 12)), then=_hang))
    told: list[Exception] = []
    cache = ObjectCache(lambda before, after: None)

    async with a_cluster(server.handle) as kube:
        informer = Informer(
            kube, PREVIEWS, None, cache, progressed=lambda: None, failed=told.append, backoff=(0.01, 0.05)
        )
        following = asyncio.create_task(informer.run())
        await eventually(lambda: len(list(cache)) == 1)
        following.cancel()

    assert len(told) == 1


async def test_a_log_without_end_says_nothing() -> None:
    """The server is asked for 64 KiB of it: one that sends more does not know what it does."""
    async with a_cluster(without_end(b"")) as kube:
        assert await kube.pod_log("staging", "web-1", "app", previous=False) == ""


async def test_a_refusal_without_end_means_what_its_status_means() -> None:
    async with a_cluster(without_end(b'{"message": "', 403)) as kube:
        with pytest.raises(errors.Forbidden):
            await kube.get_preview("pr-1-2")


def listing(objects: list[dict[str, Any]], asked: list[str]) -> Handler:
    """Return an API server's answers for a list, in pages as they are asked for."""

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.query.get("limit", ""))
        start = int(request.query.get("continue", "0"))
        end = start + int(request.query.get("limit", len(objects)))
        metadata = {"resourceVersion": "7", "continue": str(end) if end < len(objects) else ""}
        return web.json_response({"items": objects[start:end], "metadata": metadata})

    return answer


def _large(count: int, size: int) -> list[dict[str, Any]]:
    return [an_object(f"a{number}", data="x" * size) for number in range(count)]


@pytest.mark.parametrize("call", ["list pods", "list previews", "list events"])
async def test_a_list_of_large_objects_is_read_in_shorter_pages(call: str) -> None:
    asked: list[str] = []
    objects = _large(5, MOST_BYTES // 2)

    async with a_cluster(listing(objects, asked)) as kube:
        found = await CALLS[call](kube)

    read = found[0] if isinstance(found, tuple) else found
    assert read == objects
    assert asked[1:] == [str(PAGES[1])] + ["1"] * 5


async def test_a_single_object_that_is_too_large_fails_the_list_and_not_more_than_once_for_each_size() -> (
    None
):
    asked: list[str] = []
    async with a_cluster(listing(_large(3, MOST_BYTES), asked)) as kube:
        with pytest.raises(errors.TooLarge):
            await kube.list_for_watch(PREVIEWS, None)

    assert asked == [str(size) for size in PAGES]


async def test_an_event_without_end_is_given_up_and_the_list_is_read_again() -> None:
    begun = b'{"type": "MODIFIED", "object": {"a": "'
    chunks = [_PIECE] * (MOST_BYTES // len(_PIECE) + 1)
    server = Server(raw(begun, *chunks), tell(("ADDED", an_object("b", 12)), then=_hang))
    told: list[Exception] = []
    cache = ObjectCache(lambda before, after: None)

    async with a_cluster(server.handle) as kube:
        informer = Informer(
            kube, PREVIEWS, None, cache, progressed=lambda: None, failed=told.append, backoff=(0.01, 0.05)
        )
        following = asyncio.create_task(informer.run())
        await eventually(lambda: len(list(cache)) == 1)
        following.cancel()

    assert [str(error) for error in told] == [
        "Kubernetes: watch previews: no answer an event has more than 4 MiB"
    ]
    assert server.listed == 2


async def test_a_list_without_a_version_is_not_watched_from_now_on() -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=json.dumps({"items": []}), content_type="application/json")

    async with a_cluster(answer) as kube:
        with pytest.raises(errors.TryLater, match="no resourceVersion"):
            await kube.list_for_watch(PREVIEWS, None)


async def _hang(_: web.Request, __: web.StreamResponse) -> None:
    await asyncio.sleep(60)
