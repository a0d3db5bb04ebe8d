"""Whoever uses up the requests of their own installation's hour: what waits there takes the free slots of
all, and nothing can be made in them."""

from __future__ import annotations

from previewbot.api import Phase
from previewbot.errors import TryLater
from tests.support.passes import A, World
from tests.support.slots import after, holder


async def waiting_while_github_is_away() -> World:
    """Return a world that waited for the only slot, which is free by now, and cannot read GitHub."""
    world = World(limits={"previews": 1})
    world.clock.now = after(60)
    world.others = [holder("gh-5-1", author=9)]
    await world.settle(4)
    assert world.status.phase is Phase.QUEUED
    world.fail_github(TryLater("GitHub", message="the hour's requests are used up"))
    world.others = []
    world.clock.forward(seconds=700)
    world.poke()
    await world.settle(3)
    return world


async def test_no_slot_is_taken_by_what_cannot_be_made() -> None:
    world = await waiting_while_github_is_away()

    assert not world.status.slot.held
    assert world.status.slot.waiting_since is not None, "its place in line is kept"
    assert (world.status.phase, world.cluster.sessions) == (Phase.QUEUED, {})


async def test_it_takes_one_when_github_can_be_read_again() -> None:
    world = await waiting_while_github_is_away()
    world.mend()
    await world.settle(3)

    assert world.status.slot.held
    assert world.serving == [A]
