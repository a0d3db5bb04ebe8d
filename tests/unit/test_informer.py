"""The store and the loop that keeps it: rules of list and watch, against servers that break each of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st

from previewbot.clients.kubernetes.cache import ObjectCache
from previewbot.clients.kubernetes.informer import Informer
from previewbot.clients.kubernetes.resources import PREVIEWS
from tests.support.kube_clients import kube_at

Watch = Callable[[web.Request, web.StreamResponse], Awaitable[None]]
Change = tuple[str | None, str | None]


def an_object(name: str = "a", version: int = 1, uid: str = "", **more: Any) -> dict[str, Any]:
    metadata = {"name": name, "uid": uid or f"uid-{name}", "resourceVersion": str(version)}
    return {"metadata": metadata, **more}


def versions(change: tuple[Any, Any]) -> Change:
    before, after = (obj and obj["metadata"]["resourceVersion"] for obj in change)
    return before, after


class Seen:
    """A store that notes what it was told, and lets a test wait for it."""

    def __init__(self) -> None:
        self.changes: list[tuple[Any, Any]] = []
        self.store = ObjectCache(self._changed)
        self._news = asyncio.Event()

    def _changed(self, before: Any, after: Any) -> None:
        self.changes.append((before, after))
        self._news.set()

    def names(self) -> list[str]:
        return sorted(obj["metadata"]["name"] for obj in self.store)

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not true():
                self._news.clear()
                await self._news.wait()


class Server:
    """An API server of one resource: what it lists, and what each of its watches does in turn."""

    def __init__(self, *watches: Watch, lists: list[tuple[list[Any], str]] | None = None) -> None:
        self.watches = list(watches)
        self.lists = lists or [([], "10")]
        self.listed = 0
        self.watched: list[str] = []
        self.queries: list[dict[str, str]] = []
        self.status = 200

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if self.status != 200:
            self.listed += 1
            return web.json_response({"message": "no"}, status=self.status)
        if "watch" not in request.query:
            items, version = self.lists[min(self.listed, len(self.lists) - 1)]
            self.listed += 1
            return web.json_response({"items": items, "metadata": {"resourceVersion": version}})
        self.queries.append(dict(request.query))
        self.watched.append(request.query["resourceVersion"])
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        number = min(len(self.watched), len(self.watches)) - 1
        await self.watches[number](request, response)
        return response


async def hang(_: web.Request, __: web.StreamResponse) -> None:
    """Say nothing for longer than any test waits."""
    await asyncio.sleep(60)


def tell(*events: tuple[str, Any], then: Watch | None = None) -> Watch:
    async def watch(request: web.Request, response: web.StreamResponse) -> None:
        for kind, obj in events:
            await response.write(json.dumps({"type": kind, "object": obj}).encode() + b"\n")
        if then is not None:
            await then(request, response)

    return watch


def raw(*chunks: bytes, then: Watch = hang) -> Watch:
    async def watch(request: web.Request, response: web.StreamResponse) -> None:
        for chunk in chunks:
            await response.write(chunk)
        await then(request, response)

    return watch


@asynccontextmanager
async def following(
    server: Server, *, silence: float = 5, backoff: tuple[float, float] = (0.01, 0.05)
) -> AsyncIterator[tuple[Seen, Informer, list[int]]]:
    """Follow the server's resource; yields what is seen, the follower, and the signs of life so far."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    async with TestServer(app) as running:
        kube = kube_at(str(running.make_url("")), request_timeout=2)
        seen, life = Seen(), [0]

        def progressed() -> None:
            life[0] += 1

        follower = Informer(
            kube, PREVIEWS, None, seen.store, progressed=progressed, silence=silence, backoff=backoff
        )
        task = asyncio.create_task(follower.run())
        try:
            yield seen, follower, life
            assert not task.done()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await kube.close()


async def eventually(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.005)


async def test_the_list_comes_first_then_what_the_watch_tells() -> None:
    events = tell(
        ("ADDED", an_object("b", 11)),
        ("MODIFIED", an_object("a", 12)),
        ("DELETED", an_object("b", 13)),
        then=hang,
    )
    async with following(Server(events, lists=[([an_object("a", 9)], "10")])) as (seen, follower, _):
        await seen.until(lambda: len(seen.changes) == 4)

        assert follower.synced.is_set()
        assert list(map(versions, seen.changes)) == [(None, "9"), (None, "11"), ("9", "12"), ("11", None)]
        assert seen.names() == ["a"]


async def test_a_watch_asks_for_bookmarks_and_an_end_and_goes_on_from_the_last_one() -> None:
    bookmark = ("BOOKMARK", {"metadata": {"resourceVersion": "57"}})
    server = Server(tell(bookmark), hang)
    async with following(server):
        await eventually(lambda: len(server.watched) == 2)

        assert server.watched == ["10", "57"]
        assert server.listed == 1
        assert server.queries[0]["allowWatchBookmarks"].lower() == "true"
        assert server.queries[0]["timeoutSeconds"] == "60"


async def end_later(_: web.Request, __: web.StreamResponse) -> None:
    """Say nothing and end, as the API server does after the time that it was asked for."""
    await asyncio.sleep(0.1)


async def cut_later(request: web.Request, response: web.StreamResponse) -> None:
    """Be cut off in the middle, as by a load balancer for which a connection was idle for too long."""
    await asyncio.sleep(0.1)
    await slam(request, response)


@pytest.mark.parametrize("watch", [end_later, cut_later], ids=["ended", "cut off"])
async def test_a_watch_of_what_does_not_change_is_no_failure(
    watch: Watch, caplog: pytest.LogCaptureFixture
) -> None:
    server = Server(watch)
    async with following(server, backoff=(0.01, 0.05)) as (_, _, life):
        await eventually(lambda: len(server.watched) == 5)

        assert server.watched == ["10"] * 5
        assert server.listed == 1
        assert life[0] >= 5
    assert [record for record in caplog.records if record.levelname == "WARNING"] == []


async def test_a_refusal_is_said_once_and_keeps_nobody_waiting(caplog: pytest.LogCaptureFixture) -> None:
    server = Server(hang)
    server.status = 403
    async with following(server, backoff=(0.01, 0.02)) as (_, follower, _):
        await asyncio.wait_for(follower.settled.wait(), 10)
        await eventually(lambda: server.listed >= 5)
        assert not follower.synced.is_set()

        server.status = 200
        await asyncio.wait_for(follower.synced.wait(), 10)
    assert len([record for record in caplog.records if record.levelname == "WARNING"]) == 1


@pytest.mark.parametrize("status", [401, 404, 500])
async def test_whoever_needs_the_first_list_waits_for_all_else(status: int) -> None:
    server = Server(hang)
    server.status = status
    async with following(server, backoff=(0.01, 0.02)) as (_, follower, _):
        await eventually(lambda: server.listed >= 5)

        assert not follower.settled.is_set()


EXPIRED = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"}


async def test_a_version_that_is_too_old_means_a_new_list_and_what_vanished_is_told() -> None:
    lists: list[tuple[list[Any], str]] = [([an_object("a", 9), an_object("b", 9)], "10"), ([], "20")]
    lists[1][0].append(an_object("b", 9))
    server = Server(tell(("ERROR", EXPIRED)), hang, lists=lists)
    async with following(server) as (seen, _, _):
        await seen.until(lambda: len(seen.changes) == 3)

        assert versions(seen.changes[2]) == ("9", None)
        assert seen.names() == ["b"]
        await eventually(lambda: server.watched == ["10", "20"])


async def slam(request: web.Request, _: web.StreamResponse) -> None:
    """Cut the connection in the middle of the stream."""
    assert request.transport is not None
    request.transport.abort()


BAD_WATCHES = {
    "says nothing and ends": tell(),
    "is cut": slam,
    "is silent": hang,
    "is silent after a line": tell(("BOOKMARK", {"metadata": {"resourceVersion": "11"}}), then=hang),
    "sends no JSON": raw(b"<html>\n"),
    "sends JSON that is no event": raw(b"[1]\n"),
    "sends an event without an object": raw(b'{"type":"ADDED"}\n'),
    "sends an object without a name": raw(b'{"type":"ADDED","object":{"metadata":{}}}\n'),
    "sends an error that is none of Kubernetes": tell(("ERROR", {})),
    "sends a line without an end": raw(b"x" * (5 * 1024 * 1024)),
}


@pytest.mark.parametrize("watch", BAD_WATCHES.values(), ids=BAD_WATCHES.keys())
async def test_a_watch_that_goes_wrong_is_replaced_by_a_list_and_a_new_watch(watch: Watch) -> None:
    good = tell(("ADDED", an_object("late", 30)), then=hang)
    async with following(Server(watch, good), silence=0.2) as (seen, _, _):
        await seen.until(lambda: seen.names() == ["late"])


@pytest.mark.parametrize("status", [401, 403, 404, 410, 429, 500, 503])
async def test_a_server_that_refuses_is_asked_less_and_less_often(status: int) -> None:
    server = Server(hang)
    server.status = status
    async with following(server, backoff=(0.05, 0.2)) as (_, follower, life):
        await asyncio.sleep(0.5)

        assert 2 <= server.listed <= 9
        assert not follower.synced.is_set()
        assert life == [0]
        server.status = 200
        await asyncio.wait_for(follower.synced.wait(), 10)


async def test_good_lists_do_not_reset_the_backoff_of_watches_that_fail_at_once() -> None:
    server = Server(tell(("ERROR", {"code": 500, "message": "etcd is away"})))
    async with following(server, backoff=(0.05, 0.2)):
        await asyncio.sleep(0.5)

        assert 2 <= server.listed <= 9


async def test_an_error_of_the_one_who_listens_does_not_end_the_following() -> None:
    server = Server(tell(("ADDED", an_object("a", 11)), ("ADDED", an_object("b", 12)), then=hang))
    async with following(server) as (seen, _, _):
        told = seen.store._changed

        def once(before: Any, after: Any) -> None:
            seen.store._changed = told
            raise RuntimeError("a bug")

        seen.store._changed = once
        await seen.until(lambda: "b" in seen.names())


async def test_a_line_in_pieces_and_lines_in_one_piece_are_all_read() -> None:
    one, two, three = (
        json.dumps({"type": "ADDED", "object": an_object(name, 11)}).encode() + b"\n" for name in "abc"
    )
    async with following(Server(raw(one[:7], one[7:] + two + b"\n" + three[:20], three[20:]))) as (
        seen,
        _,
        _,
    ):
        await seen.until(lambda: len(seen.changes) == 3)

        assert seen.names() == ["a", "b", "c"]


async def test_every_line_is_a_sign_of_life_and_renews_the_limit_of_silence() -> None:
    async def slowly(_: web.Request, response: web.StreamResponse) -> None:
        for version in range(11, 17):
            await asyncio.sleep(0.1)
            bookmark = {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": str(version)}}}
            await response.write(json.dumps(bookmark).encode() + b"\n")

    server = Server(slowly, hang)
    async with following(server, silence=0.35) as (_, _, life):
        await eventually(lambda: len(server.watched) == 2)

        assert server.watched == ["10", "16"]
        assert life[0] == 7


def test_our_own_write_that_the_watch_told_already_or_overtook_changes_nothing() -> None:
    seen = Seen()
    seen.store.put(an_object(version=5))
    seen.store.put(an_object(version=5))
    seen.store.put(an_object(version=4))

    assert list(map(versions, seen.changes)) == [(None, "5")]


def test_versions_compare_as_numbers() -> None:
    seen = Seen()
    seen.store.put(an_object(version=9))
    seen.store.put(an_object(version=10))

    assert versions(seen.changes[-1]) == ("9", "10")


def test_versions_that_are_no_numbers_are_taken_as_they_come() -> None:
    seen = Seen()
    for version in ("a", "b"):
        obj = an_object()
        obj["metadata"]["resourceVersion"] = version
        seen.store.put(obj)

    assert versions(seen.changes[-1]) == ("a", "b")


def test_the_answer_to_a_write_that_comes_after_the_delete_does_not_bring_the_object_back() -> None:
    seen = Seen()
    seen.store.put(an_object(version=5))
    seen.store.remove(an_object(version=7))
    seen.store.put(an_object(version=6))

    assert seen.names() == []
    seen.store.put(an_object(version=8, uid="another"))
    assert seen.names() == ["a"]


def test_a_late_delete_of_a_predecessor_leaves_the_successor() -> None:
    seen = Seen()
    seen.store.put(an_object(version=8, uid="new"))
    seen.store.remove(an_object(version=7, uid="old"))

    assert seen.names() == ["a"]


def test_a_list_keeps_what_was_written_after_it_was_taken() -> None:
    seen = Seen()
    seen.store.put(an_object("written", version=12))
    seen.store.put(an_object("vanished", version=9))
    seen.store.replace([an_object("listed", version=8)], "10")

    assert seen.names() == ["listed", "written"]


def test_an_object_made_again_under_its_name_is_told_as_gone_and_as_new() -> None:
    seen = Seen()
    seen.store.put(an_object(version=5, uid="old"))
    seen.store.replace([an_object(version=9, uid="new")], "10")

    assert list(map(versions, seen.changes)) == [(None, "5"), ("5", None), (None, "9")]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=8), st.randoms())
def test_whatever_order_writes_and_events_come_in_the_last_state_stays(
    history: list[tuple[str, bool]], random: Any
) -> None:
    """Events come in order; each write is answered at any time from then on, also after later events."""
    seen, truth, answers = Seen(), dict[str, dict[str, Any]](), list[dict[str, Any]]()
    for version, (name, deleted) in enumerate(history, start=1):
        if deleted and name in truth:
            seen.store.remove({**truth.pop(name)})
        else:
            uid = truth[name]["metadata"]["uid"] if name in truth else f"{name}-{version}"
            truth[name] = an_object(name, version, uid)
            answers.append(truth[name])
            seen.store.put(truth[name])
        for answer in answers:
            if random.random() < 0.5:
                seen.store.put(answer)

    assert {obj["metadata"]["name"]: obj for obj in seen.store} == truth
