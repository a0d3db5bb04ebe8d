"""Sessions and routes that are not as the controller left them."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from previewbot.api import PREVIEW_LABEL, Phase
from previewbot.errors import Forbidden, Invalid, TryLater
from tests.support.passes import BOTH, CONFIGURATION, A, B, World, ready

OTHER_TARGET = CONFIGURATION.replace(
    "target: deployment/checkout\n", "target: deployment/checkout/container/app\n"
)


def the_session(world: World) -> dict[str, Any]:
    (session,) = world.cluster.sessions.values()
    return session


# A target that changes


async def test_another_target_waits_until_the_session_before_is_gone() -> None:
    world = await ready()
    before = set(world.cluster.sessions)
    world.cluster.operator_removes = False
    world.configure(OTHER_TARGET)
    await world.settle(6)
    assert set(world.cluster.sessions) == before
    assert (world.status.phase, world.service.reason) == (Phase.DEPLOYING, "Replacing")

    world.cluster.sessions.clear()
    await world.settle()
    assert world.serving == [A]
    assert not set(world.cluster.sessions) & before


async def test_of_another_target_that_waits_for_a_silent_operator_that_is_told() -> None:
    world = await ready()
    world.cluster.operator_removes = False
    world.configure(OTHER_TARGET)
    await world.settle(3)
    world.clock.forward(minutes=5)
    await world.settle(2)

    assert world.status.reason == "OperatorSilent"
    assert "operator has not answered" in world.comment


# Sessions that another life left


@pytest.mark.parametrize("owners", [[], [{"uid": "of an older namesake"}]])
async def test_a_session_of_another_life_is_replaced(owners: list[dict[str, str]]) -> None:
    world = await ready()
    the_session(world)["metadata"]["ownerReferences"] = owners
    uid = the_session(world)["metadata"]["uid"]
    await world.settle()

    assert the_session(world)["metadata"]["uid"] != uid
    assert world.serving == [A]


async def test_a_session_of_another_life_that_does_not_go_is_told_of() -> None:
    world = await ready()
    the_session(world)["metadata"]["ownerReferences"] = []
    world.cluster.operator_removes = False
    await world.settle(8)
    world.clock.forward(minutes=5)
    await world.settle(2)

    assert world.status.reason == "OperatorSilent"


async def test_a_session_that_lost_its_label_is_replaced_by_one_that_has_it() -> None:
    world = await ready()
    del the_session(world)["metadata"]["labels"][PREVIEW_LABEL]
    await world.settle(6)

    assert world.labelled == list(world.cluster.sessions)
    assert world.serving == [A]


async def test_a_strangers_session_of_the_same_name_is_left_alone_and_told_of() -> None:
    world = await ready()
    name, stranger = the_session(world)["metadata"]["name"], copy.deepcopy(the_session(world))
    stranger["metadata"] |= {"labels": {}, "ownerReferences": [{"uid": "somebody"}], "uid": "a stranger's"}
    world.cluster.sessions = {name: stranger}
    await world.settle(6)

    assert the_session(world) == stranger
    assert (world.status.phase, world.status.reason) == (Phase.DEPLOYING, "TargetTaken")
    assert f"somebody else has a preview session named {name}" in world.comment
    assert not world.status.slot.held
    await world.settle(60, seconds=60)
    assert world.status.reason == "TargetTaken"

    world.cluster.sessions.clear()
    await world.settle()
    assert world.serving == [A]


# Sessions that somebody removes


async def test_a_session_may_vanish_once_for_each_commit() -> None:
    world = await ready()
    world.cluster.sessions.clear()
    await world.settle()
    world.push(B)
    await world.settle()
    world.cluster.sessions.clear()
    await world.settle()

    assert world.serving == [B]


async def test_a_session_that_vanishes_twice_is_not_made_a_third_time() -> None:
    world = await ready()
    for _ in range(2):
        world.cluster.sessions.clear()
        await world.settle()

    assert world.serving == []
    assert "removed from the cluster twice" in world.comment


# What the operator says


async def test_the_operators_words_are_masked_and_bounded() -> None:
    world = World()
    world.cluster.session_status = {"phase": "Waiting"}
    await world.settle(2)
    message = "pull from https://bot:hunter2pass@registry.acme/x\nfailed: " + "x " * 5_000
    world.cluster.session_becomes("Failed", failureMessage=message)
    await world.settle(3)

    assert "hunter2pass" not in world.comment
    assert "hunter2pass" not in str(world.cluster.preview)
    assert len(world.service.failure_message) <= 300


async def test_a_session_that_a_policy_refuses_is_told_of_as_the_platform_teams_matter() -> None:
    world = World()
    name = 'previewsessions.preview.mirrord.metalbear.co "pcedtc4nb2m-shop-42-4108e646"'
    policy = "ValidatingAdmissionPolicy 'previewbot-sessions' with binding 'previewbot-sessions'"
    reason = "a session has one replica, and not 2"
    refusal = f"{name} is forbidden: {policy} denied request: {reason}"
    world.fail("create session", by=Invalid("create PreviewSession", status=422, message=refusal))
    await world.settle(4)

    assert (world.status.phase, world.status.reason) == (Phase.FAILED, "ServiceFailed")
    assert "which is for your platform team" in world.comment
    assert f"the policy previewbot-sessions says: {reason}" in world.comment


# Routes


async def test_a_route_that_the_cluster_refuses_is_told_of_and_tried_again() -> None:
    world = World()
    refusal = "denied by the policy no-wildcards"
    world.fail("apply route", by=Forbidden("apply route", status=403, message=refusal))
    await world.settle(4)
    assert (world.status.phase, world.status.reason) == (Phase.FAILED, "RouteRefused")
    assert refusal in world.comment
    assert world.cluster.sessions == {}
    told = world.comment
    await world.settle(3)
    assert world.comment == told

    world.mend()
    await world.settle(3)
    assert world.serving == [A]
    assert world.status.phase is Phase.READY
    assert refusal not in world.comment


async def test_a_refused_route_fails_nothing_that_serves_already() -> None:
    world = await ready()
    world.fail("apply route", by=Forbidden("apply route", status=403, message="no more"))
    world.poke()
    await world.settle(4)

    assert world.status.phase is Phase.READY
    assert world.serving == [A]


async def test_a_route_that_fails_for_a_moment_is_no_news() -> None:
    world = World()
    world.fail("apply route", by=TryLater("apply route", status=500))
    await world.settle(3)

    assert world.status.phase is Phase.DEPLOYING
    assert "is starting" in world.comment


async def test_a_route_that_somebody_deleted_is_made_again() -> None:
    world = await ready()
    world.cluster.routes.clear()
    await world.run()

    assert world.cluster.leads_to() == "staging"


# What is said while an older commit serves


async def test_of_a_service_whose_older_commit_serves_nobody_says_that_staging_answers() -> None:
    world = World()
    world.github.paths = BOTH
    await ready(world)
    world.push(B, built=False)
    world.registry.images.add(f"checkout:{B}")
    await world.settle()

    assert world.serving == sorted([A, B])
    assert f"until then `{A[:7]}` answers" in world.comment
    assert "staging's answers" not in world.comment


async def test_of_a_service_that_never_ran_staging_answers() -> None:
    world = World()
    world.github.paths = BOTH
    world.registry.images.discard(f"pricing:{A}")
    await world.settle()

    assert "until then staging's answers" in world.comment
