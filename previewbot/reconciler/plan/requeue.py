"""Every interval until the next pass, in seconds, if nothing wakes us before; what a reason waits for is its
row in the table of reasons. And how long what GitHub told us, or does not show yet, counts."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from previewbot.api import LinkKind, Phase, Reason, Report, SlotBound, Status, Waits
from previewbot.errors import RemoteError
from previewbot.reconciler.children.routes import ROUTE_KIND
from previewbot.reconciler.observation import PullRequestFacts
from previewbot.reconciler.plan.decision import Decision, Leave, Run
from previewbot.reconciler.plan.places import is_closed

SOON = 0.2
"""Somebody else changed something under us: look at once, but let them finish."""

REMOVING = 2.0
"""Something is being removed while GitHub or the cluster does not answer."""

GATEWAY_POLL = 0.5
"""A removal waits for the gateway, which tells nobody when it has followed."""

AFTER_CHANGE = 5.0
"""Something was made or removed; its event usually comes sooner."""

ASKED_TO_MAKE_ROOM = 60.0
"""What sleeps could not make room for one that waits now, and may later."""

READ_PATIENCE = 50.0
"""How long a look at GitHub, or a report to it, may take; a preview's end cuts a look short."""

INTENT_HOLDS = timedelta(seconds=30)
"""How long GitHub may not show what we wrote: so long an intent is not acted on twice."""

REFUSAL_HOLDS = timedelta(minutes=5)
"""How long a text that GitHub refused is not sent again."""

FACTS_HOLD = timedelta(minutes=10)
"""How long what was read of a pull request counts without a new look."""

LAG_LIMIT = timedelta(seconds=60)
"""How long GitHub's API is believed to be behind its own webhook."""

FAR_BACK = 300.0
"""How seldom, at most, one looks itself that cannot be next: it is woken when that changes."""

_POD_LATER = 60.0
"""How often a pod's trouble is looked at that is older than `_SOON_FOR`: watches tell of most that heals."""

_LAG = 2.0
_INTERVALS: Mapping[Waits, float] = {
    Waits.SLOT: 30.0,
    Waits.TARGET: 60.0,
    Waits.CONFIGURATION: 60.0,
    Waits.DEPLOYMENT: 15.0,
    Waits.REPLACEMENT: 5.0,
    # A pod's crash wakes us; that it has run well for a while since does not.
    Waits.POD: 10.0,
    # What the Gateway says of the route wakes us; that the Gateway itself was mended does not.
    Waits.GATEWAY: 15.0,
    # A change of the operator wakes those who wait for it; this is for one that was missed.
    Waits.OPERATOR: 60.0,
    Waits.NAMESPACE: 60.0,
}
"""What an event does not tell of; images and links (`plan/link_check.py`) have schedules of their own, and
`Waits.EVENT` none."""

# Every 10 s for the first ten minutes, in which somebody may be waiting; then each minute; past the deadline
# every five, so that an image that comes late is still found.
_IMAGE_SOON, _IMAGE_LATER, _IMAGE_LATE = 10.0, 60.0, 300.0
_SOON_FOR = timedelta(minutes=10)


@dataclass(frozen=True)
class Outcome:
    """How a pass ended: look again in `requeue_after` seconds; None means "when something happens".

    With an `error` the pass is to be repeated after a backoff, yet no later than `requeue_after`.
    """

    requeue_after: float | None = None
    error: RemoteError | None = None


def earliest(*times: float | None) -> float | None:
    """Return the least of these times, in seconds, or None if there is none."""
    return min((seconds for seconds in times if seconds is not None), default=None)


def image_interval(first_seen: datetime | None, now: datetime, deadline: timedelta) -> float:
    """Return the seconds from a look for an image to the next: 10 s, later 60, past the deadline 300.

    One look falls on the deadline itself, so that what is said then does not come late.
    """
    waited = now - (first_seen or now)
    if waited >= deadline:
        return _IMAGE_LATE
    interval = _IMAGE_SOON if waited < _SOON_FOR else _IMAGE_LATER
    return min(interval, (deadline - waited).total_seconds())


def until_expiry(status: Status, now: datetime) -> float | None:
    """Return the seconds until the preview ends, or None if it has ended or its time has not begun."""
    if status.lifecycle.expires_at is None or status.lifecycle.ended is not None:
        return None
    return max(SOON, (status.lifecycle.expires_at - now).total_seconds())


def read_patience(status: Status, now: datetime) -> float:
    """Return how long a look may take now, in seconds: GitHub's slowness delays no end."""
    return min(until_expiry(status, now) or READ_PATIENCE, READ_PATIENCE)


def requeue_after(
    status: Status,
    decision: Decision,
    facts: PullRequestFacts | None,
    *,
    deadline: timedelta,
    now: datetime,
    removed: bool = False,
) -> float | None:
    """Return the seconds until the next look, or None if only an event can change anything.

    `removed`: nothing of what was made is there any more.
    """
    times = [until_expiry(status, now), *_intents(status, now), *_held_texts(status, now)]
    if facts is not None and facts.lagging:
        times.append(_LAG)
    if facts is not None and facts.again_at is not None:
        times.append((facts.again_at - now).total_seconds())
    if facts is not None and facts.unseen_at is not None:
        times.append((facts.unseen_at - now).total_seconds())
    if facts is not None and facts.verdicts_at is not None:
        times.append((facts.verdicts_at - now).total_seconds())
    if status.phase is Phase.STOPPING or (isinstance(decision, Leave) and status.services and not removed):
        # The event of a deletion usually comes sooner. This is for one that was lost while a watch was
        # renewed.
        forbidden = status.reason is Reason.REMOVAL_FORBIDDEN
        times.append(_INTERVALS[Waits.NAMESPACE if forbidden else Waits.REPLACEMENT])
    image = image_interval(status.observed.head_first_seen_at, now, deadline)
    times += [_interval(reason, image, status, now) for reason in _reasons(status, decision)]
    least = earliest(*times)
    return None if least is None else max(SOON, least)


def _intents(status: Status, now: datetime) -> list[float | None]:
    """Return in how many seconds the intents run out that a pass announced and could not carry out."""
    moments = [reply.intent_at for reply in status.replies]
    # Where it is tried again at a time of its own nothing is done before: see `_held_texts`.
    due = [
        report
        for key, report in status.reports.items()
        if not (report.id or report.is_held(now) or is_closed(status, key) or _is_given_up(report))
    ]
    moments += [report.intent_at for report in due]
    left = [(moment + INTENT_HOLDS - now).total_seconds() for moment in moments if moment is not None]
    # One that ran out before this pass and is there still could not be carried out in it: GitHub refuses the
    # text, say. To try again at once would be five passes a second until it takes it.
    return [seconds if seconds > 0 else INTENT_HOLDS.total_seconds() for seconds in left]


def _is_given_up(report: Report) -> bool:
    """Return whether what was announced is not tried again: it is looked for once there is news."""
    refusal, intent_at = report.refusal, report.intent_at
    return refusal is not None and intent_at is not None and refusal.at >= intent_at


def _held_texts(status: Status, now: datetime) -> list[float | None]:
    """Return in how many seconds the texts are written that were held back."""
    held = [report.held_until for report in status.reports.values()]
    left = [(moment - now).total_seconds() for moment in held if moment is not None]
    # One whose moment this pass has let go by could not be written: what GitHub said to it has a backoff. To
    # try again at once would be five passes a second, with an edit each, for as long as it says so.
    return [seconds if seconds > 0 else REFUSAL_HOLDS.total_seconds() for seconds in left]


def _reasons(status: Status, decision: Decision) -> list[Reason]:
    """Return the reasons that say what is waited for: of each service, or of a decision that runs none."""
    if not isinstance(decision, Run):
        return [decision.reason] if decision.reason else []
    reasons = [service.reason for service in status.services if service.reason]
    reasons += [service.waiting.reason for service in status.services if service.waiting]
    reasons += [
        s.pod_problem.reason for s in status.services if s.pod_problem and s.phase is not Phase.FAILED
    ]
    if status.link.reason is not None:
        reasons.append(status.link.reason)
    if status.link.kind is LinkKind.GATEWAY:
        # A link that people have is not taken away at once because of what its Gateway says, or does not say.
        reasons += [child.reason for child in status.children if child.kind == ROUTE_KIND and child.reason]
    return reasons


def _interval(reason: Reason, image: float, status: Status, now: datetime) -> float | None:
    waits = reason.info.waits
    if waits is Waits.POD:
        begun = [s.pod_problem.since for s in status.services if s.pod_problem and s.pod_problem.since]
        old = bool(begun) and now - max(begun) >= _SOON_FOR
        return _POD_LATER if old else _INTERVALS[Waits.POD]
    if waits is Waits.SLOT and (status.slot.far_back or status.slot.bound is not SlotBound.PREVIEWS):
        return _far_back_interval(status)
    return image if waits is Waits.IMAGE else _INTERVALS.get(waits)


def _far_back_interval(status: Status) -> float:
    """Return the seconds until one looks again that cannot be next: an interval of its own.

    Thousands may wait, and after a restart all are looked at together: they must not come back together.
    """
    seed = zlib.crc32(f"{status.slot.waiting_since} {status.observed.head_sha}".encode())
    return FAR_BACK * (0.5 + seed / 2**33)
