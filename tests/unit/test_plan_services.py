"""One service, step by step: what is observed decides its state and the one next action."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from previewbot.api import Child, ChildState, Phase, Preview, Reason, Service, Waiting
from previewbot.config.repository import parse_target
from previewbot.reconciler.children.actions import Action, Create, Delete
from previewbot.reconciler.children.step import removed_step
from previewbot.reconciler.observation import Found, ImageFound, ImageMissing, ImageNotDue, Prepared, Target
from previewbot.reconciler.plan.services import carry_over, pin_image, service_status, step_to_removed
from previewbot.rules.slots import SlotGrant
from tests.support.observations import (
    CONFIG,
    DIGEST,
    FACTS,
    REFERENCE,
    a_child,
    a_service,
    a_session,
    facts_of,
    planned,
    running,
    session_hash,
    session_name,
)
from tests.support.previews import HEAD, NOW, OLDER

PENDING = a_session(ChildState.CREATING, answered=False)
FULL = SlotGrant(granted=False, position=1)


@dataclass(frozen=True)
class Step:
    """How the service and its session stand after a pass, and what is done about it."""

    service: Service
    child: Child
    action: Action | None
    needs_slot: bool


def step(child: Child | None = None, *found: Found, service: Service | None = None, **world: Any) -> Step:
    """Return the next step in a world with this session, of which this is recorded."""
    status = {"services": (service or a_service(),), "children": (child,) if child else ()}
    return next_of(running(**status), *found, **world)


def next_of(preview: Preview, *found: Found, **world: Any) -> Step:
    plan = planned(preview, found=found, **world)
    (service,), (child,) = plan.status.services, plan.status.children
    return Step(service, child, next(iter(plan.steps.actions), None), plan.steps.needs_slot)


def then(before: Step, *found: Found, **world: Any) -> Step:
    """Return the step after this one, in a world with this session."""
    return step(before.child, *found, service=before.service, **world)


def test_with_image_and_slot_and_no_session_one_is_created() -> None:
    result = step()

    assert isinstance(result.action, Create)
    desired = result.action.desired
    assert (desired.namespace, desired.name, desired.head_sha) == ("staging", session_name(), HEAD)
    spec = desired.manifest["spec"]
    assert spec["image"] == f"ghcr.io/acme/checkout@{DIGEST}"
    assert (spec["target"]["container"], spec["incoming"]["ports"]) == ("app", [8080])
    # mirrord's own end is the last resort, an hour beyond the longest time that a preview may have.
    assert spec["ttlSecs"] == timedelta(hours=73).total_seconds()
    assert (result.service.phase, result.service.reason) == (Phase.DEPLOYING, Reason.CREATING)


def test_without_a_slot_it_queues_and_creates_nothing() -> None:
    result = step(slot=FULL)

    assert (result.service.phase, result.service.reason) == (Phase.QUEUED, Reason.LIMIT_REACHED)
    assert (result.action, result.needs_slot) == (None, True)


@pytest.mark.parametrize(
    ("state", "answered", "expected", "serves"),
    [
        (ChildState.CREATING, False, Phase.DEPLOYING, ""),
        (ChildState.CREATING, True, Phase.DEPLOYING, ""),
        (ChildState.READY, True, Phase.READY, HEAD),
        (ChildState.IDLE, True, Phase.IDLE, HEAD),
    ],
)
def test_a_session_as_desired_is_adopted_and_left_alone(
    state: ChildState, answered: bool, expected: Phase, serves: str
) -> None:
    result = step(None, a_session(state, answered=answered))

    assert (result.service.phase, result.action) == (expected, None)
    assert (result.child.uid, result.service.serving_sha) == ("session-1", serves)


def test_an_older_commits_session_serves_on_while_the_new_image_is_awaited() -> None:
    building = ImageMissing(Waiting(reason=Reason.BUILD_RUNNING))
    old = a_session(head_sha=OLDER, spec_hash="older")

    result = step(a_child(), old, service=a_service(OLDER), images={"checkout": building})

    assert (result.service.phase, result.service.reason) == (Phase.AWAITING_IMAGE, Reason.BUILD_RUNNING)
    assert (result.service.serving_sha, result.child.uid) == (OLDER, "session-1")
    assert result.action is None


def test_once_the_new_image_is_there_the_old_session_goes_and_its_uid_is_forgotten_first() -> None:
    old = a_session(head_sha=OLDER, spec_hash="older")

    result = step(a_child(spec_hash="older"), old)

    assert result.action == Delete(old)
    assert (result.child.uid, result.service.serving_sha) == ("", "")


def test_nothing_is_created_while_the_predecessor_is_terminating() -> None:
    result = step(None, a_session(deleting_since=NOW))

    assert (result.service.phase, result.service.reason) == (Phase.DEPLOYING, Reason.REPLACING)
    assert result.action is None


def test_after_two_minutes_of_terminating_the_operator_is_said_to_be_silent() -> None:
    result = step(None, a_session(deleting_since=NOW - timedelta(minutes=2)))

    assert result.service.reason is Reason.OPERATOR_SILENT


def test_a_session_that_nobody_reacts_to_for_two_minutes_is_said_to_meet_a_silent_operator() -> None:
    early, late = NOW - timedelta(seconds=119), NOW - timedelta(minutes=2)

    assert step(None, replace(PENDING, created_at=early)).service.reason is Reason.CREATING
    assert step(None, replace(PENDING, created_at=late)).service.reason is Reason.OPERATOR_SILENT


def test_a_session_of_a_predecessor_preview_makes_way() -> None:
    session = a_session(owner_uid="somebody else")
    result = step(None, session)

    assert (result.service.phase, result.service.serving_sha) == (Phase.DEPLOYING, "")
    assert result.action == Delete(session)


def test_a_session_of_a_predecessor_preview_that_is_on_its_way_out_is_waited_for() -> None:
    result = step(None, a_session(owner_uid="somebody else", deleting_since=NOW))

    assert (result.service.reason, result.action) == (Reason.REPLACING, None)


def test_a_vanished_session_is_made_again_once_and_then_failed() -> None:
    again = step(a_child())
    assert isinstance(again.action, Create)

    gone_again = step(replace(again.child, uid="session-2"))
    assert (gone_again.service.phase, gone_again.action) == (Phase.FAILED, None)
    assert gone_again.service.reason is Reason.SESSION_FAILED
    assert "removed from the cluster twice" in gone_again.service.failure_message

    assert then(gone_again).action is None


def test_a_failed_sessions_message_is_recorded_with_its_deletion_and_it_is_not_made_again() -> None:
    failed = a_session(ChildState.FAILED, message="KeyError: 'DB_URL'")

    result = step(None, failed)

    assert (result.service.failure_message, result.service.phase) == ("KeyError: 'DB_URL'", Phase.FAILED)
    assert (result.action, result.child.uid) == (Delete(failed), "")
    going = then(result, replace(failed, deleting_since=NOW))
    assert (going.service.phase, going.action) == (Phase.FAILED, None)
    gone = then(result)
    assert (gone.service, gone.action) == (result.service, None)


def test_a_failed_session_that_is_still_there_is_deleted_again() -> None:
    failed = a_session(ChildState.FAILED, message="boom")

    assert then(step(None, failed), failed).action == Delete(failed)


def test_a_failure_holds_only_for_the_commit_it_happened_to() -> None:
    failed = step(None, a_session(ChildState.FAILED, message="boom"))

    result = step(failed.child, service=a_service(OLDER), facts=facts_of(OLDER))

    assert isinstance(result.action, Create)


@pytest.mark.parametrize(
    ("answered", "says"), [(False, "did not answer within 5m"), (True, "was not ready within 5m")]
)
def test_a_session_that_is_not_ready_in_time_has_failed(answered: bool, says: str) -> None:
    late = NOW - timedelta(minutes=5)

    result = step(None, a_session(ChildState.CREATING, answered=answered, created_at=late))

    assert says in result.service.failure_message
    assert isinstance(result.action, Delete)


def test_a_session_that_wakes_up_slowly_after_it_was_ready_has_not_failed() -> None:
    ready = step(None, a_session())
    early = NOW - timedelta(hours=5)

    result = then(ready, a_session(ChildState.CREATING, created_at=early))

    assert (result.service.phase, result.action) == (Phase.DEPLOYING, None)


def test_a_missing_target_is_said_and_nothing_is_created() -> None:
    words = "there is no deployment named checkout"
    service = a_service(container="")

    result = step(None, service=service, targets={"checkout": Target(problem=words)})

    assert (result.service.phase, result.action) == (Phase.FAILED, None)
    assert (result.service.reason, result.service.failure_message) == (Reason.TARGET_MISSING, words)
    assert not result.needs_slot


def test_the_image_is_pinned_once_per_head() -> None:
    before = carry_over(CONFIG, 3, [])

    pinned = pin_image(before, HEAD, [REFERENCE], ImageFound(REFERENCE, "sha256:1"))
    moved = pin_image(pinned, HEAD, [REFERENCE], ImageFound(REFERENCE, "sha256:2"))

    assert (pinned.head_sha, pinned.digest) == (HEAD, "sha256:1")
    assert moved.digest == "sha256:1"
    assert pin_image(pinned, OLDER, ["other"], ImageNotDue()).head_sha == ""


def test_the_container_is_resolved_anew_with_each_image() -> None:
    another = pin_image(a_service(OLDER), HEAD, [REFERENCE], ImageFound(REFERENCE, "sha256:1"))

    assert (another.container, another.waiting) == ("", None)


def test_why_an_image_is_missing_stays_said_until_it_is_looked_for_again() -> None:
    building = Waiting(reason=Reason.BUILD_RUNNING)
    waiting = a_service("", waiting=building)

    assert pin_image(waiting, HEAD, [REFERENCE], ImageNotDue()).waiting == building
    assert pin_image(waiting, HEAD, [REFERENCE], None).waiting == building
    failed = Waiting(reason=Reason.BUILD_FAILED)
    assert pin_image(waiting, HEAD, [REFERENCE], ImageMissing(failed)).waiting == failed


def test_another_target_is_another_service_to_which_nothing_old_applies() -> None:
    elsewhere = CONFIG.model_copy(update={"target": parse_target("deployment/till")})
    assert FACTS.config is not None
    facts = replace(FACTS, config=FACTS.config.model_copy(update={"services": (elsewhere,)}))

    service = carry_over(elsewhere, 1, [a_service()])
    plan = planned(running(children=(a_child(),)), facts=facts, found=(a_session(),))

    assert (service.digest, service.target) == ("", "deployment/till")
    assert plan.steps.actions == (Delete(a_session()),)


def test_another_target_waits_until_the_session_of_the_first_is_gone() -> None:
    elsewhere = CONFIG.model_copy(update={"target": parse_target("deployment/till")})
    assert FACTS.config is not None
    facts = replace(FACTS, config=FACTS.config.model_copy(update={"services": (elsewhere,)}))
    till = a_service(target="deployment/till")

    def plan_with(*found: Found) -> tuple[Reason | None, list[type]]:
        plan = planned(running(services=(till,)), facts=facts, found=found)
        return plan.status.services[0].reason, [type(action) for action in plan.steps.actions]

    assert plan_with(a_session()) == (Reason.REPLACING, [Delete])
    assert plan_with(a_session(deleting_since=NOW)) == (Reason.REPLACING, [])
    assert plan_with() == (Reason.CREATING, [Create])


def test_removing_deletes_once_and_waits_until_it_is_gone() -> None:
    service = a_service(serving_sha=HEAD)

    child, deletion = removed_step(a_child(), a_session(), NOW)
    assert child is not None
    assert (deletion, child.uid, child.state) == (Delete(a_session()), "", ChildState.REMOVING)
    gone = step_to_removed(service, [a_session()], [child], NOW)
    assert (gone.phase, gone.serving_sha) == (Phase.STOPPING, "")

    assert removed_step(child, a_session(deleting_since=NOW), NOW)[1] is None
    assert removed_step(child, None, NOW) == (None, None)
    assert step_to_removed(gone, [], [], NOW).phase is Phase.STOPPED


def test_a_removal_that_takes_two_minutes_is_told_as_stalled() -> None:
    found = a_session(deleting_since=NOW - timedelta(minutes=2))

    child, deletion = removed_step(a_child(ChildState.REMOVING, uid=""), found, NOW)

    assert child is not None
    assert (child.reason, deletion) == (Reason.REMOVAL_STALLED, None)
    assert step_to_removed(a_service(), [found], [child], NOW).reason is Reason.REMOVAL_STALLED


def test_a_session_of_the_same_spec_is_kept_by_another_commit() -> None:
    result = step(a_child(), a_session(head_sha=OLDER))

    assert (result.service.phase, result.service.serving_sha) == (Phase.READY, OLDER)
    assert result.action is None
    assert result.child.spec_hash == session_hash()


def test_what_failed_and_whose_removal_stalled_is_remembered_without_the_stall_once_it_is_gone() -> None:
    failed = a_child(ChildState.REMOVING, uid="", reason=Reason.REMOVAL_STALLED, failed_attempt="x")

    child, _ = removed_step(failed, None, NOW)

    assert child is not None
    assert (child.state, child.reason, child.failed_attempt) == (ChildState.FAILED, None, "x")
    assert step_to_removed(a_service(), [], [child], NOW).reason is None


def test_a_child_that_comes_up_without_saying_why_it_takes_time_is_looked_at_again_all_the_same() -> None:
    silent = a_child(ChildState.CREATING, reason=None)

    service = service_status(Prepared(CONFIG, a_service(), HEAD), [silent], [], "uid-1", {}, NOW)

    assert (service.phase, service.reason) == (Phase.DEPLOYING, Reason.CREATING)
