"""A preview that sleeps makes room for one that waits: whatever happens in between, and wherever it dies."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from previewbot.api import Phase, Reason
from previewbot.engine.operator import Answer, OperatorSeen
from previewbot.errors import TryLater
from previewbot.rules.eviction import RESTED
from tests.support.branching import ORDERS, QUEUE, USERS, Parts
from tests.support.branching import parts as parts
from tests.support.fault_points import Fault, NotSo, Point
from tests.support.lives_in_process import Killed, Saboteur
from tests.support.many_passes import OneOfMany, at_once, holding, many_worlds
from tests.support.passes import A, B

EVICT = {"limits": {"previews": 1, "evict": "idle"}}
MADE_ROOM = "The preview made room for another"
DATA_LOST = "Its own copies of databases are gone, with what was entered in them."


async def one_sleeps(
    authors: Sequence[int] = (1, 2), previews: int = 1, evict: str = "idle"
) -> list[OneOfMany]:
    """Return pull requests of which the first `previews` have slots and sleep; nobody else was looked at."""
    many = many_worlds(authors, limits={"previews": previews, "evict": evict})
    first = many[:previews]
    await at_once(first)
    assert [world.status.phase for world in first] == [Phase.READY] * previews
    for world in first:
        world.cluster.session_becomes("Idle")
    await at_once(first, passes=2)
    assert [world.status.reason for world in first] == [Reason.ASLEEP] * previews
    return many


def later(many: Sequence[OneOfMany], by: timedelta = RESTED + timedelta(minutes=1)) -> None:
    """Let so much time go by for all of them."""
    for world in many:
        world.clock.now += by


async def test_what_sleeps_makes_room_for_one_that_waits_and_says_so() -> None:
    sleeps, waits = many = await one_sleeps()
    await waits.run()
    assert waits.status.phase is Phase.QUEUED

    later(many)
    await at_once(many, passes=8)

    assert (sleeps.status.phase, sleeps.status.reason) == (Phase.STOPPED, Reason.GAVE_WAY)
    assert (waits.status.phase, waits.serving) == (Phase.READY, [A])
    assert holding(many) == [2]
    assert not sleeps.cluster.sessions
    assert MADE_ROOM in sleeps.comment
    assert "/preview start" in sleeps.comment
    assert DATA_LOST not in sleeps.comment
    assert sleeps.cluster.leads_to() == "page"


async def test_it_has_ten_minutes_in_which_it_may_be_opened_yet() -> None:
    sleeps, waits = many = await one_sleeps()
    later(many, RESTED - timedelta(minutes=2))
    await at_once(many, passes=4)

    assert sleeps.status.phase is Phase.IDLE
    assert waits.status.phase is Phase.QUEUED
    # Nothing else would have it looked at when these are over.
    assert sleeps.outcome.requeue_after is not None
    assert 60 < sleeps.outcome.requeue_after < 180


async def test_without_the_setting_it_sleeps_on() -> None:
    many = await one_sleeps(evict="never")
    later(many, timedelta(hours=3))
    await at_once(many, passes=4)

    assert [world.status.phase for world in many] == [Phase.IDLE, Phase.QUEUED]
    # Until its time is up nothing is to be looked at.
    assert many[0].outcome.requeue_after is not None
    assert many[0].outcome.requeue_after > timedelta(hours=4).total_seconds()


async def test_of_two_that_sleep_only_one_goes_for_one_that_waits() -> None:
    many = await one_sleeps((1, 2, 3), previews=2)
    await many[2].run()
    later(many)
    # Both are looked at in the same moment, and each finds itself to be asleep.
    await at_once(many, passes=8)

    assert sorted(holding(many)) == [2, 3]
    assert [world.status.reason for world in many] == [Reason.GAVE_WAY, Reason.ASLEEP, Reason.ALL_READY]


async def test_somebody_who_opens_it_at_the_last_moment_keeps_it() -> None:
    sleeps, waits = many = await one_sleeps()
    await waits.run()
    later(many)
    # mirrord wakes it; what is stored says yet that it sleeps.
    sleeps.cluster.session_becomes("Waiting")
    await sleeps.run()
    assert sleeps.status.lifecycle.ended is None
    sleeps.cluster.session_becomes("Ready")
    await at_once(many, passes=3)

    assert [world.status.phase for world in many] == [Phase.READY, Phase.QUEUED]


async def test_it_stays_if_nobody_waits_any_more_in_the_moment_in_which_it_would_go() -> None:
    sleeps, waits = many = await one_sleeps()
    await waits.run()
    later(many)
    # Between the question whether it makes room, and the write: another may have done so first, or this.
    sleeps.calls.watch("pull request", lambda: setattr(waits.cluster, "preview", None))
    await sleeps.run()

    assert waits.cluster.preview is None
    assert sleeps.status.lifecycle.ended is None
    assert sleeps.status.reason is Reason.ASLEEP


async def test_whoever_asks_for_something_is_not_answered_by_its_end() -> None:
    sleeps, waits = many = await one_sleeps()
    await waits.run()
    later(many)
    sleeps.say("/preview status")
    await sleeps.run()
    assert sleeps.status.lifecycle.ended is None

    # Nothing else would have it looked at again.
    while sleeps.outcome.requeue_after is not None and sleeps.status.lifecycle.ended is None:
        assert sleeps.outcome.requeue_after <= 60
        sleeps.clock.forward(seconds=sleeps.outcome.requeue_after)
        await sleeps.run()
    assert sleeps.status.lifecycle.ended is not None


async def test_it_stays_while_whoever_waits_could_not_begin() -> None:
    sleeps, waits = many = await one_sleeps()
    await waits.run()
    later(many)
    sleeps.operator = OperatorSeen(Answer.MISSING)
    await sleeps.run()
    assert sleeps.status.lifecycle.ended is None
    assert sleeps.outcome.requeue_after is not None
    assert sleeps.outcome.requeue_after <= 60

    sleeps.operator = OperatorSeen()
    sleeps.poke()
    sleeps.fail_github(TryLater("GitHub: 502", status=502, message="away"))
    await sleeps.run()
    assert sleeps.status.lifecycle.ended is None


async def test_what_it_had_of_databases_goes_after_it_and_only_then_its_slot(parts: Parts) -> None:
    parts.have("checkout", ORDERS, USERS, queues=(QUEUE,))
    sleeps, waits = many = await one_sleeps()
    assert set(sleeps.cluster.branches) == {"orders", "users"}
    await waits.run()
    later(many)
    for _ in range(16):
        await at_once(many, passes=1)
        # Who waits begins when all is gone; and no session is without the copy that it stands on.
        assert not (sleeps.cluster.branches and waits.cluster.sessions)
        assert not (sleeps.cluster.sessions and len(sleeps.cluster.branches) < 2)

    assert (sleeps.status.reason, sleeps.cluster.branches, sleeps.cluster.sessions) == (
        Reason.GAVE_WAY,
        {},
        {},
    )
    assert (holding(many), waits.serving) == ([2], [A])
    assert DATA_LOST in sleeps.comment


async def test_a_push_and_a_command_bring_it_back_in_its_turn() -> None:
    sleeps, waits = many = await one_sleeps()
    await waits.run()
    later(many)
    await at_once(many, passes=8)
    sleeps.push(B)
    await at_once(many, passes=4)
    assert (sleeps.status.phase, sleeps.status.lifecycle.ended) == (Phase.QUEUED, None)

    waits.close()
    await at_once(many, passes=8)
    assert sleeps.serving == [B]


async def test_without_a_push_it_does_not_come_back_by_itself() -> None:
    sleeps, waits = many = await one_sleeps()
    await waits.run()
    later(many)
    await at_once(many, passes=8)
    waits.close()
    sleeps.poke()
    await at_once(many, passes=8)
    assert sleeps.status.reason is Reason.GAVE_WAY

    sleeps.say("/preview start")
    await at_once(many, passes=6)
    assert sleeps.serving == [A]


_EACH = {"some": pytest.param(4), "all": pytest.param(1, marks=pytest.mark.long)}


@pytest.mark.parametrize("each", _EACH.values(), ids=_EACH.keys())
@pytest.mark.parametrize("fault", Fault, ids=str)
async def test_a_fault_at_any_request_of_it_ends_one_and_starts_the_other(fault: Fault, each: int) -> None:
    undisturbed, seen = await _make_room(0, fault)
    assert len(undisturbed) > 5

    first = list(Fault).index(fault) + 1 if each > 1 else 1
    for number in range(first, len(undisturbed) + 1, each):
        requests, now = await _make_room(number, fault)
        assert now == seen, f"{fault} at {number} ({requests[number - 1]})"


async def _make_room(number: int, fault: Fault) -> tuple[list[str], tuple[object, ...]]:
    """Let one make room for another, with a fault at a request of its own; return what is left."""
    sleeps, waits = many = await one_sleeps()
    await waits.run()
    later(many)
    saboteur = Saboteur(sleeps, Point(number, fault))
    for _ in range(16):
        for world in many:
            try:
                await world.run()
            except Killed:
                world.restart()
            if not sleeps.cluster.sessions and sleeps.cluster.leads_to() == "staging":
                raise NotSo("the link leads to plain staging")
            if sleeps.cluster.sessions and waits.cluster.sessions:
                raise NotSo("two run in one slot")
            world.clock.forward(seconds=5)
    told = [body for body in sleeps.github.own_comments() if MADE_ROOM in body]
    stands = [(world.status.reason, world.serving, world.status.slot.held) for world in many]
    return saboteur.requests, (stands, len(told), len(sleeps.github.own_comments()))
