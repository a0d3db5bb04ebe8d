"""What people are told once, by a new comment: an edit of the status comment notifies nobody.

In the pull request, or in the issue that it closes. Announced in the status before it is written, as all that
is created; found again by its marker, in the pull request and in the issue.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from previewbot.api import IssuesUnknown, Report, Status
from previewbot.config.repository import Occasion, is_told
from previewbot.errors import Forbidden, Invalid, NotFound, RemoteError
from previewbot.reconciler.conversation import OwnComments
from previewbot.reconciler.plan.inbox import SEEN_WITHIN, own_comments
from previewbot.reconciler.plan.notices import (
    GIVEN,
    REPORT_OF,
    adopt_notices,
    is_due,
    is_given,
    state_of,
    with_state,
)
from previewbot.reconciler.reporters.reporter import (
    Due,
    PublishResult,
    ReportContext,
    Reporter,
    intent_is_open,
)
from previewbot.rules.app_rights import is_not_granted
from previewbot.text.notices import Elsewhere, NotThere, Told

_WAITS_FOR_THE_ISSUE = timedelta(minutes=10)
"""So long an answer to which issue it is may be late. A look is as old by then that GitHub is asked again."""

log = logging.getLogger(__name__)


class Notice(Reporter):
    """The reporter of one occasion. It writes once and never again, also if somebody deletes the comment."""

    in_conversation = True

    def __init__(self, occasion: Occasion) -> None:
        self.name = REPORT_OF[occasion]
        self._occasion = occasion

    def due(self, context: ReportContext, status: Status) -> tuple[Status, Sequence[Due]]:
        """Return that people are to be told, if it is owed and true at this moment."""
        state, now = state_of(status, self._occasion), context.now()
        if not context.may_begin or not is_due(status, self._occasion, context.notify):
            # What ran out and stays would wake us again and again, until it is true again.
            intent_at = state.intent_at if intent_is_open(state.intent_at, now) else None
            left = replace(state, intent_at=intent_at, held_until=None)
            return (status if left == state else with_state(status, self._occasion, left)), ()
        if state.intent_at is None and _may_be_known_later(context, status):
            until = state.held_until or now + _WAITS_FOR_THE_ISSUE
            if now < until:
                return with_state(status, self._occasion, replace(state, held_until=until)), ()
        # An older version, after a rollback, takes out of the status what it does not know itself. So before
        # it is announced for the first time, all of the conversation is read.
        return status, (Due(creates=True, anywhere=state.intent_at is None),)

    async def announce(
        self, context: ReportContext, status: Status, due: Due, own: OwnComments
    ) -> tuple[Status, bool]:
        """Note the intent and where it will stand, unless it stands there, or was announced lately."""
        state, now = state_of(status, self._occasion), context.now()
        if state.told == GIVEN or intent_is_open(state.intent_at, now):
            return status, False
        # The issue in which it was announced before, if it was: the process may have died behind the comment,
        # and by now the pull request may close another one.
        place = state.place or _place(context, status)
        if place:
            status = await self._taken_over(context, status, place, state.intent_at)
        if is_given(status, self._occasion):
            return status, False
        announced = replace(state, intent_at=now, place=place, held_until=None)
        return with_state(status, self._occasion, announced), True

    async def publish(self, context: ReportContext, status: Status, due: Due) -> PublishResult:
        """Write the comment: in the issue, or, if GitHub does not take it there, in the pull request."""
        state = state_of(status, self._occasion)
        elsewhere = _elsewhere(context, status)
        try:
            if state.place:
                try:
                    return await self._written(context, status, state.place, None)
                except (Forbidden, Invalid, NotFound) as error:
                    # It was not written there. If the process dies behind the next line, its marker is found
                    # in the pull request.
                    elsewhere = _refused(state.place, error)
            return await self._written(context, status, 0, elsewhere)
        except (Forbidden, Invalid, NotFound) as error:
            about = {"preview": context.preview.name, "error": str(error)}
            log.warning("people could not be told once how a preview came out", extra=about)
            return PublishResult(with_state(status, self._occasion, Report(told=GIVEN)))
        except RemoteError as error:
            return PublishResult(status, error)

    async def _written(
        self, context: ReportContext, status: Status, issue: int, elsewhere: Elsewhere | None
    ) -> PublishResult:
        view, notify = context.view(status), context.notify
        mentions = notify.mention if notify else ()
        told = Told(mentions, issue, elsewhere, ready_follows=is_told(notify, "ready"))
        text = context.renderer.notice(view, self._occasion, told)
        spec = view.preview.spec
        written = await context.client.create_comment(spec.repository, issue or spec.number, text)
        report = Report(id=written.id, place=issue, told=GIVEN)
        return PublishResult(with_state(status, self._occasion, report))

    async def _taken_over(
        self, context: ReportContext, status: Status, issue: int, intent_at: datetime | None
    ) -> Status:
        """Return the status with what an issue holds of this notice.

        A process that died may have written it there, or an earlier Preview of the same pull request, closed
        and reopened since.
        """
        preview = context.view(status).preview
        since = intent_at - SEEN_WITHIN if intent_at else None
        try:
            comments = await context.client.comments(preview.spec.repository, issue, since)
        except (Forbidden, Invalid, NotFound):
            # Nor will it be written there: that is seen, and said, when it is tried.
            return status
        found = own_comments(comments, await context.us()).notices
        mine = [each for each in found if (each.of, each.occasion) == (preview.name, self._occasion)]
        return adopt_notices(status, mine, issue)


def _is_for_the_issue(context: ReportContext) -> bool:
    """Return whether the repository wants it told in the issue that the pull request closes."""
    return context.notify is not None and context.notify.where == "issue"


def _place(context: ReportContext, status: Status) -> int:
    """Return the issue in which the repository wants it told, if there is one; 0 is the pull request."""
    if not _is_for_the_issue(context):
        return 0
    own = [each for each in status.observed.closing_issues if each.own]
    # Nobody waits in one that is closed, if there is another.
    own.sort(key=lambda each: each.closed)
    return own[0].number if own else 0


def _elsewhere(context: ReportContext, status: Status) -> Elsewhere | None:
    """Return why the pull request is told what was meant for an issue; None where that was not meant."""
    if not _is_for_the_issue(context):
        return None
    asked = status.observed.request
    unknown = asked is None or asked.unknown is not None
    return Elsewhere(NotThere.UNKNOWN if unknown else NotThere.NONE)


def _may_be_known_later(context: ReportContext, status: Status) -> bool:
    """Return whether it is meant for an issue, and GitHub has not answered yet which one that is."""
    if not _is_for_the_issue(context):
        return False
    asked = status.observed.request
    return asked is None or asked.unknown is IssuesUnknown.ANSWER


def _refused(issue: int, error: RemoteError) -> Elsewhere:
    """Return that an issue was locked, deleted or moved, or that the App may not write in issues."""
    missing = isinstance(error, Forbidden) and is_not_granted(error.message)
    return Elsewhere(NotThere.NOT_GRANTED if missing else NotThere.REFUSED, issue, error.message)
