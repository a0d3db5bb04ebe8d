"""Reports to the pull request: one status comment for life, and the answers that are owed to commands.

Everything that is created there is first announced in the status (the intent). After a crash in between, the
next pass lists all comments to find what was written, and creates nothing again within 30 seconds, in which
GitHub may not yet show it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from previewbot.errors import Forbidden, Invalid, NotFound, RemoteError
from previewbot.github import InstallationClient
from previewbot.links import page_url
from previewbot.mirrord import header
from previewbot.plan import Decision
from previewbot.plan.when import INTENT_HOLDS
from previewbot.preview import CommentState, Preview, Reply
from previewbot.reconcile.commands_of import adopt
from previewbot.reconcile.context import Context
from previewbot.reconcile.memory import Refusal
from previewbot.reconcile.stored import Stored
from previewbot.render import View, comment_hash

_REFUSAL_HOLDS = timedelta(minutes=5)

log = logging.getLogger(__name__)


def view_of(context: Context, preview: Preview) -> View:
    """Return what the comment, the page and the answers are rendered from."""
    web_url = context.settings.github.web_url.rstrip("/")
    link = preview.status.link
    return View(
        preview=preview,
        page_url=page_url(context.settings.public_url, preview.name),
        pull_request_url=f"{web_url}/{preview.spec.repository}/pull/{preview.spec.number}",
        header=header(preview.spec.environment_key),
        session_link=link.extension_url or None,
    )


async def report(context: Context, stored: Stored, decision: Decision) -> None:
    """Bring the comment and the answers up to date; raises RemoteError when GitHub refuses or is away.

    A comment that is refused for good (a locked conversation, say) keeps no answer from being tried.
    """
    client = context.github.installation(stored.preview.spec.installation_id)
    body = context.renderer.comment(view_of(context, stored.preview))
    refusal = _refused_lately(context, stored, body)
    wanted = refusal is None and _wants_comment(stored, body, decision)
    announced = await _announce(context, client, stored, wanted)
    if not wanted:
        _withdraw(context, stored)
    else:
        try:
            await _comment(client, stored, body, announced)
        except (Forbidden, Invalid) as error:
            refusal = error
            context.memory.refusals[stored.preview.name] = Refusal(comment_hash(body), context.now(), error)
    for reply in stored.status.replies:
        await _answer(context, client, stored, reply, announced)
    if refusal is not None:
        raise refusal


def _wants_comment(stored: Stored, body: str, decision: Decision) -> bool:
    state = stored.status.comment
    if state.hash == comment_hash(body):
        return False
    return bool(state.id) or not decision.silent


def _withdraw(context: Context, stored: Stored) -> None:
    """Forget the intent to write a comment that nobody wants any more, lest it wake us again and again."""
    state = stored.status.comment
    if not state.id and not _held(state.intent_at, context.now()):
        comment = replace(state, intent_at=None)
        stored.status = replace(stored.status, comment=comment)


def _refused_lately(context: Context, stored: Stored, body: str) -> RemoteError | None:
    """Return what GitHub said when it refused this very text some minutes ago: it would say so again."""
    refusal = context.memory.refusals.get(stored.preview.name)
    if refusal is None or refusal.hash != comment_hash(body) or context.now() - refusal.at >= _REFUSAL_HOLDS:
        return None
    return refusal.error


@dataclass(frozen=True)
class _Announced:
    """What this pass may create: the intent of a pass that died is held for a while, not acted on."""

    comment: bool = False
    replies: frozenset[int] = frozenset()


async def _announce(context: Context, client: InstallationClient, stored: Stored, wanted: bool) -> _Announced:
    """Store the intent to create what is missing, after a look whether it is there already."""
    now = context.now()
    creates = wanted and not stored.status.comment.id
    if not creates and not any(reply.kind for reply in stored.status.replies):
        return _Announced()
    spec = stored.preview.spec
    comments = await client.comments(spec.repository, spec.number, None)
    status = await adopt(context, client, spec.repository, stored.status, comments)
    comment = creates and not status.comment.id and not _held(status.comment.intent_at, now)
    if comment:
        intent = replace(status.comment, intent_at=now)
        status = replace(status, comment=intent)
    due = frozenset(r.comment_id for r in status.replies if r.kind and not _held(r.intent_at, now))
    replies = tuple(
        replace(reply, intent_at=now) if reply.comment_id in due else reply for reply in status.replies
    )
    stored.status = replace(status, replies=replies)
    await stored.write()
    return _Announced(comment, due)


def _held(intent_at: datetime | None, now: datetime) -> bool:
    return intent_at is not None and now - intent_at < INTENT_HOLDS


async def _comment(client: InstallationClient, stored: Stored, body: str, announced: _Announced) -> None:
    spec, state = stored.preview.spec, stored.status.comment
    if state.id:
        try:
            await client.update_comment(spec.repository, state.id, body)
            state = CommentState(id=state.id, hash=comment_hash(body))
        except NotFound:
            # A person deleted it: it is made again at the next change of the text, not against their will.
            state = CommentState(hash=comment_hash(body))
    elif announced.comment:
        try:
            created = await client.create_comment(spec.repository, spec.number, body)
        except (Forbidden, Invalid):
            # Refused means not written: no reason to wait for it to show up.
            stored.status = replace(stored.status, comment=CommentState())
            raise
        state = CommentState(id=created.id, hash=comment_hash(body))
    stored.status = replace(stored.status, comment=state)


async def _answer(
    context: Context, client: InstallationClient, stored: Stored, reply: Reply, announced: _Announced
) -> None:
    """Give one answer: the reaction, then the words; it leaves the status when nothing more is owed.

    One that GitHub refuses is owed no longer: it would be refused again, and the others wait behind it.
    """
    spec = stored.preview.spec
    try:
        reply = await _react(client, stored, reply)
        _store(stored, reply)
        if reply.kind and reply.comment_id in announced.replies:
            view = view_of(context, stored.preview)
            text = context.renderer.reply(reply.kind, reply.values, reply.comment_id, view)
            with _refusable(stored, reply):
                await client.create_comment(spec.repository, spec.number, text)
            reply = replace(reply, kind="", intent_at=None)
    except NotFound:
        # The command was deleted: nobody waits for an answer.
        reply = replace(reply, kind="", goal="", reaction="")
    _store(stored, reply)


async def _react(client: InstallationClient, stored: Stored, reply: Reply) -> Reply:
    repository = stored.preview.spec.repository
    if reply.goal and not reply.eyes_given:
        with _refusable(stored, reply):
            await client.react(repository, reply.comment_id, "eyes")
        return replace(reply, eyes_given=True)
    if reply.reaction and not reply.reacted and not reply.goal:
        with _refusable(stored, reply):
            await client.react(repository, reply.comment_id, reply.reaction)
        return replace(reply, reacted=True)
    return reply


@contextmanager
def _refusable(stored: Stored, reply: Reply) -> Iterator[None]:
    try:
        yield
    except (Forbidden, Invalid) as error:
        about = {"preview": stored.preview.name, "comment_id": reply.comment_id, "error": str(error)}
        log.warning("an answer was refused", extra=about)


def _store(stored: Stored, reply: Reply) -> None:
    owed = bool(reply.kind or reply.goal or (reply.reaction and not reply.reacted))
    replies = (
        (reply if owed else None) if other.comment_id == reply.comment_id else other
        for other in stored.status.replies
    )
    stored.status = replace(stored.status, replies=tuple(other for other in replies if other is not None))
