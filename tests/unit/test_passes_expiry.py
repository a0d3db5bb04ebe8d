"""What serves has an end: whatever happens around the moment at which a preview's time is up."""

from __future__ import annotations

from datetime import timedelta

import pytest

from previewbot.api import Phase
from previewbot.errors import Forbidden, RemoteError, TryLater
from tests.support.passes import BROKEN, CONFIGURATION, GITHUB, A, B, World, ready

LONG = timedelta(hours=80)
"""Longer than any preview lives."""


def to_expiry(world: World, **before: float) -> None:
    """Move to the end of the preview's time, or to some time before it."""
    assert world.status.lifecycle.expires_at is not None
    world.clock.now = world.status.lifecycle.expires_at - timedelta(**before)


async def expired(world: World) -> World:
    """Let the time be up, while the gateway does not follow yet: the session is still there."""
    to_expiry(world)
    world.cluster.gateway.follows = False
    await world.run()
    assert world.serving == [A]
    return world


# A push around the end


async def test_a_commit_pushed_before_the_expired_session_is_gone_does_not_let_it_serve_on() -> None:
    world = await expired(await ready())
    world.clock.forward(seconds=2)
    world.push(B, built=False)
    await world.settle(10, seconds=2)

    assert world.serving == []
    assert (world.status.phase, world.status.observed.head_sha) == (Phase.AWAITING_IMAGE, B)
    assert world.cluster.leads_to() == "page"


async def test_it_starts_the_new_commit_once_the_old_session_is_gone() -> None:
    world = await expired(await ready())
    world.clock.forward(seconds=2)
    world.push(B)
    await world.settle(15, seconds=2)

    assert world.serving == [B]
    assert world.status.lifecycle.expires_at is not None
    assert world.status.lifecycle.expires_at > world.clock.now + timedelta(hours=1)


async def test_a_commit_pushed_shortly_before_the_end_is_previewed_when_its_image_is_there() -> None:
    world = await ready()
    to_expiry(world, minutes=1)
    world.push(B, built=False)
    await world.settle(30)
    assert world.serving == []
    assert world.status.phase is Phase.AWAITING_IMAGE

    world.push(B)
    await world.settle()
    assert world.serving == [B]


async def test_a_commit_pushed_while_the_controller_was_away_over_the_end_is_previewed() -> None:
    world = await ready()
    to_expiry(world, minutes=5)
    world.push(B)
    world.clock.forward(hours=12)
    world.restart()
    await world.settle()

    assert world.serving == [B]
    assert world.status.lifecycle.ended is None


async def test_the_same_commit_stays_expired() -> None:
    world = await ready()
    to_expiry(world)
    await world.settle()
    world.poke()
    await world.settle()

    assert world.serving == []
    assert world.status.phase is Phase.EXPIRED


# GitHub, and its slowness, are no part of the end


async def test_at_the_end_the_session_goes_before_github_is_asked_anything() -> None:
    world = await ready()
    to_expiry(world)
    world.poke()
    await world.run()

    assert "apply route" in world.calls.made
    assert not set(GITHUB) & set(world.calls.made)


async def test_nothing_is_said_to_github_between_the_routes_turn_and_the_end_of_the_session() -> None:
    world = await expired(await ready())
    for _ in range(4):
        world.clock.forward(seconds=1)
        await world.run()
        assert not set(GITHUB) & set(world.calls.made)
    world.clock.forward(seconds=12)
    await world.settle()

    assert world.serving == []
    assert "its time was up" in world.comment


async def test_while_github_is_away_the_session_goes_on_time() -> None:
    world = await ready()
    world.fail_github(TryLater("GitHub", after=3600))
    world.poke()
    await world.run()
    assert world.outcome.requeue_after == pytest.approx(8 * 3600, abs=120)
    to_expiry(world)
    await world.settle(3, seconds=2)

    assert world.serving == []
    assert world.cluster.leads_to() == "page"


# The route, and its failure, are no part of it either


@pytest.mark.parametrize("error", [TryLater("route", status=500), Forbidden("route", status=403)])
@pytest.mark.parametrize("close", [True, False])
async def test_a_route_that_cannot_be_written_does_not_keep_a_session(
    error: RemoteError, close: bool
) -> None:
    world = await ready()
    world.fail("apply route", by=error)
    if close:
        world.close()
    else:
        to_expiry(world)
    await world.settle(20, seconds=2)

    assert world.serving == []


async def test_a_route_that_fails_for_a_moment_is_waited_for() -> None:
    world = await ready()
    world.fail("apply route", by=TryLater("route", status=500))
    to_expiry(world)
    await world.run()
    assert world.serving == [A]
    assert world.outcome.requeue_after is not None and world.outcome.requeue_after <= 2
    world.mend()
    await world.settle()

    assert world.serving == []
    assert world.cluster.leads_to() == "page"


async def test_a_push_waits_for_a_route_that_fails_rather_than_show_staging() -> None:
    world = await ready()
    world.fail("apply route", by=TryLater("route", status=500))
    world.push(B)
    await world.settle(30)
    assert world.serving == [A]
    world.mend()
    await world.settle()

    assert world.serving == [B]


async def test_a_repository_that_is_gone_is_torn_down_whatever_the_route_says() -> None:
    world = await ready()
    world.github.covering.clear()
    world.github.installations.clear()
    world.fail("apply route", "delete route", by=Forbidden("route", status=403))
    world.poke()
    await world.settle()

    assert world.cluster.sessions == {}
    assert world.cluster.preview is None


# Every way to serve starts a clock


async def test_what_becomes_ready_while_the_configuration_is_broken_has_an_end() -> None:
    world = World()
    world.cluster.session_status = {"phase": "Waiting"}
    await world.settle(3)
    world.configure(BROKEN)
    await world.settle(2)
    world.cluster.session_becomes("Ready")
    await world.run()
    assert world.status.lifecycle.expires_at is not None
    world.clock.now += LONG
    await world.settle()

    assert world.serving == []


async def test_correcting_the_configuration_does_not_start_the_clock_again() -> None:
    world = World()
    world.cluster.session_status = {"phase": "Waiting"}
    await world.settle(3)
    world.configure(BROKEN)
    world.cluster.session_becomes("Ready")
    await world.settle(2)
    end = world.status.lifecycle.expires_at
    world.clock.forward(hours=1)
    world.configure(CONFIGURATION)
    await world.settle()

    assert (world.status.phase, world.status.lifecycle.expires_at) == (Phase.READY, end)


async def test_a_start_of_a_commit_without_an_image_gives_what_still_serves_an_end() -> None:
    world = await expired(await ready())
    world.push(B, built=False)
    world.say("/preview start")
    world.cluster.gateway.follows = True
    await world.settle()
    assert world.serving == [] or world.status.lifecycle.expires_at is not None
    world.clock.now += LONG
    await world.settle()

    assert world.serving == []


async def test_a_stop_that_github_cannot_be_told_of_holds() -> None:
    world = await ready()
    world.say("/preview stop")
    world.fail("react", "update comment", by=TryLater("GitHub", status=502))
    await world.settle()

    assert world.serving == []


async def test_a_new_commit_starts_the_clock_anew_and_never_shortens_what_was_extended() -> None:
    world = await ready()
    world.say("/preview extend 40h")
    await world.settle(3)
    extended = world.status.lifecycle.expires_at
    world.push(B)
    await world.settle()

    assert world.serving == [B]
    assert world.status.lifecycle.expires_at == extended
