"""Whoever opens many pull requests, to hold all slots for as long as a preview lives."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from previewbot.api import Phase, Preview, SlotBound
from previewbot.api.github import Account
from previewbot.config.server import Settings
from tests.support.many_passes import at_once, holding, many_worlds
from tests.support.passes import World
from tests.support.slots import after, holder, waiter


async def first_look(world: World) -> World:
    """Let the pull request be looked at, an hour after everything else."""
    world.clock.now = after(60)
    world.poke()
    return await world.settle(4)


@pytest.mark.parametrize(
    ("limits", "others", "bound", "words"),
    [
        (
            {"per_repository": 2},
            [holder("gh-812-7", author=8), holder("gh-812-9", author=9)],
            SlotBound.REPOSITORY,
            "acme/shop holds 2 of 2 previews that the platform team allows it: `#7`, `#9`.",
        ),
        (
            {"per_author": 2},
            [holder("gh-812-7"), holder("gh-5-9")],
            SlotBound.AUTHOR,
            "its author holds 2 of 2 previews that the platform team allows one author: `#7` and 1 in other "
            "repositories.",
        ),
        (
            {"per_agent": 2},
            [holder("gh-4-7", author=8, agent="Claude"), holder("gh-5-9", author=9, agent="Claude")],
            SlotBound.AGENT,
            "Claude holds 2 of 2 previews that the platform team allows one agent: all in other "
            "repositories.",
        ),
    ],
    ids=["a repository", "an author", "an agent"],
)
async def test_nobody_holds_more_slots_than_the_platform_team_allows(
    limits: dict[str, int], others: list[Preview], bound: SlotBound, words: str
) -> None:
    world = World(limits={"previews": 50, **limits})
    world.others = list(others)
    world.github.branch = "claude/fix"
    await first_look(world)

    assert world.serving == []
    assert (world.status.phase, world.status.slot.bound) == (Phase.QUEUED, bound)
    assert words in world.comment

    world.others = world.others[:1]
    await world.settle(4)
    assert len(world.serving) == 1


async def test_a_rule_for_repositories_bounds_each_of_them_by_itself() -> None:
    rules = [{"match": ["acme/*"], "limits": {"previews": 1}}]
    world = World(repositories=rules)
    world.others = [holder("gh-5-9", author=9)]
    await first_look(world)
    assert len(world.serving) == 1

    other = World(repositories=rules)
    other.others = [holder("gh-812-9", author=9)]
    await first_look(other)
    assert other.serving == []
    assert other.status.slot.bound is SlotBound.REPOSITORY


async def test_a_flood_of_another_repository_costs_a_first_preview_one_slot_at_most() -> None:
    world = World(limits={"previews": 3})
    flood = [holder(f"gh-5-{number}", author=number) for number in (1, 2, 3)]
    flood += [waiter(f"gh-5-{number}", since=number, author=number) for number in range(10, 40)]
    world.others = list(flood)
    await first_look(world)
    assert world.serving == []
    assert "number 1 in line; all 3 slots are in use, by 3 of other repositories" in world.comment

    world.others = flood[1:]
    await world.settle(4)
    assert len(world.serving) == 1


async def test_one_that_its_own_limit_keeps_waiting_blocks_nobody_behind_it() -> None:
    world = World(limits={"previews": 3, "per_author": 1})
    world.others = [holder("gh-5-1", author=9), waiter("gh-6-1", author=9), waiter("gh-7-1", author=9)]
    await first_look(world)

    assert len(world.serving) == 1


async def test_a_limit_that_is_lowered_ends_nothing_and_a_push_does_not_wait() -> None:
    world = World(limits={"previews": 3})
    await world.settle()
    assert len(world.serving) == 1
    world.settings = with_limits(world.settings, previews=1, per_repository=1, per_author=1)
    world.others = [holder("gh-812-1"), holder("gh-812-2"), waiter("gh-5-1", author=9)]
    world.restart()
    world.push("9ab01fe" + "0" * 33)
    await world.settle()

    assert world.serving == ["9ab01fe" + "0" * 33]


def with_limits(found: Settings, **limits: int) -> Settings:
    """Return settings with other limits."""
    return found.model_copy(update={"limits": found.limits.model_copy(update=limits)})


async def test_the_name_that_web_may_write_opens_no_wider_rule() -> None:
    """web may write `spec.repository`; what counts is what GitHub says."""
    rules = [{"match": ["acme/rich"]}, {"match": ["acme/*"], "limits": {"previews": 1}}]
    world = World(repositories=rules)
    world.others = [holder("gh-812-9", author=9)]
    world.github.covering = {"acme/shop": 812, "acme/rich": 813}
    assert world.cluster.preview is not None
    world.cluster.preview["spec"]["repository"] = "acme/rich"
    await first_look(world)

    assert world.serving == []
    assert world.status.slot.bound is SlotBound.REPOSITORY


@settings(max_examples=8)
@given(
    st.lists(st.integers(1, 3), min_size=2, max_size=5),
    st.integers(1, 4),
    st.none() | st.integers(1, 3),
    st.integers(1, 4),
)
def test_passes_that_run_at_once_give_no_slot_too_many(
    authors: list[int], previews: int, per_author: int | None, per_repository: int
) -> None:
    async def scenario() -> None:
        limits = {"previews": previews, "per_author": per_author, "per_repository": per_repository}
        many = many_worlds(authors, limits=limits)
        await at_once(many)
        held = holding(many)
        by_author = Counter(authors[number - 1] for number in held)
        could = sum(min(count, per_author or count) for count in Counter(authors).values())

        assert len(held) == min(previews, per_repository, could)
        assert per_author is None or all(count <= per_author for count in by_author.values())
        assert all(len(world.serving) == (number in held) for number, world in enumerate(many, 1))

        # Whoever is closed makes room for others, and nobody else loses a slot.
        many[held[0] - 1].close()
        await at_once(many, passes=6)
        assert set(held[1:]) <= set(holding(many))
        assert len(holding(many)) >= min(previews, per_repository, could) - 1

    asyncio.run(scenario())


async def test_an_agents_own_account_is_no_author_and_bounded_as_an_agent() -> None:
    copilot = Account(198982749, "Copilot", "Bot")
    others = [holder("gh-5-9", author=copilot.id, agent="Copilot")]
    world = World(limits={"per_author": 1})
    world.github.author, world.others = copilot, list(others)
    await first_look(world)
    assert len(world.serving) == 1

    bounded = World(limits={"per_author": 1, "per_agent": 1})
    bounded.github.author, bounded.others = copilot, list(others)
    await first_look(bounded)
    assert bounded.status.slot.bound is SlotBound.AGENT
