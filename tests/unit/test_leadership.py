"""The election: one holder at a time by everybody's own clock, whatever is lost, late, frozen or taken."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from previewbot.errors import Conflict, LeaseLost, TryLater
from previewbot.runtime.leadership import DURATION_SECONDS, Clock, Leadership, LeaseTaken

Object = dict[str, Any]


class Time:
    """Everybody's monotonic clock; only waiting moves it."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def clock(self) -> Clock:
        return Clock(now=lambda: datetime(2026, 3, 1, tzinfo=UTC), monotonic=lambda: self.seconds)


class Server:
    """One Lease with compare-and-swap; `fails` and `loses_answer` are switches for faults."""

    def __init__(self) -> None:
        self.lease: Object | None = None
        self.version = 0
        self.fails = False
        self.loses_answer = False
        self.on_write: Callable[[], Awaitable[None]] | None = None

    async def get_lease(self, namespace: str, name: str) -> Object | None:
        self._fail()
        return copy.deepcopy(self.lease)

    async def create_lease(self, manifest: Any) -> Object:
        if self.lease is not None:
            raise Conflict("create lease", status=409)
        return await self._store(manifest)

    async def replace_lease(self, manifest: Any) -> Object:
        assert self.lease is not None
        if manifest["metadata"]["resourceVersion"] != self.lease["metadata"]["resourceVersion"]:
            raise Conflict("replace lease", status=409)
        return await self._store(manifest)

    async def _store(self, manifest: Any) -> Object:
        self._fail()
        self.version += 1
        stored = copy.deepcopy(dict(manifest))
        stored["metadata"]["resourceVersion"] = str(self.version)
        self.lease = stored
        if self.on_write is not None:
            await self.on_write()
        if self.loses_answer:
            self.loses_answer = False
            raise TryLater("replace lease", message="no answer")
        return copy.deepcopy(stored)

    def _fail(self) -> None:
        if self.fails:
            raise TryLater("lease", status=500)

    @property
    def holder(self) -> str:
        return str(((self.lease or {}).get("spec") or {}).get("holderIdentity"))


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture(autouse=True)
def waiting_moves_the_clock(time: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    real = asyncio.sleep

    async def sleep(seconds: float) -> None:
        time.seconds += seconds
        await real(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)


def a_replica(server: Server, time: Time, identity: str, **told: Any) -> Leadership:
    return Leadership(server, "previewbot", "previewbot-controller", identity, clock=time.clock(), **told)


async def test_the_first_to_come_leads_and_the_lease_says_so(server: Server, time: Time) -> None:
    first = a_replica(server, time, "first")
    with pytest.raises(LeaseLost):
        first.check()

    await first.acquire()

    first.check()
    assert server.lease is not None
    assert server.lease["metadata"] == {
        "name": "previewbot-controller",
        "namespace": "previewbot",
        "resourceVersion": "1",
    }
    assert server.lease["spec"] == {
        "holderIdentity": "first",
        "leaseDurationSeconds": DURATION_SECONDS,
        "acquireTime": "2026-03-01T00:00:00.000000Z",
        "renewTime": "2026-03-01T00:00:00.000000Z",
        "leaseTransitions": 1,
    }


async def test_a_holder_may_act_only_until_well_before_the_lease_ends(server: Server, time: Time) -> None:
    first = a_replica(server, time, "first")
    await first.acquire()

    time.seconds += DURATION_SECONDS - 2.5
    first.check()
    time.seconds += 1
    with pytest.raises(LeaseLost, match="does not hold"):
        first.check()


async def test_another_waits_a_whole_duration_from_when_it_last_saw_a_change(
    server: Server, time: Time
) -> None:
    await a_replica(server, time, "dead").acquire()
    second = a_replica(server, time, "second")
    began = time.seconds

    await second.acquire()

    assert DURATION_SECONDS <= time.seconds - began < DURATION_SECONDS + 5
    assert server.holder == "second"
    assert server.lease is not None
    assert server.lease["spec"]["leaseTransitions"] == 2


async def test_a_holder_that_renews_is_never_followed(server: Server, time: Time) -> None:
    first, second = a_replica(server, time, "first"), a_replica(server, time, "second")
    await first.acquire()
    holding = asyncio.create_task(first.hold())
    waiting = asyncio.create_task(second.acquire())

    for _ in range(300):
        await asyncio.sleep(0.05)

    assert not waiting.done()
    assert first.leading and not second.leading
    for task in (holding, waiting):
        task.cancel()
    await asyncio.gather(holding, waiting, return_exceptions=True)


async def test_a_lease_is_given_back_although_the_end_came_in_the_middle_of_a_renewal(
    server: Server, time: Time
) -> None:
    first = a_replica(server, time, "first")
    await first.acquire()
    stored = asyncio.Event()

    async def never_answered() -> None:
        stored.set()
        await asyncio.Event().wait()

    server.on_write = never_answered
    holding = asyncio.create_task(first.hold())
    await stored.wait()
    holding.cancel()
    await asyncio.wait([holding])
    server.on_write = None
    await first.release()

    assert server.holder == ""


async def test_a_lease_that_somebody_else_took_is_not_given_back_for_them(server: Server, time: Time) -> None:
    first, second = a_replica(server, time, "first"), a_replica(server, time, "second")
    await first.acquire()
    assert server.lease is not None
    server.lease["spec"]["holderIdentity"] = ""
    await second.acquire()
    await first.release()

    assert server.holder == "second"


async def test_a_released_lease_is_free_at_once(server: Server, time: Time) -> None:
    first, second = a_replica(server, time, "first"), a_replica(server, time, "second")
    await first.acquire()

    await first.release()
    assert server.holder == ""
    began = time.seconds
    await second.acquire()

    assert time.seconds == began
    assert not first.leading


async def test_a_restarted_replica_of_the_same_name_goes_on_at_once(server: Server, time: Time) -> None:
    await a_replica(server, time, "pod-a").acquire()
    began = time.seconds

    await a_replica(server, time, "pod-a").acquire()

    assert time.seconds == began


async def test_one_that_was_frozen_may_not_act_when_it_wakes_up(server: Server, time: Time) -> None:
    frozen, second = a_replica(server, time, "frozen"), a_replica(server, time, "second")
    await frozen.acquire()
    await second.acquire()  # the clock moves past the Lease while the first does nothing

    with pytest.raises(LeaseLost):
        frozen.check()
    with pytest.raises(LeaseLost):
        await frozen.hold()
    assert server.holder == "second"


async def test_one_that_freezes_while_it_acquires_does_not_believe_it_leads(
    server: Server, time: Time
) -> None:
    async def freeze() -> None:
        server.on_write = None
        time.seconds += 3600

    server.on_write = freeze
    first = a_replica(server, time, "first")

    await first.acquire()

    assert server.version == 2  # the first try came back too late to count
    assert first.leading


async def test_a_lost_answer_of_our_own_renewal_does_not_end_us(server: Server, time: Time) -> None:
    first = a_replica(server, time, "first")
    await first.acquire()
    server.loses_answer = True
    holding = asyncio.create_task(first.hold())

    for _ in range(100):
        await asyncio.sleep(0.05)

    assert first.leading and not holding.done()
    holding.cancel()
    await asyncio.gather(holding, return_exceptions=True)


async def test_one_whose_lease_was_taken_says_by_whom(server: Server, time: Time) -> None:
    first = a_replica(server, time, "first")
    await first.acquire()
    assert server.lease is not None
    server.lease["spec"]["holderIdentity"] = "second"
    server.lease["metadata"]["resourceVersion"] = "99"

    with pytest.raises(LeaseTaken, match="second"):
        await first.hold()
    assert not first.leading


async def test_without_an_answer_it_ends_when_the_lease_does_and_says_why(server: Server, time: Time) -> None:
    said: list[str] = []
    first = a_replica(server, time, "first", failed=lambda error: said.append(str(error)))
    await first.acquire()
    server.fails = True
    began = time.seconds

    with pytest.raises(LeaseLost):
        await first.hold()

    assert time.seconds - began < DURATION_SECONDS
    assert said and "500" in said[0]


async def test_an_api_server_that_is_away_is_waited_for(server: Server, time: Time) -> None:
    said: list[str] = []
    server.fails = True
    first = a_replica(
        server,
        time,
        "first",
        failed=lambda error: said.append(str(error)),
        looked=lambda: said.append("looked"),
    )
    acquiring = asyncio.create_task(first.acquire())
    for _ in range(20):
        await asyncio.sleep(0.1)
    assert not acquiring.done()

    server.fails = False
    await acquiring

    assert said[-1] == "looked" and "500" in said[0]


async def test_of_two_that_try_at_once_one_leads(server: Server, time: Time) -> None:
    replicas = [a_replica(server, time, name) for name in ("a", "b", "c")]
    acquiring = [asyncio.create_task(replica.acquire()) for replica in replicas]

    await asyncio.wait(acquiring, return_when=asyncio.FIRST_COMPLETED)

    assert sum(replica.leading for replica in replicas) == 1
    for task in acquiring:
        task.cancel()
    await asyncio.gather(*acquiring, return_exceptions=True)
