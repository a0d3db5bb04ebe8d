"""A namespace in which previewbot has no role (403): nothing is made or forgotten there; the others go on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from previewbot.api import Phase, Reason
from previewbot.errors import Forbidden
from tests.support.passes import BOTH, CONFIGURATION, A, B, World

MONEY = "money"
PRICING_ELSEWHERE = CONFIGURATION.replace(
    "    target: deployment/pricing\n    namespace: staging\n",
    f"    target: deployment/pricing\n    namespace: {MONEY}\n",
)


def a_world(*files: str, **settings: Any) -> World:
    """Return a world whose `pricing` lives in a namespace of its own, and that changes these files."""
    assert MONEY in PRICING_ELSEWHERE
    world = World(**{"cluster": {"namespaces": ["staging", MONEY]}, **settings})
    world.configure(PRICING_ELSEWHERE)
    world.github.paths = files
    return world


def services(world: World) -> dict[str, tuple[Phase, Reason | None]]:
    return {service.name: (service.phase, service.reason) for service in world.status.services}


def sessions_in(world: World, namespace: str) -> list[str]:
    found = world.cluster.sessions.values()
    return [s["metadata"]["uid"] for s in found if s["metadata"]["namespace"] == namespace]


FORBIDDEN = (Phase.DEPLOYING, Reason.NAMESPACE_FORBIDDEN)
ALONE = (BOTH[1],)


async def test_the_services_of_other_namespaces_run_and_the_comment_says_whose_matter_the_rest_is() -> None:
    world = a_world(*BOTH)
    world.cluster.forbidden = {MONEY}

    await world.settle()

    assert services(world) == {"checkout": (Phase.READY, None), "pricing": FORBIDDEN}
    assert (world.status.phase, world.status.reason) == (Phase.READY, Reason.PARTIAL)
    assert world.outcome.error is None and world.status.last_error == ""
    assert (
        f"previewbot may not look into its namespace `{MONEY}`, which is for your platform team"
        in world.comment
    )
    assert world.cluster.leads_to() == "staging"


async def test_a_preview_that_has_nothing_there_does_not_notice() -> None:
    world = a_world(BOTH[0])
    world.cluster.forbidden = {MONEY}

    await world.settle()

    assert services(world) == {"checkout": (Phase.READY, None)}
    assert world.status.reason is Reason.ALL_READY
    assert MONEY not in world.comment


async def test_nothing_is_made_where_it_could_not_be_seen_and_no_slot_is_taken_for_it() -> None:
    world = a_world(*ALONE)
    world.cluster.forbidden = {MONEY}

    await world.settle()

    assert services(world) == {"pricing": FORBIDDEN}
    assert world.cluster.sessions == {} and not world.status.slot.held
    assert f"previewbot may not look into the namespace `{MONEY}`" in world.comment
    assert "This is for your platform team" in world.comment
    assert world.outcome.requeue_after is not None and world.outcome.requeue_after <= 60


async def test_it_goes_on_by_itself_with_the_role() -> None:
    world = a_world(*ALONE)
    world.cluster.forbidden = {MONEY}
    await world.settle()

    world.cluster.forbidden.clear()
    await world.settle()

    assert services(world) == {"pricing": (Phase.READY, None)}
    assert world.serving == [A]


async def running(*files: str, **settings: Any) -> tuple[World, list[str]]:
    """Return a world that serves, whose namespace then refuses previewbot; and what runs there."""
    world = await a_world(*files, **settings).settle()
    there = sessions_in(world, MONEY)
    assert len(there) == 1
    world.cluster.forbidden = {MONEY}
    return world, there


async def test_what_runs_there_is_not_forgotten_and_not_made_anew_when_the_role_is_back() -> None:
    world, there = await running(*BOTH)

    await world.settle()
    assert services(world)["pricing"] == FORBIDDEN
    assert world.status.slot.held
    assert [child.uid for child in world.status.children if child.namespace == MONEY] == there
    world.cluster.forbidden.clear()
    await world.settle()

    assert sessions_in(world, MONEY) == there
    assert services(world) == {"checkout": (Phase.READY, None), "pricing": (Phase.READY, None)}


async def test_a_push_replaces_what_can_be_seen_and_leaves_the_rest() -> None:
    world, there = await running(*BOTH)

    world.push(B)
    await world.settle()
    assert sessions_in(world, MONEY) == there and services(world)["checkout"] == (Phase.READY, None)
    world.cluster.forbidden.clear()
    await world.settle()

    assert world.serving == [B, B]
    assert sessions_in(world, MONEY) != there


async def test_the_slot_is_held_for_what_may_run_although_nobody_can_see_it() -> None:
    world, _ = await running(*ALONE)

    await world.settle()

    assert services(world) == {"pricing": FORBIDDEN} and world.status.slot.held


async def test_what_is_past_its_time_and_cannot_be_ended_is_not_called_over() -> None:
    world, there = await running(*ALONE)

    world.clock.forward(seconds=timedelta(hours=9).total_seconds())
    await world.settle()
    assert (world.status.phase, world.status.reason) == (Phase.STOPPING, Reason.REMOVAL_FORBIDDEN)
    assert world.status.slot.held and sessions_in(world, MONEY) == there
    assert "The preview should end, and cannot" in world.comment
    assert f"`{MONEY}`" in world.comment
    assert world.cluster.leads_to() == "page"
    assert world.outcome.requeue_after == 60
    world.cluster.forbidden.clear()
    await world.settle()

    assert (world.status.phase, world.status.reason) == (Phase.EXPIRED, Reason.TIME_UP)
    assert world.cluster.sessions == {} and not world.status.slot.held


async def test_the_rest_of_it_ends_on_time() -> None:
    world, there = await running(*BOTH)

    world.clock.forward(seconds=timedelta(hours=9).total_seconds())
    await world.settle()

    assert sessions_in(world, "staging") == [] and sessions_in(world, MONEY) == there


async def test_a_stop_ends_what_it_can_and_says_what_it_cannot() -> None:
    world, there = await running(*BOTH)

    world.say("/preview stop")
    await world.settle()

    assert sessions_in(world, "staging") == [] and sessions_in(world, MONEY) == there
    assert world.status.reason is Reason.REMOVAL_FORBIDDEN


async def test_a_new_commit_does_not_begin_a_time_of_its_own_beside_what_should_have_ended() -> None:
    world, there = await running(*ALONE)
    world.clock.forward(seconds=timedelta(hours=9).total_seconds())
    await world.settle()

    world.push(B)
    await world.settle()
    assert world.status.reason is Reason.REMOVAL_FORBIDDEN and sessions_in(world, MONEY) == there
    world.cluster.forbidden.clear()
    await world.settle()

    assert world.serving == [B] and world.status.phase is Phase.READY


async def test_with_a_closed_pull_request_the_preview_goes_and_its_owner_reference_ends_the_rest() -> None:
    world, _ = await running(*BOTH)

    world.close()
    await world.settle()

    assert world.cluster.preview is None
    assert sessions_in(world, "staging") == []
    assert "closed" in world.comment


async def test_a_service_that_moves_away_from_there_is_not_run_twice() -> None:
    world, there = await running(*ALONE)

    world.configure(CONFIGURATION)
    await world.settle()
    assert sessions_in(world, MONEY) == there and sessions_in(world, "staging") == []
    assert services(world) == {"pricing": FORBIDDEN}
    world.cluster.forbidden.clear()
    await world.settle()

    assert sessions_in(world, MONEY) == [] and len(sessions_in(world, "staging")) == 1


async def test_nothing_is_torn_down_while_github_cannot_be_read_either() -> None:
    world, there = await running(*BOTH)
    world.restart()
    world.fail_github(Forbidden("GitHub", status=403))

    await world.settle()

    assert sessions_in(world, MONEY) == there and len(sessions_in(world, "staging")) == 1
    assert world.cluster.leads_to() == "staging"
    assert world.status.slot.held


@pytest.mark.parametrize("files", [BOTH, ALONE])
async def test_a_restart_changes_nothing_of_it(files: tuple[str, ...]) -> None:
    world, there = await running(*files)
    await world.settle()
    before = services(world)

    world.restart()
    await world.settle()

    assert services(world) == before and sessions_in(world, MONEY) == there


async def test_the_entrys_namespace_that_refuses_is_told_as_a_refused_route() -> None:
    world = a_world(BOTH[1])
    world.cluster.forbidden = {"staging"}

    await world.settle()

    assert "cannot have a link" in world.comment and "platform team" in world.comment
    assert world.cluster.sessions == {}
