"""What a preview's pods show, and what of it is told: the problems, their causes, and their end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.api import PodProblem, Reason
from previewbot.rules.pod_problems import PodFinding, cause_from_events, find_problem, merge_problem
from tests.support.pods import (
    BACK_OFF,
    a_pod,
    container,
    containers,
    crash_loop,
    ended,
    moment,
    out_of_memory,
    pull_failed,
    running,
    unschedulable,
    waiting,
    well,
)
from tests.support.previews import NOW

IMAGE = "ghcr.io/acme/checkout:1"
NO_ROOM = "0/1 nodes are available: 1 Insufficient memory."


def found(status: dict[str, Any], preferred: str = "") -> PodFinding | None:
    return find_problem([a_pod("s", status, uid="pod-1")], NOW, preferred)


def reason(status: dict[str, Any]) -> Reason | None:
    finding = found(status)
    return finding.reason if finding else None


PROBLEMS = {
    "an image that cannot be pulled": (pull_failed(IMAGE), Reason.PULL_FAILED),
    "the first failure to pull it": (
        containers(container(waiting("ErrImagePull", "not found"))),
        Reason.PULL_FAILED,
    ),
    "a name that is none": (containers(container(waiting("InvalidImageName"))), Reason.PULL_FAILED),
    "a missing Secret": (
        containers(container(waiting("CreateContainerConfigError", 'secret "db" not found'))),
        Reason.CONFIG_MISSING,
    ),
    "a command that is not there": (
        containers(container(waiting("CrashLoopBackOff"), ended(128, "StartError", message="no such file"))),
        Reason.CANNOT_START,
    ),
    "a crash loop": (crash_loop(), Reason.CRASHING),
    "a second crash, before the loop is called one": (
        containers(container(ended(1), ended(1), restarts=1)),
        Reason.CRASHING,
    ),
    "the moment between two crashes": (
        containers(container(running(NOW, 5), ended(1), restarts=2)),
        Reason.CRASHING,
    ),
    "a service that ends well, again and again": (
        containers(container(waiting("CrashLoopBackOff"), ended(0, "Completed"), restarts=2)),
        Reason.CRASHING,
    ),
    "an init container that fails": (
        {"initContainerStatuses": [container(ended(1), restarts=1, name="migrate")]},
        Reason.CRASHING,
    ),
    "memory that ran out in a loop": (out_of_memory(), Reason.OUT_OF_MEMORY),
    "memory that ran out just now": (containers(container(ended(137, "OOMKilled"))), Reason.OUT_OF_MEMORY),
    "memory that ran out a moment ago": (
        containers(container(running(NOW, 5), ended(137, "OOMKilled"), restarts=1)),
        Reason.OUT_OF_MEMORY,
    ),
    "no room on any node": (unschedulable(NO_ROOM), Reason.UNSCHEDULABLE),
}
NO_PROBLEMS = {
    "a pod that runs and is never Ready": well(NOW),
    "a pod that nobody has looked at yet": {},
    "a pod that is being made": containers(container(waiting("ContainerCreating")), phase="Pending"),
    "a first crash, which a restart may heal": containers(container(ended(1))),
    "a restart after it": containers(container(running(NOW, 5), ended(1), restarts=1)),
    "a crash long ago": containers(container(running(NOW, 61), ended(1), restarts=9)),
    "memory that ran out long ago": containers(
        container(running(NOW, 61), ended(137, "OOMKilled"), restarts=1)
    ),
    "an init container that is done": {
        "initContainerStatuses": [container(ended(0, "Completed"), ended(1), restarts=1, name="migrate")]
    },
    "a pod that waits for its gates": {
        "conditions": [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]
    },
    "an evicted pod, which has a successor": {**crash_loop(), "phase": "Failed"},
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_is_told(name: str) -> None:
    status, expected = PROBLEMS[name]

    assert reason(status) is expected


@pytest.mark.parametrize("name", NO_PROBLEMS)
def test_is_no_problem(name: str) -> None:
    assert found(NO_PROBLEMS[name]) is None


def test_the_newest_pod_counts_and_one_that_is_being_deleted_does_not() -> None:
    old = a_pod("s", crash_loop(), uid="1", creationTimestamp="2026-11-24T08:00:00Z")
    new = a_pod("s", well(NOW), uid="2", creationTimestamp="2026-11-24T08:30:00Z")
    going = {**new, "metadata": {**new["metadata"], "deletionTimestamp": "2026-11-24T09:00:00Z"}}

    assert find_problem([old, new], NOW) is None
    assert find_problem([new, old], NOW) is None
    assert find_problem([old, going], NOW) is not None
    assert find_problem([], NOW) is None


def test_of_two_containers_with_problems_the_previews_own_is_told() -> None:
    status = containers(
        container(waiting("ImagePullBackOff"), name="sidecar"),
        container(waiting("CrashLoopBackOff"), ended(2), restarts=4, name="app"),
    )
    finding = found(status, "app")

    assert finding is not None
    assert (finding.reason, finding.container, finding.exit_code, finding.restarts) == (
        Reason.CRASHING,
        "app",
        2,
        4,
    )


@pytest.mark.parametrize(
    ("status", "previous"),
    [
        (crash_loop(), True),
        (containers(container(running(NOW, 1), ended(1), restarts=3)), True),
        (containers(container(ended(1), restarts=2)), False),
    ],
)
def test_the_log_to_read_is_that_of_the_run_that_crashed(status: dict[str, Any], previous: bool) -> None:
    finding = found(status)

    assert finding is not None
    assert (finding.has_log, finding.previous) == (True, previous)


def test_the_cause_of_a_failed_pull_is_the_same_while_kubelet_tries_and_waits() -> None:
    tries = waiting("ErrImagePull", "rpc error: code = NotFound desc = ghcr.io/acme/checkout:1: not found")
    waits = waiting(
        "ImagePullBackOff",
        f'Back-off pulling image "{IMAGE}": ErrImagePull: rpc error: code = NotFound desc = {IMAGE}: '
        "not found",
    )
    details = [finding.detail for state in (tries, waits) if (finding := found(containers(container(state))))]

    assert details == [f"{IMAGE}: not found"] * 2


def test_a_kubelet_that_does_not_say_why_it_backs_off_is_explained_by_the_newest_event() -> None:
    finding = found(containers(container(waiting("ImagePullBackOff", f'Back-off pulling image "{IMAGE}"'))))
    assert finding is not None
    assert finding.unexplained
    events = [
        an_event("Failed", f'Failed to pull image "{IMAGE}": old', 1),
        an_event("Failed", f'Failed to pull image "{IMAGE}": rpc error: code = Unknown desc = 401', 5),
        an_event("Failed", "Error: ErrImagePull", 6),
        an_event("BackOff", "Back-off pulling image", 7),
    ]

    assert cause_from_events(finding, events) == "401"
    assert cause_from_events(finding, list(reversed(events))) == "401"
    assert cause_from_events(finding, events[2:]) == ""


def test_a_pod_without_room_is_explained_by_its_condition_or_by_an_event() -> None:
    told_by_condition, silent = found(unschedulable(NO_ROOM)), found(unschedulable(""))
    assert told_by_condition is not None and silent is not None

    assert (told_by_condition.detail, told_by_condition.unexplained) == (NO_ROOM, False)
    assert silent.unexplained
    assert cause_from_events(silent, [an_event("FailedScheduling", NO_ROOM, 1)]) == NO_ROOM


def an_event(reason: str, message: str, minute: int) -> dict[str, Any]:
    last = moment(NOW + timedelta(minutes=minute))
    return {"reason": reason, "message": message, "lastTimestamp": last, "metadata": {"name": str(minute)}}


def test_secrets_in_kubernetes_own_words_are_masked() -> None:
    message = "cannot pull https://robot:hunter2@registry.example.com/v2/"
    finding = found(containers(container(waiting("ErrImagePull", message))))
    assert finding is not None

    assert "hunter2" not in merge_problem(finding, None, NOW).detail


def test_the_same_problem_keeps_its_words_and_counts_on() -> None:
    first = PodProblem(
        reason=Reason.CRASHING, container="app", exit_code=1, restarts=2, since=NOW, log=("why",)
    )
    again = found(crash_loop(restarts=7, code=3))
    assert again is not None

    assert merge_problem(again, first, NOW + timedelta(hours=1)) == replace(first, restarts=7)


def test_another_problem_has_its_own_words() -> None:
    first = PodProblem(reason=Reason.CRASHING, container="app", since=NOW - timedelta(hours=1), log=("why",))
    other = found(out_of_memory())
    assert other is not None

    problem = merge_problem(other, first, NOW)
    assert (problem.reason, problem.since, problem.log) == (Reason.OUT_OF_MEMORY, NOW, ())


STATES: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}),
    st.sampled_from(["ImagePullBackOff", "CrashLoopBackOff", "ContainerCreating", ""]).map(waiting),
    st.integers(0, 255).map(ended),
    st.integers(0, 200).map(lambda seconds: running(NOW, seconds)),
)


@given(STATES, STATES, st.integers(0, 5), st.booleans())
def test_whatever_a_pod_shows_a_container_that_has_run_for_long_is_well(
    state: dict[str, Any], last: dict[str, Any], restarts: int, null: bool
) -> None:
    status = container(state, None if null else last, restarts=restarts)
    finding = found(containers(status))

    if "running" in state and state["running"]["startedAt"] <= moment(NOW - timedelta(seconds=60)):
        assert finding is None
    if finding is not None:
        assert finding.container == "app"
    assert BACK_OFF not in (finding.detail if finding else "")
