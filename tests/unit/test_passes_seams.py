"""Whole passes at the seams of a pass: what a stage finds out must not be lost on the way to the next one."""

from __future__ import annotations

from typing import Any

from previewbot.api import Phase, Reason
from previewbot.errors import Forbidden, Invalid
from tests.support.passes import BROKEN, B, World, ready

# A route that is refused


async def refused() -> World:
    """Return a world whose preview waits for a route that the cluster refuses."""
    world = World()
    world.fail("apply route", by=Forbidden("apply route", status=403, message="not yours"))
    await world.settle()
    assert (world.status.phase, world.status.reason) == (Phase.FAILED, Reason.ROUTE_REFUSED)
    return world


async def test_while_a_route_is_refused_its_services_have_failed_since_it_was() -> None:
    world = await refused()
    since = world.service.since
    await world.run()

    assert world.service.since == since


async def test_a_route_that_was_refused_before_there_was_one_is_not_deleted_anywhere() -> None:
    world = await refused()
    await world.run()

    assert "delete route" not in world.calls.made


async def test_a_session_that_cannot_be_made_in_the_pass_in_which_the_route_is_taken_is_told_of() -> None:
    world = await refused()
    world.mend()
    world.fail("create session", by=Invalid("create session", status=422, message="no such field"))
    await world.run()

    assert (world.service.phase, world.service.reason) == (Phase.FAILED, Reason.SESSION_FAILED)
    assert "no such field" in world.service.failure_message


# A text that is refused


async def test_a_text_that_was_refused_and_is_not_wanted_any_more_is_no_reason_for_a_warning() -> None:
    world = await ready()
    world.fail("update comment", by=Forbidden("update comment", status=403, message="locked"))
    configuration = world.github.configuration
    world.configure(BROKEN)
    await world.settle(3)
    assert reported(world) == "False"

    world.configure(configuration)
    await world.settle(3)

    assert reported(world) == "True"


def reported(world: World) -> Any:
    return {condition.type: condition.status for condition in world.status.conditions}["Reported"]


# What nobody asks for any more


async def test_the_failure_of_a_target_that_is_not_configured_any_more_is_forgotten() -> None:
    world = World()
    world.cluster.session_status = {"phase": "Failed", "failureMessage": "boom"}
    await world.settle(4)
    assert [child.failed_attempt != "" for child in world.status.children if child.service] == [True]

    world.configure(world.github.configuration.replace("deployment/checkout", "deployment/till"))
    world.push(B, built=True)
    await world.settle(6)

    assert len([child for child in world.status.children if child.service]) == 1


# What a Preview of the same name left behind


async def test_what_an_owner_that_is_gone_left_makes_way_although_the_image_is_still_awaited() -> None:
    world = await ready()
    world.push(B, built=False)
    (session,) = world.cluster.sessions.values()
    session["metadata"]["ownerReferences"][0]["uid"] = "an owner that is gone"
    world.cluster.operator_removes = False
    await world.settle(3)

    assert (world.service.phase, world.service.reason) == (Phase.DEPLOYING, Reason.REPLACING)
    (session,) = world.cluster.sessions.values()
    assert "deletionTimestamp" in session["metadata"]
