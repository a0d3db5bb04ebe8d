"""What is kept up to date somewhere: a text, a state of a commit. How it is found and written is a subclass.

It is created once, whatever crashes, and written only if it changed.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Generic, TypeVar

from previewbot.api import Refusal, Report, Status
from previewbot.errors import Forbidden, Invalid, NotFound, RemoteError
from previewbot.reconciler.conversation import OwnComments
from previewbot.reconciler.plan.inbox import had_no_earlier_life
from previewbot.reconciler.plan.places import is_closed, key_of_place
from previewbot.reconciler.reporters import closing
from previewbot.reconciler.reporters.contents import Content, without_done, without_leftovers
from previewbot.reconciler.reporters.reporter import (
    Due,
    PartlyWritten,
    PublishResult,
    ReportContext,
    Reporter,
    intent_is_open,
)
from previewbot.rules import edits
from previewbot.rules.retries import next_try

ContentT = TypeVar("ContentT", bound=Content)


class KeptReporter(Reporter, Generic[ContentT]):
    """A reporter that keeps something up to date, in one place or in one for each commit.

    Its state are the entries of `status.reports` that it `owns`. Nothing is edited more often than
    `rules/edits.py` lets it, and what was refused is not sent again for a while. What an `optional` one could
    not send for a passing reason is tried again as `rules/retries.py` says.
    """

    @abstractmethod
    def wanted(self, context: ReportContext, status: Status) -> Mapping[str, ContentT]:
        """Return what should stand there now, by its key in `status.reports`.

        What is not named is done with. The ids of the latest of those are kept: somebody may push an earlier
        commit again, and two checks of one name on one commit would contradict each other.
        """

    async def find(self, context: ReportContext, key: str, own: OwnComments) -> Report | None:
        """Return what of ours stands there already: in the conversation, or where else this place is read.

        A place in which nothing can be found again may be written to twice after a crash. Raises RemoteError.
        """
        return None

    def stands_without_comment(self, context: ReportContext) -> bool:
        """Return whether an earlier Preview of the pull request may have told here, and in no comment."""
        return False

    def is_passing(self, content: ContentT) -> bool:
        """Return whether a few seconds usually make this untrue: then it is told only if it lasts."""
        return False

    @abstractmethod
    async def write(self, context: ReportContext, key: str, report: Report, content: ContentT) -> Report:
        """Create what should stand there (if the report has no id) or change it; return it as it is now.

        Raises RemoteError, or PartlyWritten.
        """

    def due(self, context: ReportContext, status: Status) -> tuple[Status, Sequence[Due]]:
        """Return what is to be written; nothing where the whole place takes nothing now."""
        wanted, due, waits = self.wanted(context, status), list[Due](), False
        closed = closing.why_closed(self.name, context, status) if self.optional else None
        status = without_done(status, self.reports(status), wanted)
        for key, content in wanted.items():
            after, written = self._due(context, status, key, content)
            if written and closed:
                # It stays as it is in the status too: an intent that was lost is looked for later.
                waits = True
            else:
                status, due = after, [*due, *written]
        if closed and waits:
            return closing.stays_closed(self.name, status, closed), ()
        return (status if due else closing.without_place(self.name, status)), due

    def _due(
        self, context: ReportContext, status: Status, key: str, content: ContentT
    ) -> tuple[Status, Sequence[Due]]:
        state, now = status.report(key), context.now()
        # What an earlier pass announced may be there although nothing is wanted any more: it is looked for.
        # In the conversation every look at the pull request does that.
        lost = state.intent_at is not None and not self.in_conversation
        # Where a pass began to write it and died, nobody knows what it says. By now it may be wanted again
        # as it was before, and would else stand as that pass left it.
        unsure = state.intent_at is not None and (bool(state.id) or lost)
        as_wanted = state.hash == content.hash and not unsure
        if as_wanted or not (state.id or content.begins or lost):
            return without_leftovers(status, key, state, now), ()
        if state.is_held(now):
            return status, ()
        if state.id and self.is_passing(content):
            passing = edits.passing_until(state.held_until, now)
            if passing is not None:
                return status.with_report(key, replace(state, held_until=passing)), ()
        later = edits.held_until(state.edits, now) if state.id else None
        # What it says may be wrong in what matters: that does not wait for its turn.
        if later is not None and state.told == content.matters and not unsure:
            return status.with_report(key, replace(state, held_until=later)), ()
        # What is refused is not announced either.
        if closing.refused_lately(state, content.hash, now) is not None:
            return status, (Due(key=key),)
        if state.id:
            return status.with_report(key, replace(state, intent_at=now)), (Due(changes=True, key=key),)
        return status, (Due(creates=True, key=key),)

    async def announce(
        self, context: ReportContext, status: Status, due: Due, own: OwnComments
    ) -> tuple[Status, bool]:
        """Note the intent, unless it is there already or another pass announced it lately."""
        state, now = status.report(due.key), context.now()
        content = self.wanted(context, status).get(due.key)
        if content is None:
            return status, False
        if not state.id and self._may_be_there(context, status, state):
            state = await self.find(context, due.key, own) or state
        if state.id:
            # A comment is adopted, and edited by the next pass. Elsewhere there may be no next one.
            state = state if self.in_conversation else replace(state, intent_at=now)
            return status.with_report(due.key, state), not self.in_conversation
        # The intent of a pass that died means that it may be there, and GitHub may not show it yet.
        if intent_is_open(state.intent_at, now):
            return status, False
        intent_at = now if content.begins else None
        return status.with_report(due.key, replace(state, intent_at=intent_at)), content.begins

    def _may_be_there(self, context: ReportContext, status: Status, state: Report) -> bool:
        """Return whether it may stand there although the status does not know it.

        The conversation was read anyway. To read another place is a request: only where a pass announced it
        and died, or an earlier Preview may have told of itself, and this one has told nothing there yet.
        """
        lost = state.intent_at is not None
        return self.in_conversation or lost or self._had_earlier_life(context, status)

    def _had_earlier_life(self, context: ReportContext, status: Status) -> bool:
        """Return whether an earlier Preview may have told of itself here, of which this one knows nothing."""
        # Of several commits that this pass begins to tell of each may have something.
        begins = not any(report.id for report in self.reports(context.before).values())
        return begins and (
            self.stands_without_comment(context) or not had_no_earlier_life(context.before, status)
        )

    async def publish(self, context: ReportContext, status: Status, due: Due) -> PublishResult:
        """Write it, and note what was written, or that it was refused."""
        state, content = status.report(due.key), self.wanted(context, status).get(due.key)
        if content is None:
            return PublishResult(status)
        refused = closing.refused_lately(state, content.hash, context.now())
        if refused is not None:
            return PublishResult(status, refused)
        if self.optional and closing.why_closed(self.name, context, status):
            # It was closed a moment ago, over another commit. What was announced is looked for later.
            return PublishResult(status)
        if not state.id and not due.creates:
            # It was refused when this was planned, and may be sent again by now; but nothing is created that
            # was not announced. The next pass does both.
            return PublishResult(status)
        try:
            written = await self.write(context, due.key, state, content)
        except PartlyWritten as part:
            # Whatever becomes of the rest, no second one is created.
            status, due = status.with_report(due.key, part.report), replace(due, creates=False)
            return PublishResult(self._failed(context, status, due, part.error, content.hash), part.error)
        except RemoteError as error:
            return PublishResult(self._failed(context, status, due, error, content.hash), error)
        now, edited = context.now(), bool(state.id)
        written = replace(
            written,
            intent_at=None,
            refusal=None,
            edits=(*edits.lately(state.edits, now), now) if edited else state.edits,
            told=content.matters,
            held_until=None,
            tries=0,
        )
        return PublishResult(closing.opened(self.name, context, status.with_report(due.key, written), now))

    def held_back(self, context: ReportContext, status: Status, due: Due, error: RemoteError) -> Status:
        """Note that it could not even be announced; it is tried again."""
        content = self.wanted(context, status).get(due.key)
        if content is None:
            return status
        if due.changes:
            # Nothing was sent: it says what it said before, unless an earlier pass left that in doubt.
            intent_at = context.before.report(due.key).intent_at
            status = status.with_report(due.key, replace(status.report(due.key), intent_at=intent_at))
        if not self.optional:
            return status
        return self._failed(context, status, replace(due, creates=False), error, content.hash)

    def _failed(
        self, context: ReportContext, status: Status, due: Due, error: RemoteError, content_hash: str
    ) -> Status:
        """Note why something was not written: refused, or to be tried again."""
        state, now = status.report(due.key), context.now()
        if self.optional and closing.closes(error, exists=bool(state.id)):
            return closing.close(self.name, context, self._not_written(status, due, None), error, now)
        if isinstance(error, Forbidden | Invalid) or (self.optional and isinstance(error, NotFound)):
            hash_ = closing.WHATEVER_IT_SAYS if isinstance(error, NotFound) else content_hash
            return self._refused(status, due, error, hash_, now)
        if not self.optional:
            # The pass itself is repeated.
            return status
        tries, again = next_try(state.tries, error, now, f"{due.key} {state.id}")
        if again is None:
            closing.gave_up(self.name, context, error)
            # The last try may have created it all the same.
            return self._refused(status, replace(due, creates=False), error, content_hash, now)
        # Whether it was created is not known: the intent stays, and it is looked for.
        return status.with_report(due.key, replace(state, tries=tries, held_until=again))

    def _refused(self, status: Status, due: Due, error: RemoteError, hash_: str, now: datetime) -> Status:
        refusal = Refusal(hash=hash_, at=now, status=error.status, message=error.message)
        return self._not_written(status, due, refusal)

    def _not_written(self, status: Status, due: Due, refusal: Refusal | None) -> Status:
        state = status.report(due.key)
        # Refused means not written: no reason to wait for it to show up, and it says what it said before.
        intent_at = None if due.creates or state.id else state.intent_at
        kept = replace(state, intent_at=intent_at, refusal=refusal, held_until=None, tries=0)
        return status.with_report(due.key, kept)

    def is_owed(self, status: Status) -> bool:
        """Return whether something is tried again, or may be there without our knowing its id."""
        if not self.optional or is_closed(status, self.name):
            return False
        return any(
            report.tries or (report.intent_at and not report.id and report.refusal is None)
            for report in self.reports(status).values()
        )

    def key_of(self, sha: str) -> str:
        """Return the key in `status.reports` of what is kept for a commit."""
        return f"{self.name}/{sha}"

    def sha_of(self, key: str) -> str:
        """Return the commit for which something is kept under a key."""
        return key.removeprefix(self.key_of(""))

    def reports(self, status: Status) -> Mapping[str, Report]:
        """Return what the status knows of what stands in this place; not of the place as a whole."""
        whole = key_of_place(self.name)
        return {key: report for key, report in status.reports.items() if self.owns(key) and key != whole}
