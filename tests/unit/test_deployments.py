"""What is said of which commit by a deployment, in every state; and when it succeeds.

`UPDATE_GOLDEN=1 pytest tests/unit/test_deployments.py` writes tests/golden/deployments.txt anew; read the
difference.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from previewbot.api import Link, LinkKind, Phase, Proven, Reason, Service, Status, Waiting
from previewbot.api.ci import Runs, WorkflowRun
from previewbot.api.deployments import LONGEST_DESCRIPTION, DeploymentState, Word
from previewbot.rules.deployments import environment_url, may_have_one, ran_without_waiting, serves, words_on
from tests.support.previews import HEAD, OLDER
from tests.support.states import GATEWAY, OBSERVED, STATES, replace_status
from tests.unit.test_comment import GOLDEN, RENDERER, held, view_of

QUEUED, IN_PROGRESS, SUCCESS = DeploymentState.QUEUED, DeploymentState.IN_PROGRESS, DeploymentState.SUCCESS
INACTIVE = DeploymentState.INACTIVE
PROVEN = replace(GATEWAY, proven=Proven.YES)


def word(status: Status, sha: str = HEAD, last: str = "in_progress", *, asked: bool = True) -> Word:
    return words_on(status, {sha: last}, begins=False, asked=asked)[sha]


def service(name: str = "checkout", serving: str = HEAD, phase: Phase = Phase.READY, **more: Any) -> Service:
    reason = {Phase.READY: None, Phase.DEPLOYING: Reason.CREATING}.get(phase)
    values: dict[str, Any] = {"reason": reason, "head_sha": HEAD, "digest": "sha256:1"} | more
    return Service(name, "staging", f"deployment/{name}", phase=phase, serving_sha=serving, **values)


def a_status(*services: Service, **more: Any) -> Status:
    values: dict[str, Any] = {"phase": Phase.READY, "reason": Reason.ALL_READY, "link": PROVEN} | more
    return Status(observed=OBSERVED, services=services, **values)


def waits(reason: Reason = Reason.BUILD_RUNNING, serving: str = "", **more: Any) -> Service:
    waiting = Waiting(reason, **more)
    return service(
        serving=serving, phase=Phase.AWAITING_IMAGE, reason=reason, waiting=waiting, head_sha="", digest=""
    )


def waiting(*services: Service) -> Status:
    return a_status(*services, phase=Phase.AWAITING_IMAGE, reason=Reason.BUILD_RUNNING)


def test_each_state_is_said_as_it_is_held() -> None:
    lines = []
    for name in sorted(STATES):
        status = STATES[name].status
        if not status.observed.head_sha:
            continue
        # As if links were not asked, where nobody has asked this one.
        asked = status.link.proven is not None
        said = word(status, status.observed.head_sha, asked=asked)
        begins = "begins" if may_have_one(status) else "-"
        lines.append(f"{name}: {begins}, {said.state}, {RENDERER.deployment(view_of(STATES[name]), said)}")

    held(GOLDEN / "deployments.txt", "\n".join(lines) + "\n")
    assert all(len(line.split(", ", 2)[2]) <= LONGEST_DESCRIPTION for line in lines)


def link(**changes: Any) -> Link:
    return replace(GATEWAY, **changes)


LINKS: dict[str, tuple[Link, bool, DeploymentState]] = {
    "proven": (PROVEN, True, SUCCESS),
    "asked, and nothing speaks against it": (link(proven=Proven.UNKNOWN), True, SUCCESS),
    "not asked yet": (link(), True, IN_PROGRESS),
    "asked about what served before": (link(proven=Proven.YES, outdated=True), True, IN_PROGRESS),
    "never asked, by the settings": (link(), False, SUCCESS),
    "shown to lead elsewhere": (link(proven=Proven.NO), True, IN_PROGRESS),
    "taken back": (Link(reason=Reason.CHECKING_LINK, proven=Proven.NO), True, IN_PROGRESS),
    "none yet": (Link(), True, IN_PROGRESS),
    "by a header, of which nobody asks": (
        Link(LinkKind.HEADER, "https://staging.example.com"),
        True,
        SUCCESS,
    ),
}


@pytest.mark.parametrize(("shown", "asked", "state"), LINKS.values(), ids=LINKS.keys())
def test_a_commit_succeeds_once_its_link_shows_it(shown: Link, asked: bool, state: DeploymentState) -> None:
    status = a_status(service(), link=shown)

    assert word(status, asked=asked).state is state
    # The same holds of a commit that serves on while a newer one waits.
    older = waiting(waits(serving=OLDER))
    assert word(replace(older, link=shown), OLDER, "success", asked=asked).state is state


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (PROVEN, "This commit answers behind the link"),
        (link(proven=Proven.UNKNOWN), "This commit runs; whether the link shows it is not known"),
        (link(), "This commit runs; whether the link shows it is not known"),
        (link(proven=Proven.YES, outdated=True), "This commit runs; whether the link shows it is not known"),
        (
            Link(LinkKind.HEADER, "https://staging.example.com"),
            "This commit answers requests that carry the preview's header",
        ),
    ],
)
def test_that_a_commit_answers_behind_the_link_is_said_only_where_it_was_seen(shown: Link, said: str) -> None:
    view = view_of(replace_status(STATES["ready"], link=shown))

    assert RENDERER.deployment(view, Word(SUCCESS)) == said


def test_what_sleeps_stays_a_success_although_nobody_asks_it_again() -> None:
    asleep = a_status(service(phase=Phase.IDLE), phase=Phase.IDLE, reason=Reason.ASLEEP)

    assert word(replace(asleep, link=link())).state is SUCCESS


STOPPED = service("web", "", Phase.STOPPED)
SERVED: dict[str, tuple[tuple[Service, ...], bool, bool]] = {
    "by this commit": ((service(), service("web")), True, False),
    "by an older one, while its image is awaited": ((waits(serving=OLDER),), False, True),
    "in part by an older one": ((service(), service("web", OLDER)), False, False),
    "in part by staging": ((service(), service("web", "", Phase.DEPLOYING)), False, False),
    "beside what somebody stopped": ((service(), STOPPED), True, False),
    "by an older one, beside what only the newest changes": (
        (waits(serving=OLDER), replace(waits(), name="web")), False, True,
    ),
    "by an older one, of which a part is being replaced": (
        (service("web", "", Phase.DEPLOYING), waits(serving=OLDER)), False, False,
    ),
    "by nothing": ((), False, False),
}  # fmt: skip


@pytest.mark.parametrize(("services", "newest", "older"), SERVED.values(), ids=SERVED.keys())
def test_a_commit_serves_only_where_all_that_is_to_answer_is_of_it(
    services: tuple[Service, ...], newest: bool, older: bool
) -> None:
    status = a_status(*services)

    assert (serves(status, HEAD), serves(status, OLDER)) == (newest, older)


def test_an_older_commit_stays_a_success_until_it_does_not_serve_and_is_inactive_then() -> None:
    serving_on = waiting(waits(serving=OLDER))
    replaced = a_status(service(serving="", phase=Phase.DEPLOYING), phase=Phase.DEPLOYING)

    told = {OLDER: "success", HEAD: "queued"}
    assert words_on(serving_on, told, begins=True, asked=True) == {OLDER: Word(SUCCESS), HEAD: Word(QUEUED)}
    assert words_on(replaced, told, begins=True, asked=True)[OLDER] == Word(INACTIVE)


@pytest.mark.parametrize("last", ["queued", "failure", "error"])
def test_an_older_commit_that_had_not_come_so_far_is_inactive(last: str) -> None:
    assert word(waiting(waits(serving=OLDER)), OLDER, last).state is INACTIVE


def test_a_commit_of_which_nothing_was_said_and_that_is_not_the_newest_is_left_alone() -> None:
    assert words_on(waiting(waits(serving=OLDER)), {}, begins=True, asked=True).keys() == {HEAD}


@pytest.mark.parametrize("name", ["stopped", "expired", "closed", "merged"])
def test_at_its_end_none_is_active_and_none_begins(name: str) -> None:
    [status] = [STATES[each].status for each in STATES if each == name] or [STATES["stopped"].status]

    told = {status.observed.head_sha: "success", OLDER: "success"}
    found = words_on(status, told, begins=True, asked=True)
    assert {each.state for each in found.values()} == {INACTIVE}
    assert words_on(status, {}, begins=True, asked=True) == {}


def test_a_fork_has_none_also_once_a_person_approved_its_commit() -> None:
    status = a_status(service())
    fork = replace(status, observed=replace(OBSERVED, fork=True))

    assert may_have_one(status) and not may_have_one(fork)
    assert word(fork, last="success").state is INACTIVE


BEGINS: dict[str, tuple[Service, bool]] = {
    "CI builds": (waits(), True),
    "its build failed": (waits(Reason.BUILD_FAILED), True),
    "the image is there": (service(serving="", phase=Phase.DEPLOYING), True),
    "nobody was seen to build": (waits(Reason.NO_IMAGE), False),
    "CI waits for a person": (waits(Reason.BUILD_NEEDS_APPROVAL), False),
    "a workflow beside the build waits for a person": (waits(also_wait=("e2e",)), False),
    "of this commit nothing is made yet": (service(serving=OLDER, head_sha=OLDER), False),
}


@pytest.mark.parametrize(("begun", "begins"), BEGINS.values(), ids=BEGINS.keys())
def test_a_commit_has_one_once_something_is_made_of_it_and_no_workflow_waits_for_a_person(
    begun: Service, begins: bool
) -> None:
    assert may_have_one(waiting(begun)) is begins


def test_only_workflows_that_were_seen_to_run_need_no_question() -> None:
    runs = [
        WorkflowRun(1, 7, "build", "build.yml", "pull_request", "completed", conclusion, "https://x")
        for conclusion in ("success", "action_required")
    ]

    assert [ran_without_waiting(each) for each in (None, Runs(), Runs((runs[0],)), Runs(tuple(runs)))] == [
        False, False, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("event", "tells"),
    [
        ("push", True),
        ("pull_request", True),
        # As the base branch has it, or GitHub's own: these run at once, whoever pushed.
        ("pull_request_target", False),
        ("dynamic", False),
        ("workflow_run", False),
    ],
)
def test_only_workflows_that_run_as_the_commit_has_them_tell_that_it_needs_no_approval(
    event: str, tells: bool
) -> None:
    runs = Runs((WorkflowRun(1, 7, "build", "build.yml", event, "in_progress", "", "https://x"),))

    assert ran_without_waiting(runs) is tells


def test_a_link_that_takes_more_than_a_click_is_no_address_of_the_environment() -> None:
    by_header = replace(GATEWAY, kind=LinkKind.HEADER)

    assert environment_url(a_status(service(), link=PROVEN)) == PROVEN.url
    assert environment_url(a_status(service(), link=by_header)) == ""


def test_while_one_service_starts_the_failure_of_another_does_not_decide() -> None:
    failed = service("web", "", Phase.FAILED, reason=Reason.SESSION_FAILED)
    partial = {"phase": Phase.READY, "reason": Reason.PARTIAL}
    starts = service("pay", "", Phase.DEPLOYING)

    assert word(a_status(service(), failed, **partial)).state in (
        DeploymentState.FAILURE,
        DeploymentState.ERROR,
    )
    assert word(a_status(service(), failed, starts, **partial)).state is IN_PROGRESS
