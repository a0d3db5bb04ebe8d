"""The state of the whole preview from the states of its services, and the clock that starts with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from previewbot.mirrord import Session
from previewbot.plan.decision import Decision
from previewbot.preview import Condition, Phase, Service, Status

_BEST_FIRST = (
    Phase.READY,
    Phase.IDLE,
    Phase.DEPLOYING,
    Phase.QUEUED,
    Phase.AWAITING_IMAGE,
    Phase.FAILED,
)


def overall(
    status: Status,
    decision: Decision,
    services: Sequence[Service],
    sessions: Sequence[Session],
    *,
    ttl: timedelta,
    ttl_max: timedelta,
    now: datetime,
) -> Status:
    """Return the status with phase, reason and expiry; `sessions` are all not yet gone, wanted or not."""
    if decision.runs and status.route_problem and not any(service.serving_sha for service in services):
        services = [_without_route(service, status.route_problem) for service in services]
    status = replace(
        status,
        services=tuple(services),
        service_names=", ".join(service.name for service in services),
        ttl_seconds=int(ttl.total_seconds()),
    )
    if decision.runs:
        status = _started(_running(status, services), ttl, ttl_max, now)
        status = _bounded(status, sessions, ttl, now)
    elif decision.keep:
        status = _bounded(_kept(status, decision), sessions, ttl, now)
    elif sessions:
        reason = "OperatorSilent" if any(s.reason == "OperatorSilent" for s in services) else decision.reason
        status = replace(status, phase=Phase.STOPPING, reason=reason)
    else:
        status = replace(
            status, phase=decision.phase, reason=decision.reason, placed=False, waiting_since=None
        )
    return _with_conditions(_with_expiry_text(status), now)


def _without_route(service: Service, problem: str) -> Service:
    """Nothing is made while the route to it is refused: whoever came would see plain staging."""
    if service.phase is not Phase.DEPLOYING:
        return service
    return replace(service, phase=Phase.FAILED, reason="RouteRefused", failure=problem)


def _running(status: Status, services: Sequence[Service]) -> Status:
    phases = [service.phase for service in services]
    best = next(phase for phase in (*_BEST_FIRST, phases[0]) if phase in phases)
    if best is Phase.IDLE and any(phase is not Phase.IDLE for phase in phases):
        best = Phase.READY
    # What is wrong with one of them is more than what goes well with another.
    first = sorted(services, key=lambda service: service.trouble is None)
    reason = next(service.reason for service in first if service.phase is best or best is Phase.READY)
    if best is Phase.READY:
        agreed = all(s.phase in (Phase.READY, Phase.IDLE) and s.trouble is None for s in services)
        reason = "AllReady" if agreed else "Partial"
    elif best is Phase.IDLE:
        reason = "Asleep"
    elif best is Phase.FAILED:
        reasons = {service.reason for service in services}
        whole = {"DeadlinePassed": "ImageMissing", "RouteRefused": "RouteRefused"}
        reason = whole.get(reasons.pop(), "ServiceFailed") if len(reasons) == 1 else "ServiceFailed"
    return replace(status, phase=best, reason=reason)


def _started(status: Status, ttl: timedelta, ttl_max: timedelta, now: datetime) -> Status:
    """Start the clock with the first Ready of a head; what somebody extended is never shortened by a push."""
    head = status.observed.head_sha
    if status.phase not in (Phase.READY, Phase.IDLE) or status.ready_sha == head:
        return status
    expires_at = now + ttl
    if status.expires_at is not None:
        expires_at = min(max(expires_at, status.expires_at), now + ttl_max)
    return replace(status, ready_sha=head, ready_at=now, expires_at=expires_at)


def _kept(status: Status, decision: Decision) -> Status:
    """Take what is known of what is left as it is; what vanished meanwhile is not called ready."""
    phase, reason = decision.phase, decision.reason
    if phase in (Phase.READY, Phase.IDLE) and not any(service.serving_sha for service in status.services):
        phase, reason = Phase.DEPLOYING, "Creating"
    return replace(status, phase=phase, reason=reason)


def _bounded(status: Status, sessions: Sequence[Session], ttl: timedelta, now: datetime) -> Status:
    """Give an end to what serves without one: an older commit, or one that came up while nobody looked."""
    serving = next((session.head_sha for session in sessions if session.serving), "")
    if not serving or status.expires_at is not None:
        return status
    return replace(status, ready_sha=serving, ready_at=now, expires_at=now + ttl)


def _with_expiry_text(status: Status) -> Status:
    shown = status.expires_at is not None and status.phase in (Phase.READY, Phase.IDLE)
    text = status.expires_at.strftime("%Y-%m-%d %H:%M UTC") if shown and status.expires_at else ""
    return replace(status, expires=text)


def _with_conditions(status: Status, now: datetime) -> Status:
    ready = "True" if status.phase in (Phase.READY, Phase.IDLE) else "False"
    before = next((c for c in status.conditions if c.type == "Ready"), None)
    same = before is not None and before.status == ready
    condition = Condition(
        type="Ready",
        status=ready,
        reason=status.reason or "Unknown",
        message=status.phase or "",
        last_transition_time=before.last_transition_time if same and before else now,
    )
    return replace(status, conditions=(condition,))
