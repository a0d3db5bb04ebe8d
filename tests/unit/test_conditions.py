"""The conditions of a Preview, after Kubernetes' conventions.

https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given

from previewbot.api import (
    ChildState,
    Condition,
    ConditionType,
    Lifecycle,
    PodProblem,
    Preview,
    Reason,
    Refusal,
    Report,
    Severity,
    Status,
    Waiting,
    status_object,
)
from previewbot.reconciler.children import KINDS, ROUTE
from previewbot.reconciler.observation import Found, ImageMissing, Observation
from previewbot.reconciler.plan.conditions import with_messages
from previewbot.reconciler.plan.planner import make_plan
from previewbot.text.standing import standing_of
from tests.support.observations import SESSION_UID, a_child, a_service, a_session, planned, running
from tests.support.previews import NOW, a_preview
from tests.unit.test_plan import CASES, WORLDS

LATER = NOW + timedelta(minutes=3)
CREATED = running(children=(a_child(ChildState.CREATING, reason=Reason.CREATING),))


def conditions(status: Status) -> dict[str, Condition]:
    return {condition.type: condition for condition in status.conditions}


def said(status: Status) -> dict[str, tuple[str, str]]:
    """Return status and reason of each condition."""
    return {kind: (found.status, found.reason) for kind, found in conditions(status).items()}


def stored(status: Status, generation: int = 1) -> Preview:
    """Return the Preview once this status is stored."""
    return replace(a_preview(), status=status, generation=generation)


@pytest.mark.parametrize("name", CASES)
def test_each_type_is_there_once_and_in_its_order(name: str) -> None:
    status = make_plan(CASES[name].world, KINDS, ROUTE).status

    assert [condition.type for condition in status.conditions] == [kind.value for kind in ConditionType]


@given(WORLDS)
def test_whatever_the_world_types_and_reasons_are_words_in_camel_case_and_never_empty(
    world: Observation,
) -> None:
    for condition in make_plan(world, KINDS, ROUTE).status.conditions:
        assert condition.status in ("True", "False", "Unknown")
        assert re.fullmatch(r"[A-Z][A-Za-z]+", condition.reason)
        assert re.fullmatch(r"[A-Z][A-Za-z]+", condition.type)
        assert condition.last_transition_time is not None


def test_before_anything_is_known_nothing_is_said_to_be_so_or_not_so() -> None:
    status = planned(a_preview(), facts=None, fresh=False).status

    assert said(status) == {
        "ImageReady": ("Unknown", "Looking"),
        "SessionsReady": ("Unknown", "Looking"),
        "LinkReady": ("Unknown", "Looking"),
        "Reported": ("Unknown", "NothingReported"),
        "Ready": ("Unknown", "Looking"),
    }


def test_each_says_what_it_waits_for_itself() -> None:
    building = ImageMissing(Waiting(reason=Reason.BUILD_RUNNING))
    waiting = planned(a_preview(), images={"checkout": building}).status
    coming = planned(CREATED, found=(a_session(ChildState.CREATING),)).status
    ready = planned(CREATED, found=(a_session(),)).status

    assert said(waiting)["ImageReady"] == ("False", "BuildRunning")
    assert said(coming)["ImageReady"] == ("True", "AsExpected")
    assert said(coming)["SessionsReady"] == ("False", "Creating")
    assert said(ready)["SessionsReady"] == ("True", "AsExpected")
    assert said(ready)["LinkReady"] == ("True", "AsExpected")
    assert said(ready)["Ready"] == ("True", "AllReady")


def test_an_image_that_did_not_come_in_time_is_the_reason_also_where_the_whole_has_another() -> None:
    missing = ImageMissing(Waiting(reason=Reason.IMAGE_MISSING))
    status = planned(running(services=(a_service(""),)), images={"checkout": missing}).status

    assert said(status)["ImageReady"] == ("False", "ImageMissing")


def test_a_pod_with_a_problem_is_not_ready_although_its_session_is() -> None:
    crashing = PodProblem(reason=Reason.CRASHING, since=NOW)
    status = planned(CREATED, found=(a_session(),), pod_problems={SESSION_UID: crashing}).status

    assert said(status)["SessionsReady"] == ("False", "Crashing")
    assert said(status)["Ready"] == ("False", "Partial")


def test_a_place_that_refuses_what_it_is_told_is_said() -> None:
    refused = Report(refusal=Refusal(hash="x", at=NOW, status=403, message="locked"))
    status = planned(running(reports={"comment": refused})).status

    assert said(status)["Reported"] == ("False", "Refused")


def test_the_summary_is_true_exactly_while_the_page_is_green() -> None:
    for case in CASES.values():
        status = make_plan(case.world, KINDS, ROUTE).status
        green = standing_of(status).severity is Severity.GOOD
        expected = "Unknown" if status.phase is None else str(green)

        assert said(status)["Ready"] == (expected, str(status.reason))


def test_nothing_is_said_to_be_reported_before_anything_was() -> None:
    written = planned(running(reports={"comment": Report(id=9, hash="x")})).status

    assert said(planned(running()).status)["Reported"] == ("Unknown", "NothingReported")
    assert said(written)["Reported"] == ("True", "AsExpected")


def test_a_transition_is_a_change_of_status_and_not_of_reason() -> None:
    session = a_session(ChildState.CREATING, answered=False)
    first = planned(CREATED, found=(session,)).status
    silent = planned(stored(first), found=(session,), now=LATER).status
    ready = planned(stored(silent), found=(a_session(),), now=LATER).status

    assert said(silent)["SessionsReady"] == ("False", "OperatorSilent")
    assert conditions(silent)["SessionsReady"].last_transition_time == NOW
    assert conditions(ready)["SessionsReady"].last_transition_time == LATER
    assert conditions(ready)["ImageReady"].last_transition_time == NOW


def test_each_condition_says_which_generation_of_the_spec_it_is_about() -> None:
    first = planned(CREATED, found=(a_session(),)).status
    preview = stored(first, generation=2)
    second = planned(preview, found=(a_session(),), now=LATER).status

    assert {c.observed_generation for c in first.conditions} == {1}
    assert {c.observed_generation for c in second.conditions} == {2}
    assert {c.last_transition_time for c in second.conditions} == {NOW}


def test_what_did_not_change_is_the_very_same_value() -> None:
    first = planned(CREATED, found=(a_session(),)).status

    # A pass that does not look at GitHub does not note that it looked either.
    assert planned(stored(first), found=(a_session(),), now=LATER, fresh=False).status is first


def found_with(*found: Found, lifecycle: Lifecycle | None = None) -> Status:
    status = planned(running(children=(a_child(),), lifecycle=lifecycle or Lifecycle()), found=found).status
    return replace(status, conditions=with_messages(status.conditions, f"It is {status.phase}."))


def test_the_message_is_what_the_comment_says_where_something_is_not_as_expected_and_at_the_summary() -> None:
    messages = {kind: found.message for kind, found in conditions(found_with(a_session())).items()}
    expired = conditions(found_with(a_session(), lifecycle=Lifecycle(expires_at=NOW)))

    assert messages == {
        "ImageReady": "the images of all changed services are there",
        "SessionsReady": "all preview sessions run",
        "LinkReady": "there is a link",
        "Reported": "nothing was written on the pull request so far",
        "Ready": "It is Ready.",
    }
    assert expired["SessionsReady"].message == "It is Stopping."


def test_a_message_that_stays_makes_no_new_condition() -> None:
    status = found_with(a_session())

    again = with_messages(status.conditions, "It is Ready.")

    assert all(new is old for new, old in zip(again, status.conditions, strict=True))


def test_on_the_api_server_they_have_kubernetes_own_names() -> None:
    status = found_with(a_session())
    (ready,) = [c for c in status_object(status)["conditions"] if c["type"] == "Ready"]

    assert ready == {
        "type": "Ready",
        "status": "True",
        "reason": "AllReady",
        "message": "It is Ready.",
        "observedGeneration": 1,
        "lastTransitionTime": "2026-11-24T09:00:00Z",
    }
