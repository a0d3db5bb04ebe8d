"""What the cluster never takes: its clock begins with the first Ready, so it would hold its slot for ever."""

from __future__ import annotations

import pytest

from previewbot.api import Phase
from previewbot.errors import TryLater
from tests.support.passes import A, World

BROKEN = TryLater("create PreviewSession", status=500, message="etcdserver: request timed out")


async def trying(call: str = "create session") -> World:
    """Return a world that holds a slot and cannot make anything in it."""
    world = World(deadlines={"session": "10m"})
    world.fail(call, by=BROKEN)
    world.poke()
    await world.settle(4)
    assert (world.status.slot.held, world.cluster.sessions) == (True, {})
    return world


@pytest.mark.parametrize("call", ["create session", "apply route"])
async def test_what_is_never_made_gives_its_slot_back_and_says_whose_turn_it_is(call: str) -> None:
    world = await trying(call)
    world.clock.forward(minutes=9)
    await world.run()
    assert (world.status.phase, world.status.slot.held) == (Phase.DEPLOYING, True), "in time it goes on"
    world.clock.forward(minutes=2)
    await world.settle(3)

    assert not world.status.slot.held
    assert world.status.phase is Phase.FAILED
    assert "within 10m, which is for your platform team" in world.service.failure_message
    assert "etcdserver: request timed out" in world.comment


async def test_what_can_be_made_after_a_long_pause_of_our_own_is_made() -> None:
    world = await trying()
    world.clock.forward(hours=1)
    world.restart()
    world.mend()
    await world.settle(4)

    assert world.serving == [A]


async def test_the_slot_is_free_only_once_another_look_has_shown_that_there_is_nothing() -> None:
    world = await trying()
    world.clock.forward(minutes=11)
    await world.run()
    assert world.service.phase is Phase.FAILED
    assert world.status.slot.held, "the cluster may have made it, and its answer was lost"
    await world.settle(3)

    assert (world.status.slot.held, world.cluster.sessions) == (False, {})


async def test_the_next_commit_tries_again() -> None:
    world = await trying()
    world.clock.forward(minutes=11)
    await world.settle(3)
    world.mend()
    world.push("b" * 40)
    await world.settle(6)

    assert world.serving == ["b" * 40]
