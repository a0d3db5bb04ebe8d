"""A pod that does not come up is explained within a minute, in Kubernetes' words, and by whose turn it is.

Each case enters at the pass, with the pod and the events that an API server has, and looks at the comment.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from previewbot.api import Phase, Reason, Turn
from previewbot.errors import Forbidden, TryLater
from tests.support.passes import ready
from tests.support.passes_over_pods import Session
from tests.support.pods import a_pod, container, containers, moment, running, waiting, well
from tests.support.pods_in_trouble import (
    LIVENESS,
    READINESS,
    REFUSALS,
    SCHEDULED,
    a_replica_set,
    an_event,
    creating,
    troubles,
    unready,
    unscheduled,
)
from tests.support.previews import NOW

TROUBLES = sorted(troubles(NOW))
MINUTE = 60.0
PLATFORMS = "for your platform team"


@pytest.mark.parametrize("name", TROUBLES)
async def test_is_explained_while_it_starts(name: str) -> None:
    session = await Session.starting()
    trouble = session.in_trouble(name)

    seconds = await session.lives(MINUTE, trouble.says)

    assert [words for words in trouble.says if words not in session.comment] == [], session.comment
    assert seconds < MINUTE
    reason = session.world.status.reason
    assert (session.world.status.phase, reason) == (Phase.DEPLOYING, Reason(trouble.reason))
    assert (PLATFORMS in session.comment) == trouble.platform
    assert reason is not None
    assert trouble.sidecar or (reason.info.turn is Turn.PLATFORM_TEAM) == trouble.platform


@pytest.mark.parametrize("name", TROUBLES)
async def test_is_explained_beside_the_link_of_a_session_that_mirrord_calls_ready(name: str) -> None:
    session = Session(await ready())
    trouble = session.in_trouble(name)

    assert await session.lives(MINUTE, ("Open the preview", *trouble.says)) < MINUTE, session.comment
    assert (session.world.status.phase, session.world.status.reason) == (Phase.READY, Reason.PARTIAL)
    assert (PLATFORMS in session.comment) == trouble.platform


@pytest.mark.parametrize("ready_already", [False, True])
@pytest.mark.parametrize("condition", [False, True])
@pytest.mark.parametrize("name", REFUSALS)
async def test_that_there_is_no_pod_at_all_is_explained(
    name: str, condition: bool, ready_already: bool
) -> None:
    session = Session(await ready()) if ready_already else await Session.starting()
    if ready_already:
        session.shows(a_pod(session.uid, well(session.now), uid="the pod before"))
        await session.lives(MINUTE)
    message, shown = REFUSALS[name]
    session.has_no_pod(message, condition=condition)
    session.shows()

    assert await session.lives(MINUTE, ("checkout gets no pod", shown, PLATFORMS)) < MINUTE, session.comment
    expected = Reason.PARTIAL if ready_already else Reason.POD_REFUSED
    assert session.world.status.reason is expected

    session.shows(a_pod(session.uid, well(session.now), uid="pod"))
    await session.lives(20)
    assert "gets no pod" not in session.comment


WELL: dict[str, Callable[[datetime], tuple[dict[str, Any], list[tuple[str, ...]]]]] = {
    "one that is pulling a large image": lambda now: (creating(), [("Pulling", "Pulling image", "Normal")]),
    "one whose volume came late": lambda now: (
        creating(),
        [
            ("FailedMount", "failed to sync configmap cache: timed out", "Warning", "50"),
            ("Pulling", "Pulling image", "Normal", "30"),
        ],
    ),
    "one whose volume came within the same second": lambda now: (
        creating(),
        [
            ("FailedMount", "failed to sync configmap cache: timed out", "Warning", "30"),
            ("Pulling", "Pulling image", "Normal", "30"),
        ],
    ),
    "one whose sidecar runs among the init containers": lambda now: (
        {
            "phase": "Running",
            "initContainerStatuses": [
                {**container(running(now, 100), name="istio-proxy"), "ready": True},
                container({"terminated": {"exitCode": 0, "reason": "Completed"}}, name="migrate"),
            ],
            "containerStatuses": [{**container(running(now, 30)), "ready": False}],
        },
        [],
    ),
    "one whose probe failed before it ran": lambda now: (
        unready(running(now, 30)),
        [("Unhealthy", READINESS, "Warning", "90")],
    ),
    "one whose init container has just begun": lambda now: (
        {
            "initContainerStatuses": [container(running(now, 5), name="migrate")],
            "containerStatuses": [container(waiting("PodInitializing"))],
        },
        [],
    ),
    "one of which only a harmless warning is told": lambda now: (
        creating(),
        [("DNSConfigForming", "Search Line limits were exceeded")],
    ),
    "one that is never ready by mirrord's gate alone": lambda now: (
        containers({**container(running(now, 300)), "ready": True}, conditions=[SCHEDULED]),
        [("Unhealthy", READINESS)],
    ),
}


@pytest.mark.parametrize("name", WELL)
async def test_of_what_may_still_come_up_nothing_is_told(name: str) -> None:
    session = await Session.starting()
    status, events = WELL[name](session.now)
    session.shows(a_pod(session.uid, status, uid="pod"))
    session.world.cluster.events = [an_event("pod", session.now, *event) for event in events]
    session.world.pods[session.uid][0]["spec"]["initContainers"] = [
        {"name": "istio-proxy", "restartPolicy": "Always"}
    ]

    await session.lives(20)

    assert session.world.status.reason is Reason.CREATING
    assert "is starting" in session.comment


async def test_what_begins_later_than_the_first_question_is_told_within_a_minute_too() -> None:
    session = await Session.starting(deadlines={"session": "30m"})
    session.shows(a_pod(session.uid, creating(), uid="pod", creationTimestamp=moment(session.now)))
    await session.lives(150)
    event = ("FailedMount", 'secret "checkout-tls" not found', "Warning", "0")
    session.world.cluster.events = [an_event("pod", session.now, *event)]

    assert await session.lives(MINUTE, ('secret "checkout-tls" not found',)) < MINUTE


async def test_of_two_volumes_of_which_kubernetes_speaks_in_turn_one_is_told() -> None:
    session = await Session.starting(deadlines={"session": "30m"})
    session.in_trouble("a Secret that a volume needs")
    await session.lives(MINUTE)
    told = session.comment
    other = (
        "FailedMount",
        "Unable to attach or mount volumes: unmounted volumes=[tls]: timed out",
        "Warning",
        "0",
    )
    session.world.cluster.events.append(an_event(f"pod of {session.uid}", session.now, *other))
    await session.lives(120)

    assert session.comment == told


async def test_what_keeps_it_from_starting_changes_and_so_do_the_words() -> None:
    session = await Session.starting(deadlines={"session": "30m"})
    session.in_trouble("a Secret that a volume needs")
    await session.lives(MINUTE)
    other = ("FailedMount", 'secret "checkout-db" not found', "Warning", "0")
    session.world.clock.forward(minutes=7)
    session.world.cluster.events.append(an_event(f"pod of {session.uid}", session.now, *other))
    await session.lives(MINUTE)

    assert 'secret "checkout-db" not found' in session.comment
    assert "checkout-tls" not in session.comment


@pytest.mark.parametrize("shape", ["series", "eventTime"])
async def test_the_newest_event_counts_whichever_component_wrote_it(shape: str) -> None:
    session = await Session.starting()
    session.shows(a_pod(session.uid, creating(), uid="pod"))
    old = an_event("pod", session.now, "FailedAttachVolume", "Multi-Attach error", "Warning", "30")
    new = an_event("pod", session.now, "FailedCreatePodSandBox", "no IP addresses available", "Warning", "0")
    micro = new.pop("lastTimestamp").replace("Z", ".500000Z")
    first = moment(session.now - timedelta(minutes=9)).replace("Z", ".000001Z")
    more = {"eventTime": first, "series": {"count": 7, "lastObservedTime": micro}}
    new |= more if shape == "series" else {"eventTime": micro}
    session.world.cluster.events = [new | {"lastTimestamp": None}, old]

    await session.lives(MINUTE, ("no IP addresses",))

    assert "no IP addresses available" in session.comment


async def test_a_pod_that_stays_silent_is_asked_about_again_but_seldom() -> None:
    session = Session(await ready())
    session.shows(a_pod(session.uid, unready(running(session.now, 5)), uid="pod"))
    asked = []

    async def counting(namespace: str, pod_uid: str) -> list[Any]:
        asked.append(session.now)
        return []

    session.world.cluster.pod_events = counting  # type: ignore[method-assign]
    await session.lives(3600)

    assert 5 < len(asked) < 25
    assert session.world.status.reason is Reason.ALL_READY


async def test_events_that_cannot_be_read_take_no_words_away() -> None:
    session = Session(await ready())
    session.in_trouble("a readiness probe on another port")
    await session.lives(MINUTE)
    assert READINESS in session.comment
    session.world.fail("list events", by=TryLater("x", status=500))
    await session.lives(700)
    assert READINESS in session.comment

    session.world.mend()
    session.shows(a_pod(session.uid, well(session.now), uid="pod"))
    await session.lives(20)
    assert READINESS not in session.comment


async def test_without_the_right_to_replica_sets_the_deployment_says_why() -> None:
    session = await Session.starting()
    message, shown = REFUSALS["a quota"]
    maker = a_replica_set(session.uid, session.now, message, condition=True)

    async def target(namespace: str, kind: str, name: str) -> dict[str, Any]:
        return maker | {"metadata": maker["metadata"] | {"name": name}}

    session.world.cluster.get_target = target  # type: ignore[method-assign]
    assert await session.lives(MINUTE, (shown,)) < MINUTE


async def test_a_refused_list_of_replica_sets_leaves_the_preview_starting() -> None:
    session = await Session.starting()
    list_children = session.world.cluster.list_children

    async def refused(resource: Any, namespace: str, selector: str) -> list[dict[str, Any]]:
        if resource.plural == "replicasets":
            raise Forbidden("list replicasets", status=403)
        return await list_children(resource, namespace, selector)

    session.world.cluster.list_children = refused  # type: ignore[method-assign]
    await session.lives(MINUTE)

    assert "is starting" in session.comment


async def test_a_restart_of_the_controller_takes_no_words_away_from_a_session_without_a_pod() -> None:
    session = Session(await ready())
    session.shows(a_pod(session.uid, well(session.now), uid="the pod before"))
    await session.lives(MINUTE)
    session.has_no_pod(REFUSALS["a quota"][0])
    session.shows()
    await session.lives(MINUTE)
    told = session.comment
    assert "exceeded quota" in told

    session.world.restart()
    await session.world.run()

    assert session.comment == told


async def test_a_session_that_sleeps_needs_no_pod() -> None:
    session = Session(await ready())
    session.world.cluster.session_becomes("Idle")
    session.has_no_pod(REFUSALS["a quota"][0])
    session.shows()
    await session.lives(300)

    assert session.world.status.reason is Reason.ASLEEP


async def test_what_is_wrong_at_the_deadline_is_told_with_the_failure() -> None:
    session = await Session.starting()
    trouble = session.in_trouble("a Secret that a volume needs")
    await session.lives(400)

    assert session.world.status.phase is Phase.FAILED
    assert "it was not ready within 5m" in session.comment
    assert all(words in session.comment for words in trouble.says)


async def test_a_liveness_probe_that_fails_for_the_first_time_is_no_crash_yet() -> None:
    session = Session(await ready())
    session.shows(a_pod(session.uid, unready(running(session.now, 60)), uid="pod"))
    session.world.cluster.events = [an_event("pod", session.now, "Unhealthy", LIVENESS, "Warning", "1")]
    await session.lives(MINUTE, (LIVENESS,))

    assert "checkout runs, but is not ready" in session.comment


NO_ROOM = "0/3 nodes are available: 3 Insufficient cpu."
COMES = ("TriggeredScaleUp", "pod triggered scale-up: [{workers 3->4 (max: 10)}]", "Normal", "5")


@pytest.mark.parametrize(
    "event", [COMES, ("Nominated", "Pod should schedule on: nodeclaim/default-x2x7k", "Normal", "5")]
)
async def test_a_pod_for_which_the_cluster_adds_a_node_is_nobodys_mistake(event: tuple[str, ...]) -> None:
    session = await Session.starting(deadlines={"session": "30m"})
    session.shows(a_pod(session.uid, unscheduled(NO_ROOM), uid="pod", creationTimestamp=moment(session.now)))
    session.world.cluster.events = [
        an_event("pod", session.now, "FailedScheduling", NO_ROOM, "Warning", "5"),
        an_event("pod", session.now, *event),
    ]
    assert await session.lives(MINUTE, ("is starting:", "checkout waits for a new node", event[1])) < MINUTE
    assert PLATFORMS not in session.comment
    reason = session.world.status.reason
    assert reason is Reason.WAITING_FOR_NODE and reason.info.turn is Turn.NOBODY

    session.shows(a_pod(session.uid, well(session.now), uid="pod"))
    await session.lives(20)
    assert "waits for a new node" not in session.comment


@pytest.mark.parametrize("ends", ["another word", "ten minutes"])
async def test_a_node_that_does_not_come_is_the_platform_teams_after_all(ends: str) -> None:
    session = await Session.starting(deadlines={"session": "1h"})
    session.shows(a_pod(session.uid, unscheduled(NO_ROOM), uid="pod", creationTimestamp=moment(session.now)))
    session.world.cluster.events = [an_event("pod", session.now, *COMES)]
    await session.lives(MINUTE)
    assert "waits for a new node" in session.comment

    if ends == "another word":
        said = an_event("pod", session.now, "NotTriggerScaleUp", "max node group size reached", "Normal", "0")
        session.world.cluster.events.append(said)
    await session.lives(900, ("finds no room in the cluster", NO_ROOM, PLATFORMS))
    assert "finds no room in the cluster" in session.comment and PLATFORMS in session.comment


async def test_events_that_cannot_be_read_leave_a_pod_without_room_told_as_it_shows() -> None:
    session = await Session.starting()
    session.world.fail("list events", by=Forbidden("list events", status=403))
    session.shows(a_pod(session.uid, unscheduled(NO_ROOM), uid="pod", creationTimestamp=moment(session.now)))

    assert await session.lives(MINUTE, (NO_ROOM, PLATFORMS)) < MINUTE
