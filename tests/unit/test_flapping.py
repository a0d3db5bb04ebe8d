"""What comes and goes is one steady problem, and an hour of it is a handful of edits of the comment."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from previewbot.api import Phase, Reason
from previewbot.errors import Forbidden, RemoteError, TryLater
from tests.support.passes import B, World, ready
from tests.support.pods import a_pod, container, containers, crash_loop, ended, moment, running, waiting, well

HOUR = 3600.0


class Flapping:
    """A Ready preview whose container runs for a while, ends, and is started again."""

    def __init__(self, world: World, *, runs: float, probe: bool = True) -> None:
        self.world, self.runs, self.probe = world, runs, probe
        self.edits: list[datetime] = []
        self.restarts = 0
        self.started = world.clock.now
        self.last: dict[str, Any] | None = None

    def shows(self) -> None:
        """Let the container have ended and begun as often as the clock says, and its pod say so."""
        now = self.world.clock.now
        while now - self.started >= timedelta(seconds=self.runs):
            over = self.started + timedelta(seconds=self.runs)
            times = {"startedAt": moment(self.started), "finishedAt": moment(over)}
            self.last, self.restarts, self.started = ended(137, **times), self.restarts + 1, over
        status = container(
            running(now, (now - self.started).total_seconds()), self.last, restarts=self.restarts
        )
        [session] = self.world.cluster.sessions.values()
        uid = session["metadata"]["uid"]
        ready = {**status, "ready": True} if self.probe else status
        self.world.pods[uid] = (a_pod(uid, containers(ready), uid="pod"),)

    async def lives(self, seconds: float, step: float = 5) -> None:
        """Let time go by; a pass whenever one is due, and with each change of the pod."""
        end = self.world.clock.now + timedelta(seconds=seconds)
        while self.world.clock.now < end:
            before = self.world.comment
            self.shows()
            await self.world.run()
            if self.world.comment != before:
                self.edits.append(self.world.clock.now)
            self.world.clock.forward(seconds=step)


async def test_a_liveness_probe_that_kills_every_90_seconds_is_told_once_an_hour() -> None:
    flapping = Flapping(await ready(), runs=90)
    await flapping.lives(HOUR)

    assert flapping.restarts >= 38
    assert len(flapping.edits) <= 2
    assert "crashes again and again" in flapping.world.comment


async def test_a_restart_of_the_controller_forgets_nothing_of_it() -> None:
    flapping = Flapping(await ready(), runs=90)
    for _ in range(10):
        await flapping.lives(HOUR / 10)
        flapping.world.restart()

    assert len(flapping.edits) <= 2


async def test_it_is_over_once_it_has_run_for_longer_than_ever_before() -> None:
    flapping = Flapping(await ready(), runs=90)
    await flapping.lives(600)
    assert "crashes again and again" in flapping.world.comment
    problem = flapping.world.service.pod_problem
    assert problem is not None and problem.longest_run == 90

    flapping.runs = 10 * HOUR
    await flapping.lives(80)
    assert "crashes again and again" in flapping.world.comment
    await flapping.lives(160)
    assert "crashes again and again" not in flapping.world.comment


async def test_longer_and_longer_runs_are_not_told_of_each_time() -> None:
    """Each run is the longest so far, so each is calm for a while: the bound holds whatever the rule
    misses."""
    flapping = Flapping(await ready(), runs=90)
    for _ in range(4):
        await flapping.lives(HOUR / 4)
        flapping.runs *= 2.5

    assert len(flapping.edits) <= 12


async def test_a_pod_that_is_now_in_one_trouble_and_now_in_another_is_bounded_and_the_last_word_stands() -> (
    None
):
    world = await ready()
    [session] = world.cluster.sessions.values()
    uid, edits, times = session["metadata"]["uid"], 0, []
    states = [
        crash_loop(),
        containers(container(waiting("ImagePullBackOff", "registry says: not found"))),
        well(world.clock.now),
        containers(container(waiting("CrashLoopBackOff"), ended(137, "OOMKilled"), restarts=2)),
    ]
    for number in range(180):
        before = world.comment
        world.pods[uid] = (a_pod(uid, states[number % len(states)], uid="pod"),)
        await world.run()
        if world.comment != before:
            edits += 1
            times.append(world.clock.now)
        world.clock.forward(seconds=20)
    assert edits <= 12

    # Each is told at the latest when its turn comes, and by itself.
    world.pods[uid] = (a_pod(uid, crash_loop(), uid="pod"),)
    for _ in range(70):
        await world.run()
        world.clock.forward(seconds=world.outcome.requeue_after or 10)
    assert "crashes again and again" in world.comment


async def until_held(world: World) -> str:
    """Let a container crash and heal until words are held back; return the uid of its session."""
    [session] = world.cluster.sessions.values()
    uid: str = session["metadata"]["uid"]
    for number in range(60):
        world.pods[uid] = (a_pod(uid, crash_loop() if number % 2 else well(world.clock.now), uid="pod"),)
        await world.run()
        if world.status.reports["comment"].held_until is not None:
            return uid
        world.clock.forward(seconds=15)
    raise AssertionError("nothing was held back")


@pytest.mark.parametrize("what", ["a commit", "an end", "a failure", "an extension"])
async def test_what_people_wait_for_is_never_held_back(what: str) -> None:
    world = await ready()
    await until_held(world)
    held = world.status.reports["comment"].held_until
    assert held is not None and held > world.clock.now + timedelta(minutes=1)
    before = world.comment

    if what == "a commit":
        world.push(B, built=False)
    elif what == "an end":
        world.say("/preview stop")
    elif what == "an extension":
        world.say("/preview extend 2h")
    else:
        world.cluster.session_becomes("Failed", failureMessage="the node is gone")
    await world.settle(4, seconds=2)

    assert world.comment != before
    assert world.clock.now < held
    if what == "a failure":
        assert "the node is gone" in world.comment


@pytest.mark.parametrize(
    "says",
    [
        TryLater("update comment", status=502, message="bad gateway"),
        TryLater("update comment", status=403, message="a secondary rate limit", after=3600),
        Forbidden("update comment", status=403, message="this conversation is locked"),
    ],
    ids=["it is down", "it limits us", "it refuses"],
)
async def test_words_that_github_does_not_take_when_their_time_has_come_are_left_to_its_backoff(
    says: RemoteError,
) -> None:
    world = await ready()
    await until_held(world)
    held = world.status.reports["comment"].held_until
    assert held is not None
    world.fail("update comment", by=says)

    world.clock.now = held
    for _ in range(5):
        await world.run()
        pause = world.outcome.requeue_after
        if world.status.phase is Phase.STOPPING:
            # What is refused for good is not sent again before its end, whose words wait for the removal.
            break
        assert world.outcome.error is not None
        assert pause is None or pause >= 10, "what it waits for else comes sooner, and no edit"
        world.clock.forward(seconds=pause or 10)

    world.mend()
    world.clock.forward(minutes=5)
    await world.settle(3, seconds=15)
    assert world.status.reports["comment"].held_until is None


async def test_what_was_held_back_and_is_not_so_any_more_is_never_said() -> None:
    world = await ready()
    uid = await until_held(world)
    told = world.comment
    well_told = "crashes" not in told
    world.pods[uid] = (a_pod(uid, well(world.clock.now) if well_told else crash_loop(), uid="pod"),)
    await world.run()

    assert world.comment == told
    assert world.status.reports["comment"].held_until is None
    assert (world.status.phase, world.status.reason) == (
        Phase.READY,
        Reason.ALL_READY if well_told else Reason.PARTIAL,
    )
