"""A preview that sleeps and wakes: the link stays, nobody is told twice, and nothing of ours wakes it."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from previewbot.api import Phase, Reason
from previewbot.engine.idle import AFTER
from previewbot.rules.link_answers import Answer
from tests.support.passes import A, World, ready
from tests.support.pods import a_pod, container, containers, ended, waiting

SINCE = "2026-11-24T09:30:00.000000Z"


async def asleep() -> World:
    """Return a world whose session was ready, and sleeps."""
    world = await ready()
    world.cluster.session_becomes("Idle", idleSince=SINCE)
    await world.settle(3)
    assert (world.status.phase, world.status.reason) == (Phase.IDLE, Reason.ASLEEP)
    return world


def wakes(world: World, phase: str = "Waiting") -> None:
    """Let mirrord begin to wake every session."""
    world.cluster.session_becomes(phase, idleSince=SINCE)


# Waking


@pytest.mark.parametrize("phase", ["Waiting", "Initializing"])
async def test_while_it_wakes_the_link_stays_for_whoever_waits_for_their_answer(phase: str) -> None:
    world = await asleep()
    link, leads = world.status.link, world.cluster.leads_to()
    wakes(world, phase)
    await world.settle(3)

    assert (world.status.phase, world.status.reason) == (Phase.IDLE, Reason.WAKING)
    assert world.service.serving_sha == A
    # Whoever opened it is held by mirrord meanwhile; their next request must not get somewhere else.
    assert (world.status.link, world.cluster.leads_to()) == (link, leads) == (link, "staging")


async def test_it_is_known_to_wake_also_where_mirrord_does_not_say_since_when_it_slept() -> None:
    world = await asleep()
    world.cluster.session_becomes("Waiting")
    await world.settle(6)
    assert (world.status.reason, world.cluster.leads_to()) == (Reason.WAKING, "staging")
    # After a restart too: what it was is recorded.
    world.restart()
    await world.settle(2)
    assert (world.status.reason, world.cluster.leads_to()) == (Reason.WAKING, "staging")

    world.cluster.session_becomes("Ready")
    await world.settle(2)
    assert world.status.reason is Reason.ALL_READY


async def test_one_that_wakes_is_no_news_in_the_pull_request() -> None:
    world = await asleep()
    comment = world.comment
    assert "(asleep: opens in about a minute)" in comment
    wakes(world)
    await world.settle(3)

    assert world.comment == comment
    world.cluster.session_becomes("Ready")
    await world.settle(3)
    assert "asleep" not in world.comment


async def test_one_that_takes_long_to_wake_has_not_failed() -> None:
    world = await asleep()
    wakes(world)
    for _ in range(10):
        world.clock.forward(seconds=120)
        await world.run()

    assert world.status.reason is Reason.WAKING
    assert world.labelled


async def test_one_that_starts_for_the_first_time_is_not_taken_for_one_that_wakes() -> None:
    world = World()
    world.cluster.session_status = {"phase": "Waiting"}
    await world.settle(4)

    assert (world.status.phase, world.status.reason) == (Phase.DEPLOYING, Reason.CREATING)
    assert world.cluster.leads_to() == "page"


async def test_what_keeps_it_from_waking_is_told() -> None:
    world = await asleep()
    wakes(world)
    crashing = containers(container(waiting("CrashLoopBackOff"), ended(1), restarts=3))
    for session in world.cluster.sessions.values():
        uid = session["metadata"]["uid"]
        world.pods[uid] = (a_pod(uid, crashing, uid="a pod"),)
    await world.settle(2)

    assert world.service.pod_problem is not None
    assert world.service.pod_problem.reason is Reason.CRASHING
    assert (world.status.phase, world.status.reason) == (Phase.READY, Reason.PARTIAL)
    assert "crashes" in world.comment


# Nothing of ours wakes it, or keeps it awake


async def test_nothing_that_sleeps_is_asked_for_a_day() -> None:
    world = await asleep()
    world.links.asked.clear()
    expires_at = world.status.lifecycle.expires_at
    assert expires_at is not None
    while world.clock.now < expires_at - timedelta(minutes=1):
        await world.run()
        world.clock.forward(seconds=world.outcome.requeue_after or 3600)

    assert world.links.asked == []


async def test_one_whose_link_is_proven_is_asked_once_and_then_left_alone() -> None:
    world = await ready()
    asked = len(world.links.asked)
    for _ in range(50):
        await world.run()
        world.clock.forward(seconds=300)

    assert len(world.links.asked) == asked


async def test_a_link_that_is_no_good_is_asked_so_seldom_in_the_end_that_it_can_sleep() -> None:
    world = World()
    world.links.answer = Answer(502)
    await world.settle()
    times = []
    end = world.clock.now + timedelta(hours=5)
    while world.clock.now < end:
        before = len(world.links.asked)
        await world.run()
        if len(world.links.asked) > before:
            times.append(world.clock.now)
        world.clock.forward(seconds=max(1.0, world.outcome.requeue_after or 600))

    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert len(pauses) < 40
    assert any(pause > AFTER for pause in pauses)
    # It was mended then, and nothing of ours wakes it to find out: its comment says what does.
    world.cluster.session_becomes("Idle", idleSince=SINCE)
    world.links.answer = Answer(200)
    asked = len(world.links.asked)
    await world.settle(3, seconds=3600)
    assert len(world.links.asked) == asked
    assert "The preview sleeps by now" in world.comment
    assert "/preview restart" in world.comment
    world.say("/preview restart")
    await world.settle()
    assert "[Open the preview]" in world.comment
