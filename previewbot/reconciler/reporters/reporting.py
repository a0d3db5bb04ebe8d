"""Reports in every place, each created once whatever crashes.

It knows no place but the conversation, where what we wrote before is found.

Everything that is created is first announced in the status (the intent). After a crash in between, the next
pass looks for what was written, and creates nothing again within 30 seconds, in which GitHub may not yet show
it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from previewbot.api import Preview, Refusal, Report, RequestId, RequestKind, Status
from previewbot.clients.github import InstallationClient
from previewbot.engine.view import view_of
from previewbot.errors import Forbidden, Invalid, RemoteError, from_status
from previewbot.reconciler.context import Context
from previewbot.reconciler.observation import OwnWords
from previewbot.reconciler.plan.inbox import COMMENT, adopt, duplicates, own_words
from previewbot.reconciler.plan.planner import Plan
from previewbot.reconciler.plan.requeue import INTENT_HOLDS, REFUSAL_HOLDS
from previewbot.reconciler.reporters.replies import Replies
from previewbot.reconciler.store import PreviewStore
from previewbot.text.markers import comment_hash
from previewbot.text.render import Renderer, View

log = logging.getLogger(__name__)


class TextReporter(Protocol):
    """A place that shows one text about a preview, kept up to date."""

    @property
    def name(self) -> str:
        """Its name among `status.reports`."""

    def render(self, renderer: Renderer, view: View) -> str:
        """Return the text that should stand there."""

    def find(self, own: OwnWords) -> Report | None:
        """Return what of ours stands there already, as the conversation shows it."""

    async def publish(
        self, client: InstallationClient, preview: Preview, report: Report, text: str
    ) -> Report:
        """Create or update what stands there; return it as it is now. Raises RemoteError."""


@dataclass(frozen=True)
class _Due:
    """A text that is to be written; `creates` if nothing of ours stands there yet."""

    reporter: TextReporter
    text: str
    creates: bool


class Reporting:
    """One pass's reports. `status` follows what was done, so that an error in the middle loses nothing
    of it."""

    def __init__(
        self, context: Context, store: PreviewStore, status: Status, reporters: Sequence[TextReporter]
    ) -> None:
        self.status = status
        self._context = context
        self._store = store
        self._reporters = reporters
        self._client = context.github.installation(store.preview.spec.installation_id)
        self._errors: list[RemoteError] = []

    async def report(self, plan: Plan) -> RemoteError | None:
        """Bring all places and the answers up to date; return an error, rather one that may pass.

        A place that cannot be written keeps no other from being written. Raises RemoteError if not even the
        conversation can be read that tells what was written before.
        """
        await self._delete_duplicates(plan.duplicates)
        due = self._due(plan)
        announced, replies = await self._announce(due)
        # Creating is only allowed where this very pass announced it. An announcement that a dead process left
        # means that the text may be there already, and GitHub may not show it yet.
        for each in due:
            if not each.creates or each.reporter.name in announced:
                await self._publish(each)
        answers = Replies(self._client, self._context.renderer, self._view())
        for reply in self.status.replies:
            if reply.request.kind != RequestKind.ISSUE_COMMENT:
                # Another version knows where this is answered.
                continue
            try:
                await answers.give(self, reply, with_words=reply.request in replies)
            except RemoteError as error:
                self._errors.append(error)
        passing = (error for error in self._errors if not isinstance(error, Forbidden | Invalid))
        return next(passing, next(iter(self._errors), None))

    async def _delete_duplicates(self, comment_ids: Sequence[int]) -> None:
        """Delete status comments beside the one that stays.

        Only a look at the whole conversation finds them, and there is one while the id of that one is not
        known. So after an error both are forgotten, the id and the look: the next pass finds them again.
        """
        try:
            for comment_id in comment_ids:
                await self._client.delete_comment(self._store.preview.spec.repository, comment_id)
        except (Forbidden, Invalid) as error:
            # It stays: that is better than never to write the other one again.
            log.warning("a second status comment stays", extra={"error": str(error)})
        except RemoteError:
            self._note(COMMENT, Report())
            self._context.memory.facts.pop(self._store.preview.name, None)
            raise

    def _view(self) -> View:
        return view_of(self._context.settings, self._store.with_status(self.status))

    def _due(self, plan: Plan) -> list[_Due]:
        """Return what is to be written: each text is rendered once, and only a change of it is an edit."""
        due, view = [], self._view()
        for reporter in self._reporters:
            text, state = reporter.render(self._context.renderer, view), self._state(reporter.name)
            begins = bool(state.id) or plan.decision.begins_comment
            if state.hash == comment_hash(text) or not begins:
                self._settle(reporter.name, state)
                continue
            refusal = self._refused_lately(state, text)
            if refusal is None:
                due.append(_Due(reporter, text, creates=not state.id))
            else:
                self._errors.append(refusal)
        return due

    def _settle(self, name: str, state: Report) -> None:
        """Forget what became of texts that nobody wants any more.

        An intent that stays would wake us again and again, a refusal would be told of for ever.
        """
        stale = bool(state.intent_at) and not state.id and not _holds(state.intent_at, self._context.now())
        if stale or state.refusal is not None:
            self._note(name, replace(state, intent_at=None if stale else state.intent_at, refusal=None))

    def _refused_lately(self, state: Report, text: str) -> RemoteError | None:
        """Return what GitHub said when it refused this very text some minutes ago: it would say so again."""
        refusal, now = state.refusal, self._context.now()
        if refusal is None or refusal.hash != comment_hash(text) or now - refusal.at >= REFUSAL_HOLDS:
            return None
        return from_status("GitHub", refusal.status, refusal.message)

    async def _announce(self, due: Sequence[_Due]) -> tuple[frozenset[str], frozenset[RequestId]]:
        """Store the intent to create what is missing, after a look whether it is there already.

        Return what this pass may create: the intent of a pass that died is held for a while, not acted on.
        """
        creates = [each.reporter for each in due if each.creates]
        if not creates and not any(reply.words for reply in self.status.replies):
            return frozenset(), frozenset()
        spec, now = self._store.preview.spec, self._context.now()
        # Before anything is created the conversation is read once more, whole: the look of this pass is
        # older, and a process that died may have written the comment since.
        comments = await self._client.comments(spec.repository, spec.number, None)
        own = own_words(comments, self._context.settings.github.app_id)
        await self._delete_duplicates(duplicates(self.status, own))
        self.status = adopt(self.status, own)
        announced = set()
        for reporter in creates:
            state = self._state(reporter.name)
            state = state if state.id else reporter.find(own) or state
            if not state.id and not _holds(state.intent_at, now):
                announced.add(reporter.name)
                state = replace(state, intent_at=now)
            self._note(reporter.name, state)
        replies = frozenset(
            r.request for r in self.status.replies if r.words and not _holds(r.intent_at, now)
        )
        self.status = replace(
            self.status,
            replies=tuple(
                replace(reply, intent_at=now) if reply.request in replies else reply
                for reply in self.status.replies
            ),
        )
        # The intent is stored before the text is sent. If the process dies between the two, the next pass
        # waits thirty seconds, looks whether the text is there, and only then writes it.
        await self._store.write(self.status)
        return frozenset(announced), replies

    async def _publish(self, due: _Due) -> None:
        name, state = due.reporter.name, self._state(due.reporter.name)
        try:
            state = await due.reporter.publish(self._client, self._store.preview, state, due.text)
            state = replace(state, intent_at=None, refusal=None)
        except (Forbidden, Invalid) as error:
            # Refused means not written: no reason to wait for it to show up.
            refusal = Refusal(
                hash=comment_hash(due.text),
                at=self._context.now(),
                status=error.status,
                message=error.message,
            )
            state = replace(state, intent_at=None if due.creates else state.intent_at, refusal=refusal)
            self._errors.append(error)
        except RemoteError as error:
            self._errors.append(error)
            return
        self._note(name, state)

    def _state(self, name: str) -> Report:
        return self.status.reports.get(name, Report())

    def _note(self, name: str, state: Report) -> None:
        if self._state(name) != state:
            self.status = replace(self.status, reports={**self.status.reports, name: state})


def _holds(intent_at: datetime | None, now: datetime) -> bool:
    return intent_at is not None and now - intent_at < INTENT_HOLDS
