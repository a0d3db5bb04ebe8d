"""How the whole preview stands, from how its services do, and the conditions that Kubernetes' tools read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from previewbot.api import Condition, ConditionType, Phase, Reason, Service, Severity, Status
from previewbot.reconciler.plan.places import is_optional
from previewbot.text.standing import standing_of

_BEST_FIRST = (
    Phase.READY,
    Phase.IDLE,
    Phase.DEPLOYING,
    Phase.QUEUED,
    Phase.AWAITING_IMAGE,
    Phase.FAILED,
)
_AS_EXPECTED = "AsExpected"
"""The reason of a condition that is true: Kubernetes wants one there too."""

_REFUSED = "Refused"
"""GitHub does not take what is reported."""

_IN_PART = "InPart"
"""GitHub takes what is reported, but for a place that an installation can do without."""

_NOTHING_REPORTED = "NothingReported"
"""Nothing was written at GitHub so far: whether it takes that is not known."""

_TRUE, _FALSE, _UNKNOWN = "True", "False", "Unknown"
"""Kubernetes' three: nothing that was not looked at yet is said to be false."""


def phase_of(services: Sequence[Service]) -> tuple[Phase, Reason]:
    """Return phase and reason of a preview that should run; there is at least one service."""
    # A preview stands as its best service does: a reviewer can use what runs, and the reason Partial says
    # that not all of it does.
    phases = [service.phase for service in services]
    best = next(phase for phase in (*_BEST_FIRST, phases[0]) if phase in phases)
    # "Asleep" is said only if all are: one that sleeps next to one that fails would hide the failure.
    if best is Phase.IDLE and any(phase is not Phase.IDLE for phase in phases):
        best = Phase.READY
    # Of one that wakes, a pod may be in trouble: that it sleeps well is not said then.
    if best is Phase.IDLE and any(service.pod_problem for service in services):
        best = Phase.READY
    if best is Phase.READY:
        if not all(s.phase.runs and s.pod_problem is None for s in services):
            return best, Reason.PARTIAL
        paused = any(service.reason is Reason.PAUSED for service in services)
        return best, Reason.PAUSED if paused else Reason.ALL_READY
    if best is Phase.IDLE:
        wakes = any(service.reason is Reason.WAKING for service in services)
        return best, Reason.WAKING if wakes else Reason.ASLEEP
    if best is Phase.FAILED:
        return best, _failure({service.reason for service in services})
    # Prefer the reason of a service in trouble over that of a healthy one.
    first = sorted(services, key=lambda service: service.pod_problem is None)
    reason = next(service.reason for service in first if service.phase is best)
    return best, reason or Reason.CREATING


def held_phase(
    before: Status, reason: Reason | None, services: Sequence[Service], unknown: Reason
) -> tuple[Phase | None, Reason | None]:
    """Return how a preview stands that is left as it is: as before, but never Ready if nothing serves.

    `unknown` says why nothing is known, of one that no complete look has seen yet.
    """
    phase = reason.phase if reason else before.phase
    if phase is None:
        return None, unknown
    if phase.runs and not any(service.serving_sha for service in services):
        return Phase.DEPLOYING, Reason.CREATING
    return phase, reason or before.reason


def expiry_text(status: Status) -> str:
    """Return what `kubectl get previews` shows of the end of what runs, with or without a link."""
    expires_at = status.lifecycle.expires_at
    return expires_at.strftime("%Y-%m-%d %H:%M UTC") if expires_at and status.runs else ""


def conditions_of(status: Status, *, generation: int, now: datetime) -> tuple[Condition, ...]:
    """Return the conditions of a status, without messages; times of transition are kept."""
    whole = status.reason or Reason.UNKNOWN
    services, looked = status.services, status.phase is not None
    images = all(service.head_sha for service in services) and bool(services)
    running = bool(services) and all(s.phase.runs and s.pod_problem is None for s in services)
    wanted = {
        ConditionType.IMAGE_READY: (_state(images, looked), _no_image(services) or whole),
        ConditionType.SESSIONS_READY: (_state(running, looked), _not_running(services) or whole),
        ConditionType.LINK_READY: (
            _state(status.link.kind is not None, looked),
            status.link.reason or whole,
        ),
        ConditionType.REPORTED: _reported(status),
        # As green as the page: of what runs in part, or crashes, nobody who waits for this is told that it is
        # ready.
        ConditionType.READY: (_state(standing_of(status).severity is Severity.GOOD, looked), whole),
    }
    before = {condition.type: condition for condition in status.conditions}
    found = []
    for kind, (state, reason) in wanted.items():
        expected = state == _TRUE and kind is not ConditionType.READY
        said = _AS_EXPECTED if expected and kind is not ConditionType.REPORTED else reason
        found.append(_condition(before.get(kind), kind, state, str(said), generation, now))
    return tuple(found)


def _state(true: bool, looked: bool) -> str:
    return _TRUE if true else _FALSE if looked else _UNKNOWN


def _reported(status: Status) -> tuple[str, str]:
    """Whether people are told. What an installation can do without makes that no less true."""
    reports = status.reports
    refused = [key for key, report in reports.items() if report.refusal is not None]
    if not all(map(is_optional, refused)):
        return _FALSE, _REFUSED
    if not any(report.id for report in reports.values()):
        return _UNKNOWN, _NOTHING_REPORTED
    return _TRUE, _IN_PART if refused else _AS_EXPECTED


_WORDS = {
    ConditionType.IMAGE_READY: "the images of all changed services are there",
    ConditionType.SESSIONS_READY: "all preview sessions run",
    ConditionType.LINK_READY: "there is a link",
    ConditionType.REPORTED: "GitHub takes what is reported",
}
"""What is said of a condition that is as expected; Kubernetes wants a message in each."""


def with_messages(
    conditions: Iterable[Condition], message: str, exceptions: str = ""
) -> tuple[Condition, ...]:
    """Return the conditions with the comment's words where they are not as expected, and at the summary.

    `exceptions` says what GitHub does not take of what is reported, in sentences; empty if nothing.
    """
    return tuple(
        condition
        if condition.message == (wanted := _message(condition, message, exceptions))
        else replace(condition, message=wanted)
        for condition in conditions
    )


def _message(condition: Condition, words: str, exceptions: str) -> str:
    if condition.reason == _NOTHING_REPORTED:
        return f"nothing was written on the pull request so far. {exceptions}".removesuffix(". ")
    if condition.reason == _IN_PART:
        return f"{_WORDS[ConditionType.REPORTED]}, but for this. {exceptions}"
    if condition.reason != _AS_EXPECTED:
        return words
    return _WORDS[ConditionType(condition.type)]


def _failure(reasons: set[Reason | None]) -> Reason:
    """Return the services' reason if all failed for the same one and it concerns the whole preview."""
    (only, *others) = reasons
    return only if only in _OF_THE_WHOLE and only and not others else Reason.SERVICE_FAILED


_OF_THE_WHOLE = (
    *(Reason.IMAGE_MISSING, Reason.REPOSITORY_MISSING, Reason.ROUTE_REFUSED),
    *(Reason.BRANCH_FAILED, Reason.MIGRATION_FAILED, Reason.MIGRATION_FORBIDDEN),
)


def _no_image(services: Sequence[Service]) -> Reason | None:
    return next((s.reason for s in services if not s.head_sha), None)


def _not_running(services: Sequence[Service]) -> Reason | None:
    for service in services:
        if service.pod_problem is not None and service.phase is not Phase.FAILED:
            return service.pod_problem.reason
    return next((s.reason for s in services if not s.phase.runs), None)


def _condition(
    before: Condition | None, kind: ConditionType, state: str, reason: str, generation: int, now: datetime
) -> Condition:
    if before is None:
        return Condition(kind.value, state, reason, "", generation, now)
    if (before.status, before.reason, before.observed_generation) == (state, reason, generation):
        return before
    # Kubernetes' rule: the time of transition is that of the status. Another reason for the same status does
    # not move it.
    since = before.last_transition_time if before.status == state else now
    return replace(
        before,
        status=state,
        reason=reason,
        observed_generation=generation,
        last_transition_time=since,
    )
