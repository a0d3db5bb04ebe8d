"""What became of a pass: what went wrong, by its stage, and when the next pass is due."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from previewbot.api import Status
from previewbot.api.reports import QUOTED
from previewbot.errors import Forbidden, Invalid, RemoteError
from previewbot.reconciler.apply import ApplyResult, is_refusal
from previewbot.reconciler.observation import Observation
from previewbot.reconciler.plan.decision import Run
from previewbot.reconciler.plan.link_check import inquiry_of, look_for_an_answer_in, seconds_until_asked
from previewbot.reconciler.plan.pictures import seconds_until_wished, wish_of
from previewbot.reconciler.plan.planner import Plan
from previewbot.reconciler.plan.requeue import (
    AFTER_CHANGE,
    ASKED_TO_MAKE_ROOM,
    GATEWAY_POLL,
    INTENT_HOLDS,
    REMOVING,
    SOON,
    Outcome,
    earliest,
    requeue_after,
    until_expiry,
)
from previewbot.reconciler.reporters.answers import is_ours, is_owed_now
from previewbot.reconciler.reporters.reporter import Reporter
from previewbot.rules.eviction import until_rested


@dataclass(frozen=True)
class PassErrors:
    """What went wrong in a pass, by its stage; None where nothing did."""

    read: RemoteError | None = None
    route: RemoteError | None = None
    report: RemoteError | None = None
    actions: RemoteError | None = None

    @property
    def first(self) -> RemoteError | None:
        """The one to tell of."""
        return self.actions or self.report or self.route or self.read

    @property
    def blocking(self) -> RemoteError | None:
        """One that keeps the work from being done; a text or a route that is refused for good does not."""
        report = None if isinstance(self.report, Forbidden | Invalid) else self.report
        return self.holding or report

    @property
    def stored(self) -> RemoteError | None:
        """The one that the status tells of.

        Who has one loses the place in the queue for a slot (`slot_for`). A limit on writing, which anybody
        may bring about who can comment, must not cost it.
        """
        limited = self.report is not None and self.report.after is not None
        return self.actions or (None if limited else self.report) or self.route or self.read

    @property
    def holding(self) -> RemoteError | None:
        """One that keeps us from going on with what runs; what cannot be written does not."""
        return self.read or self.actions or (None if is_refusal(self.route) else self.route)


def next_pass(
    status: Status,
    observation: Observation,
    plan: Plan,
    applied: ApplyResult,
    errors: PassErrors,
    *,
    now: datetime,
) -> Outcome:
    """Return how a pass ended that leaves the Preview, and when the next one is due."""
    running = isinstance(plan.decision, Run)
    # If the route or the cluster failed, do not poll every 0.5 s: let the backoff decide.
    works = errors.actions is None and (errors.route is None or not running)
    removes = works and plan.removes
    if errors.holding is not None:
        # GitHub may ask us to wait an hour; sessions that wait for the gateway must not.
        after = earliest(until_expiry(status, now), REMOVING if removes else None)
        return Outcome(after, errors.holding)
    # A comment that cannot be written, for an hour perhaps, must not hold up sessions: they go on, and with
    # each look it is tried again.
    deadline = observation.limits.image_deadline
    removed, facts = not observation.found, observation.facts
    after = requeue_after(status, plan.decision, facts, deadline=deadline, now=now, removed=removed)
    if running:
        after = earliest(after, observation.pods_again, _until_link_is_asked(status, observation, now))
        after = earliest(after, _until_pictures(status, observation, now))
        after = earliest(after, until_rested(status, now) if observation.limits.evicts_idle else None)
        # It would have made room, had somebody not asked for something just now, or the operator been away.
        after = earliest(after, ASKED_TO_MAKE_ROOM if observation.gives_way else None)
    if plan.creates and not plan.may_create and errors.first is None:
        after = earliest(after, SOON)
    elif removes:
        after = earliest(after, GATEWAY_POLL)
    elif works and applied.changed:
        after = earliest(after, AFTER_CHANGE)
    if status.report(QUOTED).edits != observation.preview.status.report(QUOTED).edits:
        # Nobody tells us of our own comments: what they said is gathered, and told, by the next pass.
        after = earliest(after, SOON)
    if errors.blocking is None and not applied.deferred:
        # Only so many answers are given at a time. Where GitHub refused something for good it may have been
        # one that is owed still, and is not asked for it five times a second.
        soon = SOON if errors.report is None else INTENT_HOLDS.total_seconds()
        owed = any(is_owed_now(reply, now) for reply in status.replies)
        after = earliest(after, soon if owed else None)
    return Outcome(after, errors.first)


def _until_link_is_asked(status: Status, observation: Observation, now: datetime) -> float | None:
    """Return in how many seconds its link is to be asked, or may have answered; None if it is not asked."""
    preview, limits = replace(observation.preview, status=status), observation.limits
    inquiry = inquiry_of(preview, observation.facts, limits, status.services, status.children)
    if inquiry is None:
        return None
    after = seconds_until_asked(inquiry, status.link, status.services, limits.session_deadline, now)
    return None if after is None else max(look_for_an_answer_in(observation.link_asked_since, now), after)


def _until_pictures(status: Status, observation: Observation, now: datetime) -> float | None:
    """Return in how many seconds the worker of pictures is to be asked; None if it is not."""
    preview = replace(observation.preview, status=status)
    wish = wish_of(preview, observation.facts, observation.limits, now)
    after = seconds_until_wished(status, wish, now, asked=observation.pictures_asked)
    return None if after is None else max(observation.pictures_rest, SOON, after)


def without_foreign_reports(status: Status, reporters: Collection[Reporter]) -> Status:
    """Leave out reports and answers that only another version knows how to give.

    An intent of theirs would wake us without end, and an answer keep a closed Preview for ever.
    """
    reports = {
        key: report
        for key, report in status.reports.items()
        if any(reporter.owns(key) for reporter in reporters)
    }
    replies = tuple(reply for reply in status.replies if is_ours(reply))
    if (len(reports), len(replies)) == (len(status.reports), len(status.replies)):
        return status
    return replace(status, reports=reports, replies=replies)
