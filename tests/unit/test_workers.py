"""What changed becomes whom to look at; no pass, however it ends, ends the loop; probes tell the truth."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry

from previewbot.api import PREVIEW_LABEL, Poke, Preview, new_object
from previewbot.clients.kubernetes.cache import ObjectCache
from previewbot.errors import Conflict, Forbidden, NoAnswer, TryLater, Unauthorized
from previewbot.reconciler import Outcome
from previewbot.runtime.controller import until
from previewbot.runtime.health import Health, Watchdog, application
from previewbot.runtime.informers import required_resources, wait_for_resources
from previewbot.runtime.previews import Previews
from previewbot.runtime.workers import Workers
from tests.support.previews import a_preview

NAME = "gh-812-42"


def an_object(name: str = NAME, *, delivery: str = "1", version: int = 1, **status: Any) -> dict[str, Any]:
    obj = new_object(a_preview(name=name).spec, Poke(delivery_id=delivery))
    obj["metadata"] |= {
        "uid": f"uid-{name}",
        "resourceVersion": str(version),
        "creationTimestamp": "2026-11-24T09:00:00Z",
    }
    return obj | {"status": status}


def a_session(preview: str | None) -> dict[str, Any]:
    labels = {PREVIEW_LABEL: preview} if preview else {}
    return {"metadata": {"name": "s", "namespace": "staging", "labels": labels}}


def a_loop() -> tuple[Workers, CollectorRegistry]:
    metrics = CollectorRegistry()
    return Workers(metrics, Health()), metrics


async def drained(loop: Workers) -> list[str]:
    """Return what waits in the queue, and end the runs."""
    loop.queue.add("the end")
    names = []
    while (name := await asyncio.wait_for(loop.queue.get(), 5)) != "the end":
        names.append(name)
    for name in (*names, "the end"):
        loop.queue.done(name)
    return names


BEFORE = an_object(delivery="1", phase="Ready")
PREVIEW_EVENTS = {
    "one that appears is looked at": (None, BEFORE, [NAME]),
    "one that goes is looked at": (BEFORE, None, [NAME]),
    "a poke is looked at": (BEFORE, an_object(delivery="2", phase="Ready"), [NAME]),
    "a new name of the repository is looked at": (
        BEFORE,
        {**BEFORE, "spec": {**BEFORE["spec"], "repository": "acme/store"}},
        [NAME],
    ),
    "one that is made again is looked at": (
        BEFORE,
        {**BEFORE, "metadata": {**BEFORE["metadata"], "uid": "other"}},
        [NAME],
    ),
    "one that is being deleted is looked at": (
        BEFORE,
        {**BEFORE, "metadata": {**BEFORE["metadata"], "deletionTimestamp": "2026-11-24T09:00:00Z"}},
        [NAME],
    ),
    "our own status is no reason to look": (BEFORE, an_object(delivery="1", phase="Idle"), []),
}


@pytest.mark.parametrize(("before", "after", "expected"), PREVIEW_EVENTS.values(), ids=PREVIEW_EVENTS.keys())
async def test_of_previews(before: Any, after: Any, expected: list[str]) -> None:
    loop, _ = a_loop()
    loop.preview_changed(before, after)

    assert await drained(loop) == expected


def a_route(preview: str | None, leads_to: str, said: str = "") -> dict[str, Any]:
    parents = [{"conditions": [{"type": "Accepted", "status": said}]}] if said else []
    return {**a_session(preview), "spec": {"leads to": leads_to}, "parents": parents}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, a_session(NAME), [NAME]),
        (a_session(NAME), a_session(NAME), [NAME]),
        (a_session(NAME), None, [NAME]),
        (None, a_session(None), []),
    ],
)
async def test_a_session_is_looked_at_by_way_of_its_preview(before: Any, after: Any, expected: Any) -> None:
    loop, _ = a_loop()
    loop.child_changed(before, after)

    assert await drained(loop) == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, a_route(NAME, "staging"), []),
        (a_route(NAME, "staging"), a_route(NAME, "staging"), []),
        (a_route(NAME, "staging"), a_route(NAME, "elsewhere"), [NAME]),
        (a_route(NAME, "staging"), None, [NAME]),
        (a_route(None, "staging"), None, []),
        # What its gateway says of it decides whether there is a link.
        (None, a_route(NAME, "staging", said="True"), [NAME]),
        (a_route(NAME, "staging"), a_route(NAME, "staging", said="False"), [NAME]),
        (a_route(NAME, "staging", said="False"), a_route(NAME, "staging", said="True"), [NAME]),
        (a_route(NAME, "staging", said="True"), a_route(NAME, "staging", said="True"), []),
    ],
)
async def test_a_route_that_goes_leads_elsewhere_or_is_answered_is_looked_at(
    before: Any, after: Any, expected: Any
) -> None:
    loop, _ = a_loop()
    loop.route_changed(before, after)

    assert await drained(loop) == expected


IN_LINE = {"waitingSince": "2026-11-24T09:00:00Z"}
MOVES: dict[str, tuple[dict[str, Any], dict[str, Any] | None]] = {
    "one that held a slot is deleted": ({"slot": {"held": True}}, None),
    "one gives its slot back": ({"slot": {"held": True}}, {"slot": {}}),
    "one that waits is deleted": ({"slot": IN_LINE}, None),
    "one that waits gets its slot": ({"slot": IN_LINE}, {"slot": {**IN_LINE, "held": True}}),
    "one that waits fails": ({"slot": IN_LINE}, {"slot": IN_LINE, "lastError": "GitHub: 403"}),
}


@pytest.mark.parametrize(("before", "after"), MOVES.values(), ids=MOVES.keys())
async def test_when_the_line_for_slots_moves_those_at_its_front_are_looked_at(
    before: Any, after: Any
) -> None:
    loop, _ = a_loop()
    asked: list[list[str]] = []

    def line(freed: Sequence[Preview]) -> list[str]:
        asked.append([preview.name for preview in freed])
        return ["gh-1-2", "gh-1-3"]

    loop.lead(line)
    for name in ("gh-1-1", "gh-1-7"):
        loop.preview_changed(an_object(name, **before), None if after is None else an_object(name, **after))
    await asyncio.sleep(0)

    assert sorted(set(await drained(loop)) - {"gh-1-1", "gh-1-7"}) == ["gh-1-2", "gh-1-3"]
    held = bool(before["slot"].get("held"))
    assert asked == [["gh-1-1", "gh-1-7"] if held else []], "once for all that changes at the same time"


async def test_whoever_does_not_lead_asks_nobody_and_whoever_begins_to_wait_moves_nothing() -> None:
    loop, _ = a_loop()
    loop.preview_changed(an_object(slot={"held": True}), an_object(slot={}))
    await asyncio.sleep(0)
    loop.lead(lambda freed: ["gh-1-2"])
    loop.preview_changed(an_object(slot={}), an_object(slot=IN_LINE))
    await asyncio.sleep(0)

    assert await drained(loop) == []


GROWS: dict[str, tuple[Any, Any]] = {
    "one begins to wait": ({"slot": {}}, {"slot": IN_LINE}),
    "one that failed waits again": ({"slot": IN_LINE, "lastError": "GitHub: 403"}, {"slot": IN_LINE}),
    "one that slept wakes": ({"phase": "Idle"}, {"phase": "Ready"}),
    "one that slept is gone": ({"phase": "Idle"}, None),
}


@pytest.mark.parametrize(("before", "after"), GROWS.values(), ids=GROWS.keys())
async def test_whoever_sleeps_is_looked_at_when_it_may_have_to_make_room(before: Any, after: Any) -> None:
    loop, _ = a_loop()
    asked: list[int] = []

    def giving_way() -> list[str]:
        asked.append(1)
        return ["gh-1-5"]

    for name in ("gh-1-1", "gh-1-7"):
        loop.lead(lambda freed: [], giving_way)
        loop.preview_changed(an_object(name, **before), None if after is None else an_object(name, **after))
    await asyncio.sleep(0)

    assert set(await drained(loop)) - {"gh-1-1", "gh-1-7"} == {"gh-1-5"}
    assert asked == [1], "once for all that changes at the same time"


class Passes:
    """A reconciler whose passes end as a test says; the last one again and again."""

    def __init__(self, *ends: Outcome | BaseException) -> None:
        self.ends = list(ends)
        self.passes: list[tuple[str, float]] = []

    async def reconcile(self, name: str) -> Outcome:
        self.passes.append((name, asyncio.get_running_loop().time()))
        end = self.ends.pop(0) if len(self.ends) > 1 else self.ends[0]
        if isinstance(end, BaseException):
            raise end
        return end


@asynccontextmanager
async def working(passes: Any, workers: int = 1) -> AsyncIterator[tuple[Workers, CollectorRegistry]]:
    loop, metrics = a_loop()
    tasks = [asyncio.create_task(loop.work(passes, number)) for number in range(workers)]
    try:
        yield loop, metrics
        assert not any(task.done() for task in tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def eventually(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.005)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(Conflict("put"), "error"), (TryLater("get"), "error"), (KeyError("bug"), "bug")],
    ids=["a conflict", "a passing fault", "a bug"],
)
async def test_a_pass_that_fails_is_made_again_after_a_backoff(
    error: Exception, outcome: str, caplog: pytest.LogCaptureFixture
) -> None:
    passes = Passes(error, Outcome())
    async with working(passes) as (loop, metrics):
        loop.queue.add(NAME)
        await eventually(lambda: len(passes.passes) == 2)

        (_, first), (_, second) = passes.passes
        assert 0.4 <= second - first <= 5
        await eventually(lambda: metrics.get_sample_value("previewbot_passes_total", {"outcome": "ok"}) == 1)
        assert metrics.get_sample_value("previewbot_passes_total", {"outcome": outcome}) == 1
        assert metrics.get_sample_value("previewbot_pass_seconds_count") == 2
    assert any(bool(record.exc_info) == (outcome == "bug") for record in caplog.records)


async def test_what_the_service_asks_us_to_wait_is_waited() -> None:
    passes = Passes(TryLater("get", after=1.2), Outcome())
    async with working(passes) as (loop, _):
        loop.queue.add(NAME)
        await eventually(lambda: len(passes.passes) == 2)

    assert passes.passes[1][1] - passes.passes[0][1] >= 1.2


async def test_a_pass_says_itself_when_to_look_again() -> None:
    passes = Passes(Outcome(requeue_after=0.05), Outcome(requeue_after=0.05), Outcome(requeue_after=None))
    async with working(passes) as (loop, _):
        loop.queue.add(NAME)
        await eventually(lambda: len(passes.passes) == 3)
        await asyncio.sleep(0.2)

        assert len(passes.passes) == 3


class Overlaps:
    """A reconciler that notes whether two passes over one name ever overlap."""

    def __init__(self) -> None:
        self.now: list[str] = []
        self.overlapped = False
        self.most = 0
        self.done = 0

    async def reconcile(self, name: str) -> Outcome:
        self.overlapped |= name in self.now
        self.now.append(name)
        self.most = max(self.most, len(self.now))
        await asyncio.sleep(0.01)
        self.now.remove(name)
        self.done += 1
        return Outcome()


async def test_different_names_run_at_the_same_time_and_the_same_name_never() -> None:
    passes = Overlaps()
    async with working(passes, workers=4) as (loop, metrics):
        for _ in range(20):
            for name in ("gh-1-1", "gh-1-2", "gh-1-3"):
                loop.queue.add(name)
            await asyncio.sleep(0.004)
        await eventually(lambda: metrics.get_sample_value("previewbot_queue_depth") == 0 and not passes.now)

    assert not passes.overlapped
    assert passes.most == 3
    assert passes.done >= 6


@pytest.mark.parametrize("turns", range(5))
async def test_a_worker_that_is_cancelled_while_it_is_handed_a_name_ends(turns: int) -> None:
    loop, _ = a_loop()
    worker = asyncio.create_task(loop.work(Passes(Outcome()), 0))
    await asyncio.sleep(0.01)
    loop.queue.add(NAME)
    for _ in range(turns):
        await asyncio.sleep(0)
    worker.cancel()

    done, _ = await asyncio.wait({worker}, timeout=5)
    still_there = not done
    worker.cancel()
    await asyncio.wait({worker}, timeout=5)
    assert not still_there


def test_a_preview_that_cannot_be_read_is_left_out_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    store = ObjectCache(lambda before, after: None)
    store.put(an_object("gh-1-1", phase="Ready"))
    store.put(an_object("gh-1-2", phase="OfALaterVersion"))
    previews = Previews(store)

    assert [preview.name for preview in previews()] == ["gh-1-1"]
    assert previews() is previews(), "what did not change is not read again"
    assert len(caplog.records) == 1
    store.put(an_object("gh-1-2", phase="Ready", version=2))
    assert len(previews()) == 2


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_the_probes_say_what_is_missing_and_what_stands_still() -> None:
    clock = Clock()
    health = Health(monotonic=clock)
    metrics = CollectorRegistry()
    Workers(metrics, health)
    async with TestClient(TestServer(application(health, metrics))) as probe:

        async def answer(path: str) -> tuple[int, str]:
            async with probe.get(path) as response:
                return response.status, await response.text()

        assert await answer("/readyz") == (503, "starting")
        health.missing = "the cluster lacks previews.previewbot.dev (v1alpha1)"
        assert await answer("/readyz") == (503, health.missing)
        health.failed("watching pods in staging", Forbidden("list pods", status=403, message="no"))
        words = f"{health.missing}; watching pods in staging: list pods: 403 no"
        assert await answer("/readyz") == (503, words)
        health.forget("watching")
        health.missing = ""
        assert await answer("/readyz") == (200, "ok")
        health.note_progress("worker 3")
        clock.now = 299
        health.note_progress("following Previews")
        assert await answer("/healthz") == (200, "ok")
        clock.now = 301
        assert await answer("/healthz") == (503, "no progress: worker 3")
        status, text = await answer("/metrics")
        assert status == 200
        assert "previewbot_queue_depth 0.0" in text


@pytest.mark.parametrize(
    ("error", "stalls"),
    [
        (TryLater("list", status=503), False),
        (TryLater("list", message="ClientConnectorError"), False),
        (Forbidden("list", status=403), False),
        (Unauthorized("list", status=401), True),
        (NoAnswer("list", message="no answer in time"), True),
        (TimeoutError(), True),
    ],
)
def test_only_a_server_that_says_nothing_or_knows_us_no_more_lets_a_process_stall(
    error: Exception, stalls: bool
) -> None:
    clock = Clock()
    health = Health(monotonic=clock, limit=300, missing="")
    health.note_progress("following pods")
    for clock.now in (0, 150, 299):
        health.failed("following pods", error)
    assert (health.stalled_parts(), "following pods: " in health.not_ready()) == ([], True)

    clock.now = 301
    assert health.stalled_parts() == (["following pods"] if stalls else [])

    health.note_progress("following pods")
    assert (health.stalled_parts(), health.not_ready()) == ([], "")


def test_the_watchdog_acts_when_nobody_ticks_and_only_then() -> None:
    deaths: list[float] = []
    watchdog = Watchdog(0.4, die=lambda: deaths.append(time.monotonic()))
    watchdog.start()
    for _ in range(8):
        watchdog.tick()
        time.sleep(0.1)
    assert deaths == []
    watchdog.join(10)

    assert len(deaths) == 1


class Cluster:
    """A cluster that gets what it lacks bit by bit."""

    def __init__(self, *answers: list[str] | Exception) -> None:
        self.answers = list(answers)

    async def missing_resources(self, _: Any) -> list[str]:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def test_what_the_cluster_lacks_is_said_until_it_is_there(caplog: pytest.LogCaptureFixture) -> None:
    cluster: Any = Cluster(TryLater("discovery"), ["previews.previewbot.dev (v1alpha1)"], [])
    health = Health()
    await wait_for_resources([], cluster, health, backoff=(0.01, 0.02))

    said = [vars(record)["missing"] for record in caplog.records]
    assert "does not say" in said[0]
    assert said[1] == health.missing == "the cluster lacks previews.previewbot.dev (v1alpha1)"


@pytest.mark.parametrize(("gateway", "plurals"), [(True, 3), (False, 2)])
def test_routes_are_wanted_only_with_a_gateway(gateway: bool, plurals: int) -> None:
    class Links:
        pass

    settings: Any = Links()
    settings.links = Links()
    settings.links.gateway = Links() if gateway else None

    assert len(required_resources(settings)) == plurals


async def test_told_to_stop_the_work_is_cancelled_and_the_end_is_clean() -> None:
    stop, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    asyncio.get_running_loop().call_later(0.05, stop.set)

    assert await until(stop, work()) == 0
    assert ended.is_set()


async def test_work_that_ends_by_itself_is_a_failure_that_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def work() -> None:
        raise RuntimeError("a bug")

    with caplog.at_level(logging.ERROR):
        assert await until(asyncio.Event(), work()) == 1
    assert "a bug" in caplog.text
