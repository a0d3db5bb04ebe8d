"""An agent that opens hundreds of pull requests: what is told of the line must not use up what GitHub lets
previewbot write (https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api: some 80
texts a minute, 500 an hour)."""

from __future__ import annotations

import pytest

from previewbot.api import SlotBound
from previewbot.api.slot import COUNTED
from tests.support.passes import World
from tests.support.slots import after, holder, waiter

LIMITS = [
    ({"previews": 2}, SlotBound.PREVIEWS),
    ({"per_repository": 2}, SlotBound.REPOSITORY),
    ({"per_author": 2}, SlotBound.AUTHOR),
    ({"per_agent": 2}, SlotBound.AGENT),
]


async def written_while_slots_change_hands(limits: dict[str, int], bound: SlotBound, longer: int) -> int:
    """Return how often the comment of one that waits is written, while a slot changes hands ten times."""
    world = World(limits={"previews": 50, **limits})
    world.clock.now = after(60)
    world.github.branch = "claude/fix"
    waiting = [waiter(f"gh-812-{1_000 + n}", since=n / 100, agent="Claude") for n in range(longer)]
    holding = [holder(f"gh-812-{n}", agent="Claude") for n in (1, 2)]
    world.others = [*holding, *waiting]
    await world.settle(4)
    assert world.status.slot.bound is bound
    assert "waits for a free slot" in world.comment
    written = 0
    for n in range(10):
        # One is over, and this one is woken; then the next one has the slot.
        for others in ([holding[0]], [holding[0], holder(f"gh-812-{1_000 + n}", agent="Claude")]):
            world.others = [*others, *waiting[n + 1 :]]
            await world.run()
            written += world.calls.made.count("update comment")
            world.clock.forward(seconds=10)
    return written


@pytest.mark.parametrize(("limits", "bound"), LIMITS, ids=[str(bound) for _, bound in LIMITS])
async def test_whoever_waits_behind_many_is_told_nothing_new_with_each_slot(
    limits: dict[str, int], bound: SlotBound
) -> None:
    assert await written_while_slots_change_hands(limits, bound, longer=COUNTED + 30) == 0


async def test_whoever_waits_further_to_the_front_is_told_who_holds_the_slots_now() -> None:
    assert await written_while_slots_change_hands({"per_repository": 2}, SlotBound.REPOSITORY, 15) > 5


async def test_who_waits_behind_many_is_told_what_for() -> None:
    world = World(limits={"previews": 50, "per_repository": 1})
    world.clock.now = after(60)
    waiting = [waiter(f"gh-812-{1_000 + n}", since=n / 100) for n in range(COUNTED + 1)]
    world.others = [holder("gh-812-1"), *waiting]
    await world.settle(4)

    assert (
        "acme/shop has as many previews as the platform team allows it (1), and more than 20 others have "
        "waited for longer. It starts by itself." in world.comment
    )
