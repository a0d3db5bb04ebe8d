"""Thousands of pull requests that wait for a slot: each asks in each of its passes who is before it, and each
slot that is given back wakes somebody. Were the line ranked for each question, and all woken each time, the
controller would do nothing else any more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from previewbot.api import Preview, SlotBound
from previewbot.api.slot import COUNTED
from previewbot.rules import slot_queue
from previewbot.rules.slot_limits import SlotLimits
from previewbot.rules.slot_line import Line
from previewbot.rules.slots import Slots
from previewbot.runtime.health import Health
from previewbot.runtime.workers import Workers
from tests.support.passes import World
from tests.support.slots import after, always, holder, slot_for, waiter

FLOOD = 1_000


@pytest.fixture
def ranked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Count how often a line is ranked."""
    made: list[Any] = []

    class Counted(Line):
        def __init__(self, *args: Any) -> None:
            made.append(args[-1])
            super().__init__(*args)

    monkeypatch.setattr(slot_queue, "Line", Counted)
    return made


def a_flood() -> list[Preview]:
    """Return one that holds a slot, and a thousand that wait, of as many repositories and authors."""
    return [
        holder("gh-1-1", author=1),
        *(waiter(f"gh-{1_000 + n}-1", since=n / 100, author=n) for n in range(2, FLOOD)),
    ]


def test_the_line_is_ranked_once_however_many_ask(ranked: list[Any]) -> None:
    everybody, slots = tuple(a_flood()), Slots(always(previews=1))
    for one in everybody:
        slots.grant(one, everybody, after(60))

    assert len(ranked) == 1


async def test_passes_of_one_that_waits_behind_a_thousand_do_not_rank_the_line_again(
    ranked: list[Any],
) -> None:
    world = World(limits={"previews": 1})
    world.clock.now = after(60)
    world.others = a_flood()
    await world.settle(6, seconds=0)
    assert world.status.slot.far_back
    ranked.clear()
    await world.settle(20, seconds=0)

    assert ranked == []


async def test_a_change_that_is_no_affair_of_the_line_does_not_rank_it_again(ranked: list[Any]) -> None:
    slots, everybody = Slots(always(previews=1)), a_flood()
    me = everybody[-1]
    slots.grant(me, everybody, after(60))
    for n in range(50):
        running = waiter(f"gh-2-{n}", last_error="its repository is gone")
        slots.grant(me, [*everybody, running], after(60))

    assert len(ranked) == 1


async def test_a_slot_that_is_given_back_wakes_the_front_of_the_line_and_not_all() -> None:
    everybody = a_flood()
    slots = Slots(always(previews=1))
    loop = Workers(CollectorRegistry(), Health())
    loop.lead(lambda freed: slots.first_in_line(everybody[1:], after(60)))
    held = {"metadata": {"name": "gh-1-1"}, "status": {"slot": {"held": True}}}
    loop.preview_changed(held, None)
    woken = await drained(loop)

    assert "gh-1002-1" in woken, "whose turn it is"
    assert len(woken) < 3 * COUNTED


def test_slots_given_back_at_the_same_time_wake_those_of_each_installation() -> None:
    def of(app_id: int, one: Preview) -> Preview:
        return replace(one, spec=replace(one.spec, app_id=app_id))

    freed = [of(app_id, holder(f"gh-{app_id}-1")) for app_id in (1, 2)]
    # Their repository may hold no more, so that nobody is told a position.
    left = [of(app_id, each) for app_id in (1, 2) for each in (holder("gh-1-2"), waiter("gh-1-3"))]
    left = [replace(each, name=f"gh-{each.spec.app_id}-{each.name[-1]}") for each in left]
    woken = Slots(always(previews=9, repository=1)).first_in_line(left, after(60), iter(freed))

    assert woken == {"gh-1-3", "gh-2-3"}


async def test_a_slot_given_back_by_what_cannot_be_read_wakes_the_front_all_the_same() -> None:
    told: list[Any] = []
    loop = Workers(CollectorRegistry(), Health())
    loop.lead(lambda freed: told.extend(freed) or {"gh-1-2"})  # type: ignore[func-returns-value]
    loop.preview_changed({"metadata": {"name": "gh-1-1"}, "status": {"slot": {"held": True}}}, None)

    assert "gh-1-2" in await drained(loop)
    assert told == []


async def drained(loop: Workers) -> set[str]:
    """Return what is queued, once the line was asked."""
    await asyncio.sleep(0)
    loop.queue.add("the end")
    names: set[str] = set()
    while (name := await asyncio.wait_for(loop.queue.get(), 5)) != "the end":
        names.add(name)
    return names


def people(random: Random, count: int) -> list[Preview]:
    """Return some that hold slots, and more that wait."""
    made: list[Preview] = []
    for n in range(count):
        make: Callable[..., Preview] = random.choice([holder, waiter, waiter, waiter])
        of = {"author": random.randint(1, 6), "agent": random.choice(["", "Claude"])}
        made.append(make(f"gh-{random.randint(1, 4)}-{n}", since=random.randint(0, 50), **of))
    return made


def some_limits(random: Random) -> Callable[[Preview], SlotLimits]:
    """Return limits, of which some are none."""
    kinds = ("repository", "author", "author_here", "agent", "agent_here")
    bounds = {kind: random.randint(1, 6) for kind in kinds if random.random() < 0.5}
    return always(previews=random.randint(0, 20), **bounds)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_what_is_kept_of_the_line_answers_as_one_that_is_ranked_anew(seed: int) -> None:
    random = Random(seed)
    limits_of = some_limits(random)
    slots, everybody = Slots(limits_of), people(random, 40)
    for n in range(6):
        for me in (*random.sample(everybody, 5), waiter(f"gh-1-{500 + n}", since=90)):
            assert slots.grant(me, everybody, after(60)) == slot_for(me, everybody, limits_of, after(60))
        everybody[random.randrange(40)] = people(random, 100 + n)[-1]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_nobody_misses_a_slot_or_goes_on_being_told_what_is_not_true(seed: int) -> None:
    random = Random(seed)
    limits_of, everybody = some_limits(random), people(random, 80)
    holding = [one for one in everybody if one.status.slot.held] or [holder("gh-1-999")]
    freed = random.choice(holding)
    left = [one for one in everybody if one is not freed]
    woken = Slots(limits_of).first_in_line(left, after(60), [freed])
    for one in left:
        if one.status.slot.held:
            continue
        before, now = (slot_for(one, those, limits_of, after(60)) for those in (everybody, left))
        told = 0 < now.position <= COUNTED
        told_of = now.bound is before.bound is not SlotBound.PREVIEWS and now.holders != before.holders
        if now.granted or told or (told_of and now.position <= COUNTED):
            assert one.name in woken
