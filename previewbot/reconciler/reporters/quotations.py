"""What people say who come by a proxy: quoted once, in a comment of ours in our own name.

What somebody said stands in their request until it is written, and nowhere else: the status has only that it
was announced. A process that dies behind the comment leaves it to the next one, which finds it by its marker.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from previewbot.api import AskedIn, PreviewRequest, Report, Status
from previewbot.api.reports import QUOTED
from previewbot.errors import Forbidden, Invalid, NotFound, RemoteError
from previewbot.reconciler.conversation import OwnComments
from previewbot.reconciler.plan.inbox import with_handled
from previewbot.reconciler.plan.presses import SAID_KEPT_FOR, press_id, taken
from previewbot.reconciler.plan.verdicts import new_verdict
from previewbot.reconciler.reporters.reporter import (
    Due,
    PublishResult,
    ReportContext,
    Reporter,
    intent_is_open,
)
from previewbot.rules.quoting import MOST_QUOTED, WITHIN, quoted_lately
from previewbot.rules.verdicts import kept, nth_of
from previewbot.text.quotes import quote_comment

_AT_A_TIME = 5
"""The most that one pass writes: GitHub limits what is written in a minute, and a pass has an end."""

_MOST_WAITING = MOST_QUOTED * (SAID_KEPT_FOR // WITHIN)
"""So many are quoted for as long as what waits is kept."""

log = logging.getLogger(__name__)


class Quotations(Reporter):
    """The reporter of what people said by proxy; each of their requests is carried out by it, once."""

    name = QUOTED
    in_conversation = True

    def is_owed(self, status: Status) -> bool:
        """Return whether something was announced that may not stand there yet.

        It ends: with the comment, or with what GitHub says that refuses it.
        """
        return any(key.startswith(f"{QUOTED}/") for key in status.reports)

    def due(self, context: ReportContext, status: Status) -> tuple[Status, Sequence[Due]]:
        """Return those that are to be quoted now; what the settings do not let be said is done with.

        What is too much for this hour waits for the next: whoever said it was thanked for it. Only what would
        wait for longer than it is kept is done with at once, which pages alone never let come about.
        """
        now, due, wait = context.now(), list[Due](), 0
        status = _without_those_gone(context, status)
        lately = quoted_lately(status.report(QUOTED).edits, now)
        known = frozenset({*taken(status), *(each.request for each in status.verdicts if each.by_proxy)})
        for found in context.says:
            number = found.ask.id
            if number in known:
                # The look has found the comment of a process that died.
                status = _done(status, number)
            elif not context.quotes or wait >= _MOST_WAITING:
                about = {"preview": context.preview.name, "request": found.name, "may": context.quotes}
                log.warning("somebody who came by a proxy is not quoted", extra=about)
                status = _done(status, number)
            elif len(lately) + len(due) >= MOST_QUOTED and _key(number) not in status.reports:
                wait += 1
            else:
                intent_at = status.report(_key(number)).intent_at
                # Announced for the first time, it may stand there all the same: an older version, or an
                # earlier Preview of the same pull request, has taken that with it.
                due.append(Due(creates=True, anywhere=intent_at is None, key=_key(number)))
        held = status.report(QUOTED).held_until
        until = min(lately, default=now) + WITHIN if wait else None
        if until is not None and not lately and held is not None and held > now:
            # Counted from now it would be another moment with each pass, and a status to store.
            until = held
        if until != held:
            status = status.with_report(QUOTED, replace(status.report(QUOTED), held_until=until))
        return status, due[:_AT_A_TIME]

    async def announce(
        self, context: ReportContext, status: Status, due: Due, own: OwnComments
    ) -> tuple[Status, bool]:
        """Note the intent to quote somebody, unless it stands there, or was announced lately."""
        found = _of(context, due)
        if found is None:
            return status, False
        if found.ask.id in own.quoted:
            return _done(status, found.ask.id), False
        if intent_is_open(status.report(due.key).intent_at, context.now()):
            return status, False
        return status.with_report(due.key, Report(intent_at=context.now())), True

    async def publish(self, context: ReportContext, status: Status, due: Due) -> PublishResult:
        """Write the comment; what GitHub refuses, as in a pull request that is locked, is given up."""
        found = _of(context, due)
        if found is None or found.ask.saying is None:
            return PublishResult(status)
        view, number, actor, now = context.view(status), found.ask.id, found.ask.actor, context.now()
        link, spec = view.preview.status.link, view.preview.spec
        url = link.url if link.kind and link.kind.just_works else ""
        try:
            nth = nth_of(actor.name, actor.mark, status.verdicts)
            text = quote_comment(number, actor, found.ask.saying, preview_url=url, nth=nth)
            written = await context.client.create_comment(spec.repository, spec.number, text)
        except (Forbidden, Invalid, NotFound, ValueError) as error:
            about = {"preview": view.preview.name, "request": found.name, "error": str(error)}
            log.warning("somebody who came by a proxy could not be quoted", extra=about)
            return PublishResult(_done(status, number))
        except RemoteError as error:
            return PublishResult(status, error)
        moments = (*quoted_lately(status.report(QUOTED).edits, now), now)
        told = replace(status.report(QUOTED), edits=moments)
        status = _done(status.with_report(QUOTED, told), number)
        if written.verdict is not None:
            said = (*status.verdicts, new_verdict(written))
            status = replace(status, verdicts=kept(said, status.observed.head_sha))
        return PublishResult(status)


def _key(number: int) -> str:
    return f"{QUOTED}/{number}"


def _of(context: ReportContext, due: Due) -> PreviewRequest | None:
    return next((each for each in context.says if _key(each.ask.id) == due.key), None)


def _done(status: Status, number: int) -> Status:
    """Return the status in which a request is carried out, and nothing more announced of it."""
    reports = {key: each for key, each in status.reports.items() if key != _key(number)}
    status = status if len(reports) == len(status.reports) else replace(status, reports=reports)
    return with_handled(status, press_id(number, AskedIn.PAGE))


def _without_those_gone(context: ReportContext, status: Status) -> Status:
    """Return the status without what was announced of requests that are there no more.

    While it may still be written by a process that is about to die it stays.
    """
    there = {_key(each.ask.id) for each in context.says}
    reports = {
        key: each
        for key, each in status.reports.items()
        if not key.startswith(f"{QUOTED}/") or key in there or intent_is_open(each.intent_at, context.now())
    }
    return status if len(reports) == len(status.reports) else replace(status, reports=reports)
