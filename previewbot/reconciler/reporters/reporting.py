"""Reports in every place, each created once whatever crashes. It knows no kind of reporter."""

from __future__ import annotations

from collections.abc import Sequence

from previewbot.api import Status
from previewbot.engine.view import view_of
from previewbot.errors import Forbidden, Invalid, RemoteError
from previewbot.reconciler.context import Context
from previewbot.reconciler.conversation import OwnComments
from previewbot.reconciler.plan.inbox import adopt, own_comments, unseen_since
from previewbot.reconciler.plan.planner import Plan
from previewbot.reconciler.reporters.reporter import Due, ReportContext, Reporter
from previewbot.reconciler.store import PreviewStore

_Entry = tuple[Reporter, Due]


class Reporting:
    """One pass's reports. `status` follows what was done, so that an error in the middle loses nothing
    of it."""

    def __init__(
        self,
        context: Context,
        store: PreviewStore,
        plan: Plan,
        status: Status,
        *,
        before: Status,
    ) -> None:
        self.status = status
        self._context = context
        self._store = store
        self._errors: list[RemoteError] = []
        preview = store.preview
        self._report_context = ReportContext(
            client=context.client_for(preview),
            kube=context.kube,
            renderer=context.renderer,
            view=lambda status: view_of(context.settings, store.with_status(status)),
            before=before,
            may_begin=plan.decision.begins_comment,
            notify=plan.notify,
            us=lambda: context.github.identity(preview.spec.installation_id),
            now=context.now,
            forget=lambda: context.memory.forget_facts(preview.name),
        )

    async def report(self, reporters: Sequence[Reporter], own: OwnComments) -> RemoteError | None:
        """Bring these places up to date; return an error, rather one that may pass.

        `own` is what of ours the conversation held when this pass read it. A place that cannot be written
        keeps no other from being written. Raises RemoteError if what stands there twice cannot be removed.
        """
        self._errors = []
        await self._tidy(reporters, own, self._report_context.before)
        due = self._due(reporters)
        try:
            announced = await self._announce(reporters, [entry for entry in due if entry[1].creates])
        except RemoteError as error:
            # What is there already can be edited although the conversation cannot be read.
            announced = []
            self._errors.append(error)
        # In the order of the reporters. Creating is only allowed where this very pass announced it.
        for entry in due:
            if not entry[1].creates or entry in announced:
                await self._publish(*entry)
        passing = (error for error in self._errors if not isinstance(error, Forbidden | Invalid))
        return next(passing, next(iter(self._errors), None))

    async def _tidy(self, reporters: Sequence[Reporter], own: OwnComments, was: Status) -> None:
        for reporter in reporters:
            result = await reporter.tidy(self._report_context, self.status, was, own)
            self.status = result.status
            if result.error is not None:
                raise result.error

    def _due(self, reporters: Sequence[Reporter]) -> list[_Entry]:
        entries = []
        for reporter in reporters:
            self.status, due = reporter.due(self._report_context, self.status)
            entries += [(reporter, each) for each in due]
        return entries

    async def _announce(self, reporters: Sequence[Reporter], entries: Sequence[_Entry]) -> list[_Entry]:
        """Store the intent to create what is missing, after a look whether it is there already.

        Return what this pass may create: the intent of a pass that died is held for a while, not acted on.
        """
        if not entries:
            return []
        spec = self._store.preview.spec
        # Where nothing may be written now, nothing is announced: the intent would be stored in vain, and the
        # conversation read for it, again and again while GitHub's limit holds.
        self._report_context.client.check_writes(spec.repository)
        # Before anything is created the conversation is read once more: the look of this pass is older, and a
        # process that died may have written the comment since. Not the whole of it for each answer, or
        # whoever writes commands would choose how much of GitHub's time and ours they take.
        since = None if any(due.anywhere for _, due in entries) else unseen_since(self.status)
        us = await self._report_context.us()
        comments = await self._report_context.client.comments(spec.repository, spec.number, since)
        own = own_comments(comments, us)
        await self._tidy(reporters, own, self.status)
        self.status = adopt(self.status, own)
        announced = []
        for reporter, due in entries:
            try:
                self.status, creates = await reporter.announce(self._report_context, self.status, due, own)
            except RemoteError as error:
                # Not known whether it is there: it is not written now, and keeps no other from being written.
                self._errors.append(error)
                continue
            if creates:
                announced.append((reporter, due))
        # The intent is stored before the text is sent. If the process dies between the two, the next pass
        # waits thirty seconds, looks whether the text is there, and only then writes it.
        await self._store.write(self.status)
        return announced

    async def _publish(self, reporter: Reporter, due: Due) -> None:
        result = await reporter.publish(self._report_context, self.status, due)
        self.status = result.status
        if result.error is not None:
            self._errors.append(result.error)
