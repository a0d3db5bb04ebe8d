"""`/preview stop checkout`, `/preview start checkout`: some services of a pull request, and not others."""

from __future__ import annotations

import pytest

from previewbot.api import Phase, Reason
from tests.support.passes import BOTH, BROKEN, CONFIGURATION, A, B, World, ready


async def both() -> World:
    """Return a world in which both services of a pull request run."""
    world = World()
    world.github.paths = BOTH
    return await ready(world)


def running(world: World) -> set[str]:
    """Return the services of which there is a session."""
    return {
        name
        for name in ("checkout", "pricing")
        for session in world.cluster.sessions.values()
        if f"deployment/{name}" in str(session) or f"'{name}'" in str(session["spec"])
    }


async def test_one_service_is_stopped_and_the_other_goes_on() -> None:
    world = await both()
    assert running(world) == {"checkout", "pricing"}

    number = world.say("/preview stop checkout")
    await world.settle(8)

    assert running(world) == {"pricing"}
    assert (world.status.phase, world.status.reason) == (Phase.READY, Reason.ALL_READY)
    assert world.github.reacted == [(number, "eyes"), (number, "rocket")]
    assert "**checkout** was stopped by ann" in world.comment
    assert "/preview start checkout" in world.comment


async def test_what_was_stopped_stays_so_over_a_push_and_a_restart_of_the_controller() -> None:
    world = await both()
    world.say("/preview stop checkout")
    await world.settle(8)
    world.restart()
    world.push(B)
    await world.settle(12)

    assert running(world) == {"pricing"}
    assert world.status.phase is Phase.READY
    assert [service.name for service in world.status.services] == ["pricing"]


async def test_what_was_stopped_is_started_again_alone() -> None:
    world = await both()
    world.say("/preview stop checkout")
    await world.settle(8)
    pricing = [s["metadata"]["uid"] for s in world.cluster.sessions.values()]
    number = world.say("/preview start checkout")
    await world.settle(8)

    assert running(world) == {"checkout", "pricing"}
    assert set(pricing) <= {s["metadata"]["uid"] for s in world.cluster.sessions.values()}
    assert world.github.reacted[-2:] == [(number, "eyes"), (number, "rocket")]
    assert "was stopped by" not in world.comment


async def test_start_without_names_starts_all_again() -> None:
    world = await both()
    world.say("/preview stop checkout")
    await world.settle(8)
    world.say("/preview start")
    await world.settle(8)

    assert running(world) == {"checkout", "pricing"}
    assert world.status.lifecycle.stopped == ()


async def test_to_stop_the_last_service_is_to_stop_the_preview() -> None:
    world = await both()
    world.say("/preview stop checkout\n/preview stop pricing")
    await world.settle(8)

    assert running(world) == set()
    assert (world.status.phase, world.status.reason) == (Phase.STOPPED, Reason.BY_COMMAND)


async def test_of_a_preview_that_ended_one_service_is_started_alone() -> None:
    world = await both()
    world.say("/preview stop")
    await world.settle(8)
    world.say("/preview start pricing")
    await world.settle(8)

    assert running(world) == {"pricing"}
    assert world.status.phase is Phase.READY


async def test_a_push_that_leaves_only_what_was_stopped_ends_the_preview_until_somebody_starts_it() -> None:
    world = await both()
    world.say("/preview stop checkout")
    await world.settle(8)
    world.github.paths = (BOTH[0],)
    world.push(B)
    await world.settle(8)

    assert (running(world), world.status.phase) == (set(), Phase.STOPPED)
    world.say("/preview start")
    await world.settle(8)
    assert (running(world), world.status.phase) == ({"checkout"}, Phase.READY)


async def test_where_all_was_stopped_by_name_there_is_nothing_to_extend() -> None:
    world = await both()
    world.say("/preview stop checkout")
    await world.settle(8)
    world.github.paths = (BOTH[0],)
    world.push(B)
    await world.settle(8)
    until = world.status.lifecycle.expires_at
    number = world.say("/preview extend 2h")
    await world.settle(4)

    assert world.status.lifecycle.expires_at == until
    assert world.github.reacted[-1] == (number, "confused")
    assert "There is no preview running here" in world.answers[-1]


async def test_a_service_is_stopped_also_while_the_configuration_has_a_mistake() -> None:
    world = await both()
    world.configure(BROKEN)
    await world.settle(4)
    number = world.say("/preview stop checkout")
    await world.settle(8)

    assert running(world) == {"pricing"}
    assert [service.name for service in world.status.services] == ["pricing"]
    assert world.github.reacted[-2:] == [(number, "eyes"), (number, "rocket")]


async def test_a_start_that_a_later_stop_of_the_same_service_takes_back_gets_no_rocket() -> None:
    world = await both()
    world.say("/preview stop checkout")
    await world.settle(8)
    world.push(B, built=False)
    await world.settle(3)
    number = world.say("/preview start checkout")
    await world.settle(2)
    world.say("/preview stop checkout")
    await world.settle(3)
    world.push(B)
    await world.settle(8)

    assert running(world) == {"pricing"}
    assert [sign for about, sign in world.github.reacted if about == number] == ["eyes", "confused"]


@pytest.mark.parametrize("renamed", [True, False])
async def test_what_is_not_in_the_file_any_more_is_not_offered(renamed: bool) -> None:
    world = await both()
    world.say("/preview stop checkout")
    await world.settle(8)
    begin, end = CONFIGURATION.index("  checkout:"), CONFIGURATION.index("  pricing:")
    others = CONFIGURATION[:begin] + CONFIGURATION[end:]
    world.configure(CONFIGURATION.replace("  checkout:", "  cashier:") if renamed else others)
    await world.settle(8)

    assert "pricing" in running(world)
    assert "start checkout" not in world.comment
    assert world.status.lifecycle.stopped == ()


async def test_a_fork_s_service_is_started_again_by_the_whole_commit_only() -> None:
    world, head = World(), A
    world.github.paths, world.github.fork = BOTH, True
    world.poke()
    await world.settle(2)
    world.say(f"/preview start {head}")
    await world.settle(8)
    world.say("/preview stop checkout")
    await world.settle(8)
    world.say("/preview start checkout")
    await world.settle(8)
    assert running(world) == {"pricing"}

    world.say(f"/preview start {head} checkout")
    await world.settle(8)
    assert running(world) == {"checkout", "pricing"}


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("/preview stop chekout", "There is no service `chekout`"),
        ("/preview start chekout", "This pull request changes checkout"),
        ("/preview start pricing", "changes nothing of `pricing`"),
        ("/preview logs pricing", "changes nothing of `pricing`"),
    ],
)
async def test_a_service_that_is_not_there_is_answered_with_those_that_are(command: str, words: str) -> None:
    world = await ready()
    number = world.say(command)
    await world.settle(6)

    assert world.github.reacted == [(number, "confused")]
    (answer,) = world.answers
    assert words in answer
    assert world.status.phase is Phase.READY


async def test_a_service_that_is_named_like_a_commit_is_that_service() -> None:
    world = World()
    world.github.paths = BOTH
    world.github.configuration = world.github.configuration.replace("  checkout:", "  deadbee:")
    world.registry.images = world.registry.images | {f"deadbee:{world.github.head_sha}"}
    await ready(world)
    world.say("/preview stop deadbee")
    await world.settle(8)
    assert [each.name for each in world.status.lifecycle.stopped] == ["deadbee"]
    world.say("/preview start deadbee")
    await world.settle(8)

    assert world.status.lifecycle.stopped == ()
    assert world.status.phase is Phase.READY


@pytest.mark.parametrize(
    ("before", "command", "suggestion"),
    [
        ("/preview stop", "/preview extnd 2h", "did you mean `/preview start`?"),
        ("/preview status", "/preview stpo", "did you mean `/preview stop`?"),
    ],
)
async def test_what_is_suggested_would_be_carried_out_now(before: str, command: str, suggestion: str) -> None:
    world = await ready()
    world.say(before)
    await world.settle(8)
    world.say(command)
    await world.settle(6)

    assert suggestion in world.answers[-1]


async def test_of_a_fork_the_whole_commit_is_suggested() -> None:
    world = World()
    world.github.fork = True
    world.poke()
    await world.settle(2)
    world.say("/preview strat")
    await world.settle(4)

    assert f"did you mean `/preview start {world.github.head_sha}`?" in world.answers[-1]


async def test_of_a_closed_pull_request_only_what_may_be_asked_is_suggested() -> None:
    world = await ready()
    world.github.state = "closed"
    world.say("/preview strat")
    await world.settle(3)

    assert any("did you mean `/preview status`?" in answer for answer in world.answers)
