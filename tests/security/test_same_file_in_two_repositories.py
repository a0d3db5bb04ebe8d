"""A repository has the very file of another, which may have more: what was found of it is not the other's.

What is read of a file is remembered by its blob's SHA, which says what is in it and not whose it is. Whoever
copies the file of a repository that may have everything would have it found to be allowed.
"""

from __future__ import annotations

import pytest

from previewbot.reconciler.memory import Memory
from tests.support.passes import A, World

RULES = [
    {"match": ["acme/shop"]},
    {"match": ["acme/small"], "targets": ["deployment/small"]},
]


async def of(repository: str, memory: Memory) -> World:
    """A life in this repository, of a controller that remembers what it has read."""
    world = World(repositories=RULES, memory=memory)
    world.github.covering = {repository: 812}
    assert world.cluster.preview is not None
    world.cluster.preview["spec"]["repository"] = repository
    return await world.settle()


@pytest.mark.parametrize("first", ["acme/shop", "acme/small"])
async def test_each_is_held_to_its_own_bounds_in_whatever_order(first: str) -> None:
    memory = Memory()
    second = "acme/small" if first == "acme/shop" else "acme/shop"
    worlds = {}
    for repository in (first, second):
        worlds[repository] = await of(repository, memory)
        # The other's Preview of the same number is another one.
        memory.forget("gh-812-42")

    assert worlds["acme/shop"].serving == [A]
    assert worlds["acme/small"].cluster.sessions == {}
    assert "the target `deployment/checkout` is not open to this repository" in worlds["acme/small"].comment
