"""Several pull requests of one repository, whose passes run at once and share the slots."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from previewbot.api import Preview, from_object
from previewbot.api.github import Account
from tests.support.passes import Slots, World


class OneOfMany(World):
    """A pull request that knows the others of its repository, and lets them go on while it writes."""

    def __init__(self, number: int, many: list[OneOfMany], slots: Slots, **settings: Any) -> None:
        self._many = many
        super().__init__(**settings)
        self.slots = slots
        self.turn_to(number)
        self.restart()
        self.poke()
        writes = self.cluster.put_status

        async def put_status(obj: Mapping[str, Any]) -> dict[str, Any]:
            # Whoever counts the slots meanwhile, without the lock, counts one too few.
            await asyncio.sleep(0)
            return await writes(obj)

        setattr(self.cluster, "put_status", put_status)  # noqa: B010 - mypy takes no assignment to a method

    def _previews(self) -> Sequence[Preview]:
        previews = (world.cluster.preview for world in self._many)
        return [from_object(preview) for preview in previews if preview]


def many_worlds(authors: Sequence[int], **settings: Any) -> list[OneOfMany]:
    """Return a pull request for each of these authors (numbers of accounts), numbered from 1."""
    many: list[OneOfMany] = []
    slots = Slots()
    for number, author in enumerate(authors, 1):
        world = OneOfMany(number, many, slots, **settings)
        world.github.author = Account(author, f"person-{author}")
        many.append(world)
    return many


async def at_once(many: Sequence[World], passes: int = 4) -> None:
    """Make passes over all of them, each time all at once."""
    for _ in range(passes):
        await asyncio.gather(*(world.run() for world in many))
        for world in many:
            world.clock.forward(seconds=5)


def holding(many: Sequence[World]) -> list[int]:
    """Return the numbers of those that hold a slot."""
    found = [world.preview for world in many if world.cluster.preview]
    return [preview.spec.number for preview in found if preview.status.slot.held]
