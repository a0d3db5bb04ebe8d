"""When to look again, if nothing wakes us before."""

from __future__ import annotations

from datetime import datetime, timedelta

from previewbot.plan.decision import Decision, Facts
from previewbot.preview import Phase, Service, Status

_LEAST = 0.2
_LAG = 2.0
_REPLACING = 5.0
_DEPLOYING = 15.0
_TROUBLED = 10.0
"""A pod's crash wakes us; that it has run well for a while since does not."""

_QUEUED = 30.0
_TARGET_MISSING = 60.0
_CONFIGURATION_WRONG = 60.0
_IMAGE_SOON, _IMAGE_LATER, _IMAGE_LATE = 10.0, 60.0, 300.0
_SOON = timedelta(minutes=10)
INTENT_HOLDS = timedelta(seconds=30)


def image_interval(first_seen: datetime | None, now: datetime, deadline: timedelta) -> float:
    """Return the seconds from a look for an image to the next: 10 s, later 60, past the deadline 300.

    One look falls on the deadline itself, so that what is said then does not come late.
    """
    waited = now - (first_seen or now)
    if waited >= deadline:
        return _IMAGE_LATE
    interval = _IMAGE_SOON if waited < _SOON else _IMAGE_LATER
    return min(interval, (deadline - waited).total_seconds())


def until_expiry(status: Status, now: datetime) -> float | None:
    """Return the seconds until the preview ends, or None if it has ended or its time has not begun."""
    if status.expires_at is None or status.ended is not None:
        return None
    return max(_LEAST, (status.expires_at - now).total_seconds())


def look_again(
    status: Status, decision: Decision, facts: Facts | None, *, deadline: timedelta, now: datetime
) -> float | None:
    """Return the seconds until the next look, or None if only an event can change anything."""
    expiry = until_expiry(status, now)
    times = [expiry] if expiry is not None else []
    if facts is not None and facts.lagging:
        times.append(_LAG)
    if facts is not None and facts.problems:
        times.append(_CONFIGURATION_WRONG)
    if status.phase is Phase.STOPPING or (decision.closed and status.services):
        times.append(_REPLACING)
    intents = [reply.intent_at for reply in status.replies]
    if not status.comment.id:
        intents.append(status.comment.intent_at)
    times += [(intent + INTENT_HOLDS - now).total_seconds() for intent in intents if intent is not None]
    if decision.runs:
        interval = image_interval(status.observed.head_first_seen_at, now, deadline)
        times += [seconds for s in status.services if (seconds := _service(s, interval)) is not None]
    return max(_LEAST, min(times)) if times else None


def _service(service: Service, image: float) -> float | None:
    if service.waiting is not None:
        return image
    if service.phase is Phase.QUEUED:
        return _QUEUED
    if service.trouble is not None and service.phase is not Phase.FAILED:
        return _TROUBLED
    if service.phase is Phase.DEPLOYING:
        return _REPLACING if service.reason in ("Replacing", "OperatorSilent") else _DEPLOYING
    return _TARGET_MISSING if service.reason == "TargetMissing" else None
