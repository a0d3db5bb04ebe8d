"""Whoever may push brings a `preview.yaml` of their own, on a base branch that the settings trust.

`config_branches: [release/*]` names what does not exist yet: a writer, or an agent, pushes `release/evil`
with a file that runs what it likes, and opens a pull request onto it.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from previewbot.api import Phase, Reason
from previewbot.errors import Forbidden, Invalid, NotFound, RemoteError, TryLater
from tests.support.passes import CONFIGURATION, World

THEIRS = CONFIGURATION.replace("checkout/**", "**").replace("deployment/checkout", "deployment/payments")
BOTH = frozenset({"creation", "pull_request"})
SAFE = ("release/1", "stable")


async def world_onto(base: str, *config_branches: str, theirs: str = THEIRS) -> World:
    """Return a world whose pull request is onto a branch that has a configuration of its own."""
    world = World(config_branches=list(config_branches))
    world.github.base = base
    world.github.configurations[base] = theirs
    world.poke()
    return world


def asked(world: World) -> list[str]:
    return [call for call in world.calls.made if call in ("branch", "rules")]


def goes_by_theirs(world: World) -> bool:
    [service] = world.status.services
    assert service.target in ("deployment/checkout", "deployment/payments")
    return service.target == "deployment/payments"


async def test_a_branch_that_somebody_pushed_does_not_bring_its_own_configuration() -> None:
    world = await world_onto("release/evil", "release/*")

    await world.settle()

    assert not goes_by_theirs(world)
    assert world.status.phase == Phase.READY, "the default branch's counts, and runs"
    assert "The default branch's `.github/preview.yaml` counts here, not that of `release/evil`" in (
        world.comment
    )
    assert "no active rule restricts who creates such branches" in world.comment
    assert "no active rule requires a pull request to change it" in world.comment
    assert "Whoever administers this repository" in world.comment


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (["pull_request"], "no active rule restricts who creates such branches."),
        (["creation"], "no active rule requires a pull request to change it."),
        (["creation", "update", "non_fast_forward"], "no active rule requires a pull request to change it."),
    ],
)
async def test_a_branch_that_is_protected_but_can_be_made_or_pushed_to_does_not_count(
    rules: Sequence[str], words: str
) -> None:
    world = await world_onto("release/evil", "release/*")
    world.github.protected.add("release/evil")
    world.github.rules_of["release/evil"] = frozenset(rules)

    await world.settle()

    assert not goes_by_theirs(world)
    assert words in world.comment


async def test_a_branch_that_rules_keep_from_being_made_and_pushed_to_brings_its_own() -> None:
    world = await world_onto("release/1", "release/*")
    world.github.rules_of["release/1"] = BOTH

    await world.settle()

    assert goes_by_theirs(world)
    assert "counts here" not in world.comment


async def test_a_branch_that_is_named_in_full_must_be_protected() -> None:
    world = await world_onto("stable", "stable")
    await world.settle()
    assert not goes_by_theirs(world)
    assert "GitHub does not show this branch as protected" in world.comment

    world.github.protected.add("stable")
    world.poke()
    await world.settle()

    assert goes_by_theirs(world)
    assert "counts here" not in world.comment


@pytest.mark.parametrize("base", SAFE)
async def test_a_protection_that_is_taken_away_counts_from_the_next_look_on(base: str) -> None:
    world = await world_onto(base, "release/*", "stable")
    world.github.protected.add("stable")
    world.github.rules_of["release/1"] = BOTH
    await world.settle()
    assert goes_by_theirs(world)

    world.github.protected.clear()
    world.github.rules_of.clear()
    # Nobody tells of it: what was read counts for ten minutes, and not when something is to be made.
    world.clock.forward(minutes=11)
    await world.settle()

    assert not goes_by_theirs(world)
    assert len(world.cluster.sessions) == 1
    assert "The default branch's `.github/preview.yaml` counts here" in world.comment


@pytest.mark.parametrize("base", SAFE)
@pytest.mark.parametrize(
    "refusal",
    [NotFound("x", status=404), Forbidden("x", status=403), Invalid("x", status=422)],
    ids=["404", "403", "422"],
)
async def test_where_github_gives_no_answer_the_default_branch_counts(
    base: str, refusal: RemoteError
) -> None:
    """An older Enterprise Server has no rulesets, and a plan may have none."""
    world = await world_onto(base, "release/*", "stable")
    world.fail("branch", "rules", by=refusal)

    await world.settle()

    assert not goes_by_theirs(world)
    assert "GitHub does not tell previewbot what protects it" in world.comment
    assert "This is for your platform team" in world.comment


@pytest.mark.parametrize("base", SAFE)
async def test_while_github_cannot_be_asked_what_was_known_goes_on_to_count(base: str) -> None:
    world = await world_onto(base, "release/*", "stable")
    world.github.protected.add("stable")
    world.github.rules_of["release/1"] = BOTH
    await world.settle()
    before = (world.status.services, world.comment, sorted(world.cluster.sessions))

    world.fail("branch", "rules", by=TryLater("GitHub", status=502))
    for _ in range(4):
        world.clock.forward(minutes=11)
        world.poke()
        await world.settle(passes=3)

    assert (world.status.services, world.comment, sorted(world.cluster.sessions)) == before


async def test_after_a_restart_nothing_is_torn_down_or_begun_until_github_can_be_asked() -> None:
    world = await world_onto("release/1", "release/*")
    world.github.rules_of["release/1"] = BOTH
    await world.settle()
    sessions = sorted(world.cluster.sessions)

    world.restart()
    world.fail("rules", by=TryLater("GitHub", status=502))
    world.poke()
    await world.settle()

    assert sorted(world.cluster.sessions) == sessions
    assert goes_by_theirs(world)


@pytest.mark.parametrize("base", ["copilot/release", "Claude/x"])
async def test_a_branch_with_an_agents_name_is_not_even_asked_about(base: str) -> None:
    world = await world_onto(base, "*", base)
    world.github.protected.add(base)
    world.github.rules_of[base] = BOTH

    await world.run()

    assert asked(world) == []
    assert not goes_by_theirs(world)


@pytest.mark.parametrize(
    ("base", "config_branches", "calls"),
    [
        ("main", ["main", "*"], []),
        ("feature", ["release/*", "stable"], []),
        ("release/1", ["release/*"], ["rules"]),
        ("stable", ["stable"], ["branch"]),
        ("stable", ["stable", "st*"], ["branch", "rules"]),
    ],
)
async def test_github_is_asked_only_about_a_base_that_the_settings_name(
    base: str, config_branches: list[str], calls: list[str]
) -> None:
    """A request more for each look, and a 304 that costs no quota for as long as nothing changes."""
    world = await world_onto(base, *config_branches)

    await world.run()

    assert asked(world) == calls


async def test_where_the_default_branches_file_has_nothing_for_it_the_answer_says_whose_turn_it_is() -> None:
    world = await world_onto("release/evil", "release/*")
    world.github.configuration = CONFIGURATION.replace("checkout/**", "elsewhere/**")

    world.say("/preview start")
    await world.settle()

    assert world.cluster.sessions == {}
    assert world.status.reason == Reason.NO_SERVICE_CHANGED
    assert any("not that of `release/evil`" in text for text in world.github.own_comments())
