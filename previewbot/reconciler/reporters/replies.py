"""The answers that are owed to people's requests: a reaction, and words where it needs them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Protocol

from previewbot.api import Reply, Status
from previewbot.clients.github import InstallationClient
from previewbot.errors import Forbidden, Invalid, NotFound
from previewbot.text.render import Renderer, View

log = logging.getLogger(__name__)


class Draft(Protocol):
    """Who keeps the status of this pass."""

    status: Status


class Replies:
    """Gives answers; one leaves the status when nothing more of it is owed."""

    def __init__(self, client: InstallationClient, renderer: Renderer, view: View) -> None:
        self._client = client
        self._renderer = renderer
        self._view = view

    async def give(self, draft: Draft, reply: Reply, *, with_words: bool) -> None:
        """Give one answer: the reaction, then the words if they were announced.

        One that GitHub refuses is owed no longer: it would be refused again, and the others wait behind it.
        Raises RemoteError for what may go better next time.
        """
        spec = self._view.preview.spec
        try:
            reply = await self._react(reply)
            _keep(draft, reply)
            if reply.words and with_words:
                text = self._renderer.reply(reply.words, reply.values, reply.request.id, self._view)
                with self._refusable(reply):
                    await self._client.create_comment(spec.repository, spec.number, text)
                reply = replace(reply, words="", intent_at=None)
        except NotFound:
            # The request was deleted: nobody waits for an answer.
            reply = replace(reply, words="", goal=None, reaction="")
        _keep(draft, reply)

    async def _react(self, reply: Reply) -> Reply:
        repository = self._view.preview.spec.repository
        # The eyes say "seen" at once; the rocket follows when the goal is reached. GitHub ignores a reaction
        # that is there already, so a crash in between costs nothing.
        if reply.goal and not reply.eyes_given:
            with self._refusable(reply):
                await self._client.react(repository, reply.request.id, "eyes")
            return replace(reply, eyes_given=True)
        if reply.reaction and not reply.reacted and not reply.goal:
            with self._refusable(reply):
                await self._client.react(repository, reply.request.id, reply.reaction)
            return replace(reply, reacted=True)
        return reply

    @contextmanager
    def _refusable(self, reply: Reply) -> Iterator[None]:
        try:
            yield
        except (Forbidden, Invalid) as error:
            about = {
                "preview": self._view.preview.name,
                "comment_id": reply.request.id,
                "error": str(error),
            }
            log.warning("an answer was refused", extra=about)


def _keep(draft: Draft, reply: Reply) -> None:
    """Keep what is still owed of an answer."""
    owed = bool(reply.words or reply.goal or (reply.reaction and not reply.reacted))
    replies = (
        (reply if owed else None) if other.request == reply.request else other
        for other in draft.status.replies
    )
    kept = tuple(other for other in replies if other is not None)
    if kept != draft.status.replies:
        draft.status = replace(draft.status, replies=kept)
