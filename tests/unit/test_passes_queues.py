"""Queues of which a preview gets messages: what the longer start of a first split is, and how it is told."""

from __future__ import annotations

from typing import Any

import pytest

from previewbot.api import Phase, Reason
from tests.support.branching import QUEUE, Parts
from tests.support.branching import parts as parts
from tests.support.passes import BOTH, World

pytestmark = pytest.mark.timeout(300)


async def starting(parts: Parts, **own: Any) -> World:
    """Return a world whose preview's session was answered and is not ready yet."""
    parts.have("checkout", **own)
    world = World()
    world.github.paths = BOTH[:1]
    world.cluster.session_status = {"phase": "Initializing"}
    await world.settle()
    return world


def phase_of(world: World) -> Phase | None:
    return world.status.phase


async def test_a_session_whose_queues_are_split_says_why_it_may_take_longer(parts: Parts) -> None:
    world = await starting(parts, queues=(QUEUE,))

    assert (world.status.phase, world.status.reason) == (Phase.DEPLOYING, Reason.SPLITTING_QUEUES)
    assert "mirrord splits the queues of **checkout**" in world.comment
    assert "its workload in staging restarts once for it" in world.comment

    world.cluster.session_becomes("Ready")
    await world.settle()
    assert world.status.phase is Phase.READY


async def test_it_has_longer_to_be_ready_than_one_without_queues(parts: Parts) -> None:
    world = await starting(parts, queues=(QUEUE,))

    world.clock.forward(minutes=5)
    await world.settle(1)
    assert phase_of(world) is Phase.DEPLOYING

    world.clock.forward(minutes=2)
    await world.settle()
    assert phase_of(world) is Phase.FAILED
    assert "it was not ready within 7m" in world.comment


async def test_one_without_queues_has_no_longer_than_before(parts: Parts) -> None:
    world = await starting(parts)
    assert world.status.reason is Reason.CREATING

    world.clock.forward(minutes=5)
    await world.settle()
    assert world.status.phase is Phase.FAILED
    assert "it was not ready within 5m" in world.comment
