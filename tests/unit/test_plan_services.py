"""One service, step by step: what is observed decides its state and the one next action."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from previewbot.mirrord import Session, Wanted, noticeable
from previewbot.plan import Create, Delete, ImageLook, Look, ServiceStep, advance, orphans
from previewbot.plan.services import pin, prepare, remove
from previewbot.plan.steps import Surroundings
from previewbot.preview import Phase, Service, Waiting
from previewbot.repoconfig import ServiceConfig, parse_target
from tests.support.previews import HEAD, NOW, OLDER, a_preview

PREVIEW = a_preview()


def a_service(target: str = "deployment/checkout") -> ServiceConfig:
    return ServiceConfig(
        name="checkout",
        paths=("services/checkout/**",),
        target=parse_target(target),
        namespace="staging",
        image="ghcr.io/acme/checkout:{head_sha}",
        ports=(8080,),
    )


CONFIG = a_service()
IMAGE = "ghcr.io/acme/checkout@sha256:" + "a" * 64
WANTED = Wanted("checkout", "staging", CONFIG.target, "app", IMAGE, (8080,), HEAD, 3600)
AROUND = Surroundings(PREVIEW, HEAD, 3600, timedelta(minutes=5), place_granted=True, now=NOW)
PINNED = replace(
    prepare(PREVIEW, CONFIG, 3, None), head_sha=HEAD, image="x", digest="sha256:1", container="app"
)


def a_session(**changes: Any) -> Session:
    key = PREVIEW.spec.environment_key
    session = Session(
        name=PINNED.session_name,
        namespace="staging",
        uid="session-1",
        owner_uid=PREVIEW.uid,
        service="checkout",
        head_sha=HEAD,
        noticeable=noticeable(key, WANTED),
        phase="Ready",
        failure="",
        share_host="",
        deleting_since=None,
        created_at=NOW,
    )
    return replace(session, **changes)


def step(service: Service = PINNED, *sessions: Session, **around: Any) -> ServiceStep:
    return advance(service, CONFIG, IMAGE, sessions, replace(AROUND, **around))


def test_with_image_and_place_and_no_session_one_is_created() -> None:
    result = step()

    assert result.action == Create(WANTED)
    assert result.service.phase is Phase.DEPLOYING


def test_without_a_place_it_queues_and_creates_nothing() -> None:
    result = step(place_granted=False)

    assert (result.service.phase, result.action, result.needs_place) == (Phase.QUEUED, None, True)


@pytest.mark.parametrize(
    ("phase", "expected", "serves"),
    [
        ("Pending", Phase.DEPLOYING, ""),
        ("InProgress", Phase.DEPLOYING, ""),
        ("Ready", Phase.READY, HEAD),
        ("Idle", Phase.IDLE, HEAD),
    ],
)
def test_a_session_as_wanted_is_adopted_and_left_alone(phase: Any, expected: Phase, serves: str) -> None:
    result = step(PINNED, a_session(phase=phase))

    assert (result.service.phase, result.action) == (expected, None)
    assert (result.service.session_uid, result.service.serving_sha) == ("session-1", serves)


def test_an_older_commits_session_serves_on_while_the_new_image_is_awaited() -> None:
    waiting = replace(PINNED, head_sha="", waiting=Waiting(reason="BuildRunning"))

    result = step(waiting, a_session(head_sha=OLDER, noticeable="older"))

    assert (result.service.phase, result.service.serving_sha) == (Phase.AWAITING_IMAGE, OLDER)
    assert result.action is None


def test_once_the_new_image_is_there_the_old_session_goes_and_its_uid_is_forgotten_first() -> None:
    old = a_session(head_sha=OLDER, noticeable="older")

    result = step(replace(PINNED, session_uid="session-1"), old)

    assert result.action == Delete(old)
    assert (result.service.session_uid, result.service.serving_sha) == ("", "")


def test_nothing_is_created_while_the_predecessor_is_terminating() -> None:
    result = step(PINNED, a_session(deleting_since=NOW))

    assert (result.service.phase, result.service.reason, result.action) == (
        Phase.DEPLOYING,
        "Replacing",
        None,
    )


def test_after_two_minutes_of_terminating_the_operator_is_said_to_be_silent() -> None:
    result = step(PINNED, a_session(deleting_since=NOW - timedelta(minutes=2)))

    assert result.service.reason == "OperatorSilent"


def test_a_session_of_a_predecessor_preview_makes_way() -> None:
    session = a_session(owner_uid="somebody else")
    result = step(PINNED, session)

    assert (result.service.phase, result.service.serving_sha) == (Phase.DEPLOYING, "")
    assert result.action == Delete(session)


def test_a_session_of_a_predecessor_preview_that_is_on_its_way_out_is_waited_for() -> None:
    result = step(PINNED, a_session(owner_uid="somebody else", deleting_since=NOW))

    assert (result.service.reason, result.action) == ("Replacing", None)


def test_a_vanished_session_is_made_again_once_and_then_failed() -> None:
    running = replace(PINNED, session_uid="session-1")

    again = step(running)
    assert again.action == Create(WANTED)

    gone_again = step(replace(again.service, session_uid="session-2"))
    assert (gone_again.service.phase, gone_again.action) == (Phase.FAILED, None)

    assert step(gone_again.service).action is None


def test_a_failed_sessions_message_is_recorded_with_its_deletion_and_it_is_not_made_again() -> None:
    failed = a_session(phase="Failed", failure="KeyError: 'DB_URL'")

    result = step(PINNED, failed)

    assert (result.service.failure, result.service.phase) == ("KeyError: 'DB_URL'", Phase.FAILED)
    assert result.action == Delete(failed)
    assert step(result.service, replace(failed, deleting_since=NOW)).service.phase is Phase.FAILED
    assert step(result.service).action is None


def test_a_failure_holds_only_for_the_commit_it_happened_to() -> None:
    failed = step(PINNED, a_session(phase="Failed", failure="boom")).service
    other = replace(AROUND, head_sha=OLDER)

    result = advance(replace(failed, head_sha=OLDER), CONFIG, IMAGE, (), other)

    assert isinstance(result.action, Create)


@pytest.mark.parametrize(
    ("phase", "says"), [("Pending", "did not answer within 5m"), ("InProgress", "was not ready within 5m")]
)
def test_a_session_that_is_not_ready_in_time_has_failed(phase: Any, says: str) -> None:
    result = step(PINNED, a_session(phase=phase, created_at=NOW - timedelta(minutes=5)))

    assert says in result.service.failure
    assert isinstance(result.action, Delete)


def test_a_session_that_wakes_up_slowly_after_it_was_ready_has_not_failed() -> None:
    ready = step(PINNED, a_session()).service

    result = step(ready, a_session(phase="InProgress", created_at=NOW - timedelta(hours=5)))

    assert (result.service.phase, result.action) == (Phase.DEPLOYING, None)


def test_a_missing_target_is_said_and_nothing_is_created() -> None:
    result = advance(PINNED, CONFIG, IMAGE, (), AROUND, "there is no deployment named checkout")

    assert (result.service.phase, result.action) == (Phase.FAILED, None)
    assert result.service.failure == "there is no deployment named checkout"


def test_the_image_is_pinned_once_per_head() -> None:
    before = prepare(PREVIEW, CONFIG, 3, None)
    reference = "ghcr.io/acme/checkout:" + HEAD

    pinned = pin(before, HEAD, [reference], ImageLook(Look.FOUND, reference, "sha256:1"))
    moved = pin(pinned, HEAD, [reference], ImageLook(Look.FOUND, reference, "sha256:2"))

    assert (pinned.head_sha, pinned.digest) == (HEAD, "sha256:1")
    assert moved.digest == "sha256:1"
    assert pin(pinned, OLDER, ["other"], ImageLook()).head_sha == ""


def test_another_target_is_another_service_to_which_nothing_old_applies() -> None:
    elsewhere = a_service("deployment/till")

    service = prepare(PREVIEW, elsewhere, 1, PINNED)

    assert (service.digest, service.target) == ("", "deployment/till")
    assert orphans([service], [a_session()]) == [a_session()]


def test_removing_deletes_once_and_waits_until_it_is_gone() -> None:
    running = replace(PINNED, session_uid="session-1", serving_sha=HEAD)

    first = remove(running, a_session(), NOW)
    assert (first.action, first.service.session_uid, first.service.phase) == (
        Delete(a_session()),
        "",
        Phase.STOPPING,
    )
    assert remove(first.service, a_session(deleting_since=NOW), NOW).action is None
    assert remove(first.service, None, NOW).service.phase is Phase.STOPPED
