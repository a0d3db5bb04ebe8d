"""What becomes of a preview whose pull request, repository or installation GitHub does not give any more."""

from __future__ import annotations

import pytest

from previewbot.api import Phase
from previewbot.errors import Forbidden, NotFound, RemoteError, TryLater
from previewbot.reconciler.memory import Memory
from tests.support.passes import ANN, A, World, ready

AWAY = TryLater("GitHub", status=502)


async def minutes(world: World, number: int) -> None:
    """Let so many minutes go by, with a delivery and a pass in each."""
    for _ in range(number):
        world.clock.forward(minutes=1)
        if world.cluster.preview is None:
            return
        world.poke()
        await world.settle(2, seconds=1)


# A pull request that GitHub hides or its staff deleted, in a repository that is readable


async def test_a_pull_request_that_answers_404_for_good_is_torn_down_after_some_looks() -> None:
    world = await ready()
    world.github.shown = world.github.listed = False
    await minutes(world, 5)
    assert world.serving == [A], "it may be an outage of GitHub's"

    await minutes(world, 8)
    assert world.cluster.preview is None
    assert world.cluster.sessions == {}
    assert world.cluster.routes == {}


async def test_one_that_was_opened_and_hidden_at_once_leaves_no_empty_preview() -> None:
    world = World()
    world.github.shown = world.github.listed = False
    await minutes(world, 13)

    assert world.cluster.preview is None


async def test_its_own_timer_is_enough_to_tear_it_down() -> None:
    world = await ready()
    world.github.shown = world.github.listed = False
    world.poke()
    for _ in range(20):
        after = (await world.run()).requeue_after
        if world.cluster.preview is None:
            break
        world.clock.forward(seconds=min(after or 300, 300))

    assert world.cluster.preview is None


async def test_many_looks_in_a_few_minutes_are_no_proof() -> None:
    world = await ready()
    world.github.shown = world.github.listed = False
    for _ in range(100):
        world.poke()
        await world.run()
        world.clock.forward(seconds=5)

    assert world.serving == [A]


async def test_one_that_is_shown_again_begins_to_be_missed_anew() -> None:
    world = await ready()
    world.github.shown = world.github.listed = False
    await minutes(world, 8)
    world.github.shown = world.github.listed = True
    await minutes(world, 2)
    world.github.shown = world.github.listed = False
    await minutes(world, 8)

    assert world.serving == [A]


async def test_one_that_is_listed_is_there_whatever_its_own_address_says() -> None:
    world = await ready()
    world.github.shown = False
    await minutes(world, 30)

    assert world.serving == [A]


@pytest.mark.parametrize("call", ["open pull requests", "repositories", "installation of"])
async def test_what_cannot_be_asked_proves_nothing(call: str) -> None:
    world = await ready()
    world.github.shown = world.github.listed = False
    world.fail(call, by=AWAY)
    await minutes(world, 30)

    assert world.serving == [A]


@pytest.mark.parametrize(
    "error", [AWAY, Forbidden("pull request", status=403), TryLater("GitHub", status=500)]
)
async def test_other_errors_are_no_404(error: RemoteError) -> None:
    world = await ready()
    world.fail("pull request", by=error)
    await minutes(world, 30)

    assert world.serving == [A]


# A repository that was archived


async def test_a_preview_goes_when_its_repository_is_archived() -> None:
    world = await ready()
    world.github.archived = True
    refused = Forbidden("comment", status=403, message="Repository was archived so is read-only.")
    world.fail("create comment", "update comment", "react", by=refused)
    world.poke()
    await world.settle()

    assert world.cluster.preview is None
    assert world.cluster.sessions == {}


async def test_what_an_archived_repository_had_is_found_again_when_it_is_usable_again() -> None:
    memory = Memory()
    world = World(memory=memory)
    await world.settle()
    world.github.archived = True
    world.poke()
    world.clock.forward(minutes=5)
    await world.settle()

    assert world.cluster.preview is None
    # Unarchiving changes neither the time of a pull request nor its head.
    state = (world.github.updated_at, world.github.head_sha)
    assert not memory.untriggered.remembers(812, 42, *state, world.clock.now)


# An installation that was suspended


async def test_a_suspended_installation_has_nothing_running_and_gets_it_back() -> None:
    world = await ready()
    world.github.suspended = True
    world.poke()
    await world.settle()
    assert world.serving == []
    assert (world.status.phase, world.status.reason) == (Phase.STOPPED, "InstallationSuspended")
    assert world.outcome.requeue_after is not None

    world.github.suspended = False
    world.clock.forward(minutes=5)
    await world.settle()
    assert world.serving == [A]
    assert "has been suspended" not in world.comment


async def test_what_was_stopped_stays_stopped_when_an_installation_is_let_in_again() -> None:
    world = await ready()
    world.say("/preview stop", ANN)
    await world.settle()
    world.github.suspended = True
    world.poke()
    await world.settle()
    world.github.suspended = False
    world.poke()
    await world.settle()

    assert world.serving == []
    assert world.status.reason == "ByCommand"


async def test_a_start_that_waits_goes_on_waiting_while_an_installation_is_suspended() -> None:
    world = World()
    world.registry.images.clear()
    number = world.say("/preview start")
    await world.settle(3)
    world.github.suspended = True
    world.poke()
    await world.settle(4)
    world.github.suspended = False
    world.push(A)
    await world.settle(6)

    assert world.serving == [A]
    assert world.github.reacted == [(number, "eyes"), (number, "rocket")]


async def test_that_it_is_suspended_is_asked_as_the_app_and_not_guessed_from_a_refusal() -> None:
    world = await ready()
    world.fail("pull request", by=Forbidden("pull request", status=403, message="has been suspended"))
    world.poke()
    await world.settle()

    assert world.serving == [A]


async def test_an_installation_that_is_gone_when_it_is_asked_about_ends_nothing_by_that() -> None:
    world = await ready()
    world.github.suspended = True
    world.fail("is suspended", by=NotFound("installation", status=404))
    world.poke()
    await world.settle(3)

    assert world.serving == [A]


# A base branch that was changed


async def test_a_preview_follows_the_base_branch_of_its_pull_request() -> None:
    world = await ready()
    world.github.base = "release"
    world.github.paths = ("docs/readme.md",)
    world.github.base_sha = "b" * 40
    world.poke()
    await world.settle()

    assert world.serving == []
    assert world.status.reason == "NoServiceChanged"
