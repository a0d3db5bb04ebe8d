"""`/preview restart`: what runs is replaced by a fresh start of the same commit, once, whatever happens."""

from __future__ import annotations

import pytest

from previewbot.api import Phase, Reason
from previewbot.errors import TryLater
from tests.support.passes import BOTH, A, B, World, ready
from tests.unit.test_another_kind import DatabaseWorld


def uids(world: World) -> set[str]:
    """Return the uids of the sessions that exist."""
    return {session["metadata"]["uid"] for session in world.cluster.sessions.values()}


async def test_every_session_is_replaced_once_and_the_answer_comes_when_the_new_ones_are_ready() -> None:
    world = World()
    world.github.paths = BOTH
    await ready(world)
    before = uids(world)
    world.cluster.session_status = {"phase": "Waiting"}
    world.say("/preview restart")
    await world.settle()

    assert uids(world) & before == set()
    assert (world.status.phase, world.status.reason) == (Phase.DEPLOYING, Reason.CREATING)
    assert [reply.eyes_given for reply in world.status.replies] == [True]

    fresh = uids(world)
    world.cluster.session_becomes("Ready")
    await world.settle()
    assert (world.serving, world.status.replies) == ([A, A], ())
    assert uids(world) == fresh


async def test_the_link_leads_to_the_page_meanwhile_and_the_time_goes_on() -> None:
    world = await ready()
    end = world.status.lifecycle.expires_at
    world.cluster.gateway.follows = False
    world.say("/preview restart")
    await world.run()

    assert world.serving == [A]
    assert world.cluster.leads_to() == "page"
    world.cluster.gateway.follows = True
    await world.settle()
    assert world.cluster.leads_to() == "staging"
    assert world.status.lifecycle.expires_at == end


async def test_a_restart_of_the_controller_or_an_error_in_between_forgets_nothing() -> None:
    world = await ready()
    before = uids(world)
    world.say("/preview restart")
    world.fail("delete session", by=TryLater("it", status=502))
    await world.settle(3)
    world.restart()
    world.mend()
    await world.settle()

    assert (world.serving, uids(world) & before) == ([A], set())


async def test_a_push_meanwhile_is_what_starts() -> None:
    world = await ready()
    world.say("/preview restart")
    world.push(B)
    await world.settle()

    assert world.serving == [B]


@pytest.mark.parametrize("ended_by", ["/preview stop", ""])
async def test_what_ended_or_failed_begins_again_as_with_start(ended_by: str) -> None:
    world = await ready()
    if ended_by:
        world.say(ended_by)
    else:
        world.cluster.session_becomes("Failed", failureMessage="KeyError")
    await world.settle()
    assert world.serving == []

    world.say("/preview restart")
    await world.settle()
    assert world.serving == [A]


async def test_what_a_session_works_on_is_not_made_again() -> None:
    world = DatabaseWorld()
    await world.settle()
    (database,) = [each["metadata"]["uid"] for each in world.there.values()]
    world.say("/preview restart")
    await world.settle()

    assert [each["metadata"]["uid"] for each in world.there.values()] == [database]
    assert world.serving == [A]


async def test_of_a_fork_it_needs_the_commit_as_start_does() -> None:
    world = World()
    world.github.fork = True
    world.say(f"/preview start {A}")
    await world.settle()
    before = uids(world)
    world.say("/preview restart")
    await world.settle()

    assert uids(world) == before
    assert "name the commit" in world.github.own_comments()[-1]

    world.say(f"/preview restart {A}")
    await world.settle()
    assert (world.serving, uids(world) & before) == ([A], set())
