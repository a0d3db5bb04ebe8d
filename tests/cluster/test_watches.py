"""Following on a real API server that is stopped, restarted and compacted, and through one that fails.

Nothing that changed meanwhile is missed, silence is left, and whoever refuses us is asked less and less.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from previewbot.clients.kubernetes.cache import ObjectCache
from previewbot.clients.kubernetes.client import Kube
from previewbot.clients.kubernetes.informer import Informer
from previewbot.engine.mirrord import manifest
from previewbot.reconciler.children.sessions import Sessions
from previewbot_demo.faults import Call
from tests.support.control_plane import ControlPlane
from tests.support.previews import a_preview
from tests.support.proxies import Forwarder, Wire
from tests.support.servers import served
from tests.unit.test_mirrord import DESIRED

FIRST, LAST = 0.1, 0.8
SECONDS = 60.0
_NAMESPACES = itertools.count(1)


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane of this module's own, for it is stopped and started here."""
    plane = ControlPlane(tmp_path_factory.mktemp("watches"))
    plane.start()
    yield plane
    plane.stop()


@dataclass(frozen=True)
class Place:
    """A namespace of one test, and the sessions in it."""

    plane: ControlPlane
    namespace: str

    def create(self, name: str) -> None:
        """Create a session."""
        obj = manifest(a_preview(), replace(DESIRED, namespace=self.namespace))
        obj["metadata"] = {"name": name, "namespace": self.namespace}
        self.plane.apply(obj)

    def delete(self, name: str) -> None:
        """Delete a session."""
        group, version, plural = Sessions.resource
        path = f"/apis/{group}/{version}/namespaces/{self.namespace}/{plural}/{name}"
        assert self.plane.call("DELETE", path).status == 200


@pytest.fixture
def place(plane: ControlPlane) -> Place:
    namespace = f"watched-{next(_NAMESPACES)}"
    plane.make_namespace(namespace)
    return Place(plane, namespace)


class Watcher:
    """A follower, what it knows, what it was told, and when and why it failed."""

    def __init__(self, kube: Kube, namespace: str, **limits: Any) -> None:
        self.told: list[str] = []
        self.failures: list[tuple[float, str]] = []
        self.store = ObjectCache(self._changed)
        self.follower = Informer(
            kube,
            Sessions.resource,
            namespace,
            self.store,
            progressed=lambda: None,
            failed=lambda error: self.failures.append((time.monotonic(), str(error))),
            backoff=(FIRST, LAST),
            **limits,
        )

    def knows(self, *names: str) -> bool:
        """Whether these objects are known, and no others."""
        return sorted(obj["metadata"]["name"] for obj in self.store) == sorted(names)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(SECONDS):
            while not holds():
                await asyncio.sleep(0.02)

    def _changed(self, before: Any, after: Any) -> None:
        sign = "+" if before is None else "-" if after is None else "~"
        self.told.append(sign + (after or before)["metadata"]["name"])


@asynccontextmanager
async def following(
    kubeconfig: Path, place: Place, request_timeout: float = 10, **limits: Any
) -> AsyncIterator[Watcher]:
    kube = await Kube.connect(kubeconfig, user_agent="watcher", request_timeout=request_timeout)
    watcher = Watcher(kube, place.namespace, **limits)
    task = asyncio.create_task(watcher.follower.run())
    try:
        yield watcher
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await kube.close()


@asynccontextmanager
async def behind_a_wire(plane: ControlPlane) -> AsyncIterator[tuple[Wire, Path]]:
    wire = Wire(plane.port)
    port = await wire.open()
    try:
        yield wire, plane.kubeconfig_through(f"https://127.0.0.1:{port}")
    finally:
        await wire.close()


@asynccontextmanager
async def behind_a_forwarder(plane: ControlPlane) -> AsyncIterator[tuple[Forwarder, Path]]:
    forwarder = plane.forwarder()
    with served(forwarder.handle) as (url, thread):
        try:
            yield forwarder, plane.kubeconfig_through(url)
        finally:
            thread.call(forwarder.close())


def assert_backs_off(moments: list[float]) -> None:
    """The pauses grow: so many attempts at most fit into the time from the first to the last."""
    shortest_of_the_last, growing = LAST / 2, 5
    elapsed = moments[-1] - moments[0]
    assert len(moments) <= growing + elapsed / shortest_of_the_last, moments


async def test_an_api_server_that_goes_and_comes_back_is_followed_on(place: Place) -> None:
    plane = place.plane
    await asyncio.to_thread(place.create, "before")
    async with following(plane.kubeconfig(), place) as watcher:
        await watcher.until(lambda: watcher.knows("before"))

        await asyncio.to_thread(plane.stop_api_server)
        await watcher.until(lambda: len(watcher.failures) >= 8)
        assert watcher.knows("before")
        await asyncio.to_thread(plane.start_api_server)
        await asyncio.to_thread(place.create, "after")

        await watcher.until(lambda: watcher.knows("before", "after"))
        assert watcher.told == ["+before", "+after"]
        assert_backs_off([moment for moment, _ in watcher.failures])


async def test_a_version_that_was_compacted_away_means_a_new_list_and_what_vanished_is_noticed(
    place: Place,
) -> None:
    plane = place.plane
    place.create("stays")
    place.create("vanishes")
    asked: list[str] = []

    def gap() -> None:
        """Between a list and its watch everything changes, and the past is forgotten."""
        place.delete("vanishes")
        place.create("comes")
        plane.stop_api_server()
        plane.compact()
        plane.start_api_server()

    async def before(call: Call) -> None:
        asked.append(call.method)
        if len(asked) == 2:
            await asyncio.to_thread(gap)

    async with behind_a_forwarder(plane) as (forwarder, kubeconfig):
        forwarder.faults.before = before
        async with following(kubeconfig, place) as watcher:
            await watcher.until(lambda: watcher.knows("stays", "comes"))
            await asyncio.to_thread(place.create, "later")
            await watcher.until(lambda: watcher.knows("stays", "comes", "later"))

        assert watcher.told == ["+stays", "+vanishes", "-vanishes", "+comes", "+later"]
        # A server that has just come up may ask for a moment; what was compacted away is no failure.
        assert [why for _, why in watcher.failures if "(re)initializing" not in why] == []


async def test_a_peer_that_falls_silent_is_left_within_the_limit_and_nothing_is_missed(place: Place) -> None:
    place.create("stays")
    place.create("vanishes")
    async with (
        behind_a_wire(place.plane) as (wire, kubeconfig),
        following(kubeconfig, place, request_timeout=2, silence=3) as watcher,
    ):
        await watcher.until(lambda: watcher.knows("stays", "vanishes"))
        wire.cut()
        watcher.failures.clear()
        await asyncio.to_thread(place.delete, "vanishes")
        await asyncio.to_thread(place.create, "comes")

        # Nothing ends these connections; only our own limits do.
        await watcher.until(lambda: len(watcher.failures) >= 3)
        assert "silent for too long" in watcher.failures[0][1]
        assert watcher.knows("stays", "vanishes")
        wire.mend()

        await watcher.until(lambda: watcher.knows("stays", "comes"))
        assert sorted(watcher.told) == ["+comes", "+stays", "+vanishes", "-vanishes"]


async def answering(status: int, **headers: str) -> web.StreamResponse:
    return web.json_response({"message": "not now"}, status=status, headers=headers)


def failing(moments: list[float], answer: Callable[[], Awaitable[web.StreamResponse]], first: int) -> Any:
    """Return a hook that lets requests through before the `first`, and then answers all of them so."""

    async def before(_: Call) -> web.StreamResponse | None:
        moments.append(time.monotonic())
        return None if len(moments) < first else await answer()

    return before


@pytest.mark.parametrize("status", [500, 503])
@pytest.mark.parametrize("first", [1, 2], ids=["from the list on", "from the watch on"])
async def test_an_api_server_that_answers_errors_is_asked_less_and_less_often(
    place: Place, status: int, first: int
) -> None:
    place.create("there")
    moments: list[float] = []
    async with behind_a_forwarder(place.plane) as (forwarder, kubeconfig):
        forwarder.faults.before = failing(moments, lambda: answering(status), first)
        async with following(kubeconfig, place) as watcher:
            await watcher.until(lambda: len(moments) >= 9)
            assert_backs_off(moments)
            assert all(str(status) in why for _, why in watcher.failures)

            forwarder.faults.before = failing([], lambda: answering(status), first=10**6)
            await watcher.until(lambda: watcher.knows("there"))
            await asyncio.to_thread(place.create, "new")
            await watcher.until(lambda: watcher.knows("there", "new"))


@pytest.mark.parametrize("first", [1, 2], ids=["the list", "the watch"])
async def test_an_api_server_that_says_when_to_come_back_is_left_in_peace_until_then(
    place: Place, first: int
) -> None:
    place.create("there")
    moments: list[float] = []

    async def busy() -> web.StreamResponse:
        return web.json_response({"message": "too many"}, status=429, headers={"Retry-After": "2"})

    async with behind_a_forwarder(place.plane) as (forwarder, kubeconfig):
        forwarder.faults.before = failing(moments, busy, first)
        async with following(kubeconfig, place) as watcher:
            await watcher.until(lambda: len(moments) >= first + 2)
            refused = moments[first - 1 : first + 2]
            assert [later - earlier >= 2 for earlier, later in itertools.pairwise(refused)] == [True, True]

            forwarder.faults.before = failing([], busy, first=10**6)
            await watcher.until(lambda: watcher.knows("there"))


async def test_a_watch_goes_on_where_the_one_before_it_ended_without_a_new_list(place: Place) -> None:
    """The API server ends every watch after a while: that is no fault."""

    def verbs() -> list[str]:
        requests = place.plane.requests()
        return [r.verb for r in requests if r.namespace == place.namespace and r.agent == "watcher"]

    async with following(place.plane.kubeconfig(), place, server_seconds=1) as watcher:
        await watcher.until(lambda: verbs().count("watch") >= 3)
        await asyncio.to_thread(place.create, "new")
        await watcher.until(lambda: watcher.knows("new"))

        assert verbs().count("list") == 1
        assert watcher.failures == []
