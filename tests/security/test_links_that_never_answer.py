"""A pull request whose service takes requests at its link and never answers them, or many such."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from previewbot.api import Phase, Reason, Why
from previewbot.clients.links import Limits
from previewbot.reconciler.gather import links
from previewbot.reconciler.links_being_asked import LinksBeingAsked
from previewbot.rules.link_answers import Answer
from tests.support.passes import A, World


@pytest.fixture(autouse=True)
def a_short_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing answers here, so that waiting for it longer would only make the tests slow."""
    monkeypatch.setattr(links, "MOMENT", 0.02)


def asked_in(world: World) -> LinksBeingAsked:
    """Return what the world's controller is asking."""
    return world._reconciler._context.links_being_asked


async def silent(turn: asyncio.Semaphore | None = None) -> World:
    """Return a world whose preview serves, and whose link never answers; in the same turns as others."""
    world = World()
    world.links.silent = True
    asked_in(world).turn = turn or asked_in(world).turn
    await world.settle(6)
    assert world.serving == [A]
    return world


async def just_asked() -> World:
    """Return a world whose link is being asked since a second ago, and never answers."""
    world = World()
    world.links.silent = True
    while not world.links.asked:
        await world.settle(1, seconds=1)
    return world


async def test_a_pass_goes_on_without_the_answer() -> None:
    world = await just_asked()
    async with asyncio.timeout(5):
        await world.run()

    assert (world.status.phase, world.status.reason) == (Phase.DEPLOYING, Reason.CHECKING_LINK)
    # It is asked once, and looked whether it has answered.
    assert len(world.links.asked) == 1
    assert world.outcome.requeue_after is not None
    assert world.outcome.requeue_after <= 1.0


async def test_one_that_waits_for_its_turn_for_long_is_looked_at_more_and_more_seldom() -> None:
    world = await just_asked()
    began, passes, pauses = world.clock.now, 0, [0.0]
    while world.clock.now - began < timedelta(seconds=60):
        await world.run()
        passes += 1
        assert world.outcome.requeue_after is not None
        pauses.append(world.outcome.requeue_after)
        world.clock.forward(seconds=world.outcome.requeue_after)

    assert passes <= 20
    assert max(pauses) <= 10


async def test_it_is_removed_on_time_all_the_same() -> None:
    world = await silent()
    assert world.status.lifecycle.expires_at is not None
    world.clock.now = world.status.lifecycle.expires_at + timedelta(seconds=1)
    await world.settle(3)

    assert world.cluster.sessions == {}
    assert world.status.phase is Phase.EXPIRED


async def test_a_command_is_obeyed_meanwhile() -> None:
    world = await silent()
    world.say("/preview stop")
    await world.settle(3)

    assert world.cluster.sessions == {}
    assert world.status.phase is Phase.STOPPED


async def test_many_that_never_answer_are_asked_a_few_at_a_time_and_hold_up_nobody_else() -> None:
    turn = LinksBeingAsked().turn
    worlds = [await silent(turn) for _ in range(12)]

    assert sum(len(world.links.asked) for world in worlds) == 8
    last = worlds[-1]
    assert last.links.asked == []
    last.say("/preview stop")
    async with asyncio.timeout(5):
        await last.settle(3)
    assert last.status.phase is Phase.STOPPED


async def test_one_that_cannot_even_be_asked_keeps_nothing_from_its_end() -> None:
    world = World()
    world.fail("ask link", by=ValueError("no address at all"))
    await world.settle(80)
    assert world.status.reason is Reason.LINK_UNANSWERED
    assert world.status.link.why is Why.OTHER

    world.say("/preview stop")
    await world.settle(3)
    assert world.cluster.sessions == {}


async def test_its_removal_ends_the_question() -> None:
    world = await silent()
    begun = asked_in(world).of(world.cluster.name)
    assert begun is not None
    world.close()
    await world.settle(4)

    assert world.cluster.preview is None
    assert asked_in(world).of("gh-812-42") is None
    assert begun.task.cancelled() or begun.task.cancelling()


async def test_an_end_ends_the_question_and_its_late_answer_speaks_for_no_later_session() -> None:
    world = await silent()
    begun = asked_in(world).of(world.cluster.name)
    assert begun is not None
    world.say("/preview stop")
    await world.settle(3)

    assert asked_in(world).of(world.cluster.name) is None
    assert begun.task.cancelled() or begun.task.cancelling()


async def test_a_push_has_the_new_commit_s_link_asked_and_not_the_old_one_s() -> None:
    world = await silent()
    begun = asked_in(world).of(world.cluster.name)
    world.push("b" * 40)
    world.registry.images |= {f"checkout:{'b' * 40}"}
    await world.settle(10)
    later = asked_in(world).of(world.cluster.name)

    assert begun is not None
    assert later is not None
    assert begun.of != later.of
    assert begun.task.cancelled()


def test_a_question_ends_within_seconds_by_itself() -> None:
    limits = Limits()

    assert limits.connect_seconds <= limits.whole_seconds <= 5


async def test_once_it_is_given_up_the_words_say_so() -> None:
    world = await silent()
    begun = asked_in(world).of(world.cluster.name)
    assert begun is not None
    begun.task.cancel()
    world.links.silent, world.links.answer = False, Answer(failure=Why.TOO_LATE)
    await world.settle(80)

    assert world.status.reason is Reason.LINK_UNANSWERED
