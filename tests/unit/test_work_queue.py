"""The work queue: one worker per key, adds coalesce, errors back off."""

from __future__ import annotations

import asyncio

from prometheus_client import CollectorRegistry

from previewbot.runtime.queue import WorkQueue


def queue() -> WorkQueue[str]:
    return WorkQueue(CollectorRegistry())


async def test_adds_before_a_run_are_one_run() -> None:
    work = queue()
    for _ in range(5):
        work.add("a")

    assert await work.get() == "a"
    work.done("a")
    work.add("b")
    assert await work.get() == "b"


async def test_adds_during_a_run_are_one_more_run_and_never_a_second_worker() -> None:
    work = queue()
    work.add("a")
    await work.get()
    work.add("a")
    work.add("a")
    work.add("b")

    assert await work.get() == "b"
    work.done("a")
    assert await work.get() == "a"
    work.done("a")
    work.add("c")
    assert await work.get() == "c"


async def test_the_earlier_of_two_times_counts_and_an_add_makes_both_moot() -> None:
    work = queue()
    work.add_after("a", 3600)
    work.add_after("a", 0)

    assert await asyncio.wait_for(work.get(), 5) == "a"
    work.add_after("a", 3600)
    work.add("a")
    work.done("a")
    assert await asyncio.wait_for(work.get(), 5) == "a"


async def test_failures_back_off_twice_as_long_each_time_up_to_five_minutes_and_success_forgets_them() -> (
    None
):
    work = queue()
    waits = [work.failed("a") for _ in range(12)]

    assert 0.5 <= waits[0] <= 1.0
    assert waits[3] > waits[0]
    assert all(wait <= 300 for wait in waits)
    assert work.failed("a", at_least=900) >= 900
    work.succeeded("a")
    assert work.failed("a") <= 1.0
