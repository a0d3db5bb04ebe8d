"""Whoever may push makes a branch that is called like a merge queue's, at the head of a pull request.

GitHub keeps nobody from it, and a check that was skipped lets a commit pass.
"""

from __future__ import annotations

from dataclasses import replace

from tests.support.passes import A, World
from tests.unit.test_passes_checks import QUEUED, a_world, last, outcomes


async def a_world_with_another_s_head() -> World:
    """Return a world in which another pull request has the head QUEUED, and its check failed there."""
    world = a_world("required")
    await world.settle()
    another = replace(last(world, A), external_id="gh-812-43", conclusion=None)
    await world.github.checks.create("acme/shop", QUEUED, another)
    world.github.queued = [QUEUED]
    world.poke(queued=True)
    await world.settle()
    return world


async def test_no_check_is_skipped_at_a_commit_that_has_another_pull_requests() -> None:
    world = await a_world_with_another_s_head()
    assert outcomes(world, QUEUED) == [["in progress"]]


async def test_that_is_asked_once() -> None:
    world = await a_world_with_another_s_head()
    asked = world.github.checks.asked.count("own checks")
    for _ in range(3):
        world.poke()
        await world.settle()
    assert world.github.checks.asked.count("own checks") == asked
    assert outcomes(world, QUEUED) == [["in progress"]]
