"""The answers that are owed to people's requests: a reaction, and words where it needs them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from previewbot.api import Reply, RequestKind, Status
from previewbot.errors import Forbidden, Invalid, NotFound, RemoteError
from previewbot.reconciler.conversation import OwnComments
from previewbot.reconciler.plan.inbox import edit_of
from previewbot.reconciler.plan.refusals import is_refusal
from previewbot.reconciler.reporters.reporter import (
    Due,
    PublishResult,
    ReportContext,
    Reporter,
    intent_is_open,
)
from previewbot.text.render import CannotBeSaid

_REACTIONS_AT_A_TIME = 20
_WORDS_AT_A_TIME = 10
"""The most of each that one pass gives: GitHub limits what is written in a minute, and a pass has an end."""

log = logging.getLogger(__name__)


class Answers(Reporter):
    """The reporter of answers; one leaves the status when nothing more of it is owed."""

    name = "answers"
    in_conversation = True

    def due(self, context: ReportContext, status: Status) -> tuple[Status, Sequence[Due]]:
        """Return the reactions and words that this pass gives; a reaction first, since it takes no intent."""
        owed = tuple(reply for reply in status.replies if not is_ours(reply) or _is_owed(reply))
        status = status if owed == status.replies else replace(status, replies=owed)
        ours = [reply for reply in owed if is_ours(reply)]
        reactions = [Due(text=_reaction(reply), request=reply.request) for reply in ours if _reaction(reply)]
        # What may be there already waits for its turn behind the others: it takes none of theirs.
        now, worded = context.now(), [reply for reply in ours if reply.words]
        worded.sort(key=lambda reply: intent_is_open(reply.intent_at, now))
        words = [Due(creates=True, request=reply.request) for reply in worded]
        return status, [*reactions[:_REACTIONS_AT_A_TIME], *words[:_WORDS_AT_A_TIME]]

    async def announce(
        self, context: ReportContext, status: Status, due: Due, own: OwnComments
    ) -> tuple[Status, bool]:
        """Note the intent to give an answer, unless it was announced lately, or given."""
        reply = _owed_for(status, due)
        if reply is not None and not reply.words:
            # Found in the conversation by now, written by a process that died: nothing of it is owed.
            return _with_reply(status, replace(reply, intent_at=None)), False
        if reply is None or intent_is_open(reply.intent_at, context.now()):
            return status, False
        return _with_reply(status, replace(reply, intent_at=context.now())), True

    async def publish(self, context: ReportContext, status: Status, due: Due) -> PublishResult:
        """Give a reaction, or the words.

        What GitHub refuses is owed no longer: it would be refused again, and the others wait behind it.
        """
        reply = _owed_for(status, due)
        if reply is None:
            return PublishResult(status)
        try:
            give = _answer if due.creates else _react
            reply = await give(context, status, reply)
        except NotFound:
            # The request was deleted: nobody waits for an answer.
            reply = replace(reply.saying(()), goal=None, reaction="")
        except RemoteError as error:
            return PublishResult(status, error)
        return PublishResult(_with_reply(status, reply))


async def _answer(context: ReportContext, status: Status, reply: Reply) -> Reply:
    view = context.view(status)
    try:
        text = context.renderer.reply(
            reply.said, reply.request, view, reply.author, edit_of(reply), refused=is_refusal(reply)
        )
    except CannotBeSaid as error:
        # Stored by another version, before an update or a step back. The reaction is given all the same;
        # without this no pass of the Preview would come to its end any more.
        log.warning(
            "an answer cannot be put into words", extra={"preview": view.preview.name, "error": str(error)}
        )
        return replace(reply.saying(()), worded=True, intent_at=None)
    with _refusable(view.preview.name, reply):
        await context.client.create_comment(view.preview.spec.repository, view.preview.spec.number, text)
    return replace(reply.saying(()), worded=True, intent_at=None)


async def _react(context: ReportContext, status: Status, reply: Reply) -> Reply:
    preview, reaction, request = context.view(status).preview, _reaction(reply), reply.request
    on_lines = request.kind == RequestKind.REVIEW_COMMENT
    give = context.client.react_on_lines if on_lines else context.client.react
    # GitHub ignores a reaction that is there already, so a crash before it is noted costs nothing.
    with _refusable(preview.name, reply):
        await give(preview.spec.repository, request.id, reaction)
    return replace(reply, eyes_given=True) if reply.goal else replace(reply, reacted=True)


def _reaction(reply: Reply) -> str:
    """Return the reaction that is owed now, or "" if none is."""
    # REST gives none to a review
    # (https://docs.github.com/en/rest/reactions/reactions): it is answered in words alone.
    if reply.request.kind == RequestKind.REVIEW:
        return ""
    # The eyes say "seen" at once; the rocket follows when the goal is reached.
    if reply.goal:
        return "" if reply.eyes_given else "eyes"
    return "" if reply.reacted else reply.reaction


def _is_owed(reply: Reply) -> bool:
    return bool(reply.words or reply.goal or _reaction(reply))


def is_owed_now(reply: Reply, now: datetime) -> bool:
    """Return whether another pass gives something of an answer, without waiting for anything."""
    words = bool(reply.words) and not intent_is_open(reply.intent_at, now)
    return is_ours(reply) and (words or bool(_reaction(reply)))


def is_ours(reply: Reply) -> bool:
    """Return whether this version knows where a request is answered; another one may know of more places."""
    return reply.request.kind in frozenset(RequestKind)


def _owed_for(status: Status, due: Due) -> Reply | None:
    return next((reply for reply in status.replies if reply.request == due.request), None)


def _with_reply(status: Status, reply: Reply) -> Status:
    """Return the status with what is still owed of an answer."""
    replies = tuple(reply if other.request == reply.request else other for other in status.replies)
    kept = tuple(other for other in replies if other.request != reply.request or _is_owed(other))
    return replace(status, replies=kept)


@contextmanager
def _refusable(preview: str, reply: Reply) -> Iterator[None]:
    try:
        yield
    except (Forbidden, Invalid) as error:
        about = {
            "preview": preview,
            "kind": reply.request.kind,
            "comment_id": reply.request.id,
            "error": str(error),
        }
        log.warning("an answer was refused", extra=about)
