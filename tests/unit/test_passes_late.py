"""What GitHub shows late is obeyed once it is shown, however far apart the clocks are."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from previewbot.api import Poke, Reason, Requests, Unseen
from previewbot.api.github import Account
from previewbot.reconciler.plan import late
from tests.support.passes import ANN, World, ready
from tests.support.previews import NOW

MALLORY = Account(666, "mallory")


def is_stopped(world: World) -> bool:
    ended = world.status.lifecycle.ended
    return ended is not None and ended.reason is Reason.BY_COMMAND


async def shown_late(
    ahead: float, delay: float, checks: float, *, listed_at_last: bool = True, more: int = 0
) -> World:
    """Let a comment be shown so many seconds after its webhook, with other webhooks in between.

    GitHub's clock is so many seconds `ahead` of ours; `checks` are the seconds between those webhooks.
    """
    world = World()
    world.github.ahead = timedelta(seconds=ahead)
    world.github.updated_at = world.github.time_at(world.clock.now)
    world = await ready(world)
    stop = world.say("/preview stop")
    world.github.hidden.add(stop)
    for _ in range(more):
        # Their webhooks come in the same moment, and the Preview's annotation has the last one's number only.
        other = world.say("/preview status")
        world.github.hidden.add(other)
    passed = 0.0
    while passed < delay:
        if checks:
            world.poke()
        outcome = await world.run()
        wait = min(checks or delay, outcome.requeue_after or delay, delay - passed)
        world.clock.forward(seconds=wait)
        passed += wait
    assert not is_stopped(world)
    world.github.hidden.clear()
    for _ in range(20):
        outcome = await world.run()
        if is_stopped(world):
            break
        world.clock.forward(seconds=min(outcome.requeue_after or 600, 600))
    return world


@settings(max_examples=12, deadline=None)
@example(ahead=0, delay=150, checks=5, more=0)
@example(ahead=-90, delay=150, checks=5, more=0)
@example(ahead=90, delay=30, checks=5, more=0)
@example(ahead=600, delay=150, checks=5, more=0)
@example(ahead=-600, delay=590, checks=5, more=0)
@example(ahead=0, delay=590, checks=0, more=3)
@given(
    ahead=st.sampled_from([0, -90, 90, 600, -600, 3_600, -3_600]),
    delay=st.floats(1, 590),
    checks=st.sampled_from([0, 5, 60]),
    more=st.integers(0, 3),
)
async def test_a_comment_is_obeyed_once_it_is_shown(
    ahead: float, delay: float, checks: float, more: int
) -> None:
    world = await shown_late(ahead, delay, checks, more=more)

    assert is_stopped(world)


async def test_it_is_found_soon_after_it_is_shown_although_nothing_else_happens() -> None:
    world = await ready()
    stop = world.say("/preview stop")
    world.github.hidden.add(stop)
    for _ in range(150):
        await world.looks(1)
    world.github.hidden.clear()
    for _ in range(100):
        await world.looks(1)

    assert is_stopped(world)


async def test_a_comment_that_was_deleted_is_looked_for_seldom_and_then_no_more() -> None:
    world, looks = await ready(), 0
    gone = world.say("/preview stop", MALLORY)
    world.github.comments_written.clear()
    world.calls.made.clear()
    asked = 0
    for _ in range(20 * 60):
        looks += await world.looks(1)
        asked += world.calls.made.count("comment")

    assert (asked <= 8, looks <= 25) == (True, True), (asked, looks)
    assert world.status.requests.unseen == ()
    # Nor when anything else is told of: the annotation still has its number.
    assert world.preview.poke.comment_id == gone
    world.poke()
    await world.settle(3)
    assert world.status.requests.unseen == ()


async def test_where_nothing_triggers_a_preview_it_stays_until_the_comment_is_shown() -> None:
    world = World()
    world.github.labels = ()
    start = world.say("/preview start", ANN)
    world.github.hidden.add(start)
    for _ in range(150):
        await world.looks(1)
    assert world.cluster.preview is not None
    world.github.hidden.clear()
    await world.settle(30)

    assert world.serving


async def test_what_is_looked_for_outlasts_a_restart() -> None:
    world = await ready()
    stop = world.say("/preview stop")
    world.github.hidden.add(stop)
    await world.settle(3)
    world.restart()
    await world.settle(20)
    world.github.hidden.clear()
    await world.settle(30)

    assert is_stopped(world)


async def test_as_long_as_nothing_changes_the_conversation_is_asked_for_alike() -> None:
    """So GitHub can answer that nothing has changed, which costs nothing of the hour."""
    world = await ready()
    for _ in range(5):
        world.poke()
        await world.run()
        world.clock.forward(minutes=5)

    assert len(set(world.github.read_since[-4:])) == 1


@pytest.mark.parametrize("days", [3, 2])
async def test_what_is_old_at_the_first_look_is_not_obeyed_by_a_later_one(days: int) -> None:
    world = World()
    world.clock.forward(days=-days)
    world.github.say("/preview stop", ANN)
    world.clock.forward(days=days)
    world = await ready(world)
    for _ in range(3):
        world.poke()
        await world.settle(2)

    assert not is_stopped(world)
    assert world.github.asked_about == []


# The rules


def test_a_poke_of_tomorrow_is_not_believed() -> None:
    poke = Poke(delivery_id="1", poked_at=NOW + timedelta(days=1), comment_id=700)

    assert late.told_of(Requests(), poke, NOW) == ()


def test_only_so_many_are_looked_for() -> None:
    requests = Requests()
    for number in range(1, 50):
        unseen = late.told_of(requests, Poke(delivery_id="1", poked_at=NOW, comment_id=number), NOW)
        requests = Requests(unseen=unseen, told_comment_id=number)

    assert [each.id for each in requests.unseen] == list(range(30, 50))


@given(st.lists(st.floats(0, 30), max_size=200))
def test_whoever_deletes_one_after_the_other_makes_no_look_sooner(gaps: list[float]) -> None:
    """However often they do, the looks of ten minutes are a handful."""
    now, unseen, due, looks = NOW, tuple[Unseen, ...](), NOW, 0
    for number, gap in enumerate(gaps):
        now += timedelta(seconds=gap)
        unseen = (*unseen, Unseen(number, now))
        if now >= due:
            looks += 1
            asked = (late.asked_in_vain(each, now) if late.is_due(each, now) else each for each in unseen)
            unseen = tuple(each for each in asked if each is not None)
            found = late.next_look(unseen, now)
            due = found if found is not None else now
    assert looks <= 3 + sum(gaps) / 10
