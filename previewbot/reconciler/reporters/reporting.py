"""Reports in every place, each created once whatever crashes. It knows no kind of reporter."""

from __future__ import annotations

from collections.abc import Sequence

from previewbot.api import PreviewRequest, Status
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
        says: tuple[PreviewRequest, ...] = (),
        quotes: bool = False,
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
            settings=context.settings,
            view=lambda status: view_of(context.settings, store.with_status(status)),
            before=before,
            may_begin=plan.decision.begins_comment,
            notify=plan.notify,
            us=lambda: context.github.identity(preview.spec.installation_id),
            now=context.now,
            forget=lambda: context.memory.forget_facts(preview.name),
            runs=lambda sha: context.memory.builds.runs(preview.name, sha),
            runs_now=lambda sha: context.memory.builds.runs_now(preview.name, sha, context.now()),
            mistakes=plan.mistakes,
            closed=context.memory.closed,
            opened=lambda: context.memory.untriggered.forget(preview.spec.repository_id, context.now()),
            says=says,
            quotes=quotes,
        )

    async def report(self, reporters: Sequence[Reporter], own: OwnComments) -> RemoteError | None:
        """Bring these places up to date; return an error, rather one that may pass.

        `own` is what of ours the conversation held when this pass read it. A place that cannot be written
        keeps no other from being written.
        """
        self._errors = []
        try:
            await self._tidy(reporters, own, self._report_context.before)
        except RemoteError as error:
            # What stands twice in the conversation cannot be removed: nothing more is written there now.
            self._errors.append(error)
            reporters = [reporter for reporter in reporters if not reporter.in_conversation]
        due = self._those_with_room(self._due(reporters))
        announced = await self._announce(reporters, [entry for entry in due if entry[1].creates])
        if announced or any(each.changes for _, each in due):
            # The intent is stored before anything is sent. If the process dies between the two, the next pass
            # looks whether it is there, and only then creates it; what was about to change it writes anew.
            await self._store.write(self.status)
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

    def _those_with_room(self, entries: Sequence[_Entry]) -> Sequence[_Entry]:
        """Hold back what would be announced while nothing may be written, and what is optional while the rest
        of a minute's writes is for comments and answers.

        Each pass would store the announcement in vain, and read the conversation for it, again and again
        while GitHub's limit holds.
        """
        announced = [each for each in entries if each[1].creates or each[1].changes]
        optional = [each for each in announced if each[0].optional]
        client, repository = self._report_context.client, self._store.preview.spec.repository
        for held, are_optional in ((announced, False), (optional, True)):
            try:
                if held:
                    client.check_writes(repository, optional=are_optional)
            except RemoteError as error:
                self._hold_back(held, error)
                return [entry for entry in entries if entry not in held]
        return entries

    async def _announce(self, reporters: Sequence[Reporter], entries: Sequence[_Entry]) -> list[_Entry]:
        """Note the intent to create what is missing, after a look whether it is there already.

        Return what this pass may create: the intent of a pass that died is held for a while, not acted on.
        """
        if not entries:
            return []
        own, talks = OwnComments(), [entry for entry in entries if entry[0].in_conversation]
        if talks:
            try:
                own = await self._read_conversation(reporters, talks)
            except RemoteError as error:
                # What is there already can be edited although the conversation cannot be read.
                self._hold_back(talks, error)
                entries = [entry for entry in entries if entry not in talks]
        announced = []
        for entry in entries:
            reporter, due = entry
            try:
                self.status, creates = await reporter.announce(self._report_context, self.status, due, own)
            except RemoteError as error:
                # Not known whether it is there: it is not written now, and keeps no other from being written.
                self._hold_back([entry], error)
                continue
            if creates:
                announced.append(entry)
        return announced

    async def _read_conversation(
        self, reporters: Sequence[Reporter], entries: Sequence[_Entry]
    ) -> OwnComments:
        """Return what of ours stands there, and take it over."""
        spec = self._store.preview.spec
        # Before anything is created the conversation is read once more: the look of this pass is older, and a
        # process that died may have written the comment since. Not the whole of it for each answer, or
        # whoever writes commands would choose how much of GitHub's time and ours they take.
        since = None if any(due.anywhere for _, due in entries) else unseen_since(self.status)
        us = await self._report_context.us()
        comments = await self._report_context.client.comments(spec.repository, spec.number, since)
        own = own_comments(comments, us)
        await self._tidy(reporters, own, self.status)
        self.status = adopt(self.status, own)
        return own

    async def _publish(self, reporter: Reporter, due: Due) -> None:
        result = await reporter.publish(self._report_context, self.status, due)
        self.status = result.status
        if result.error is not None and not reporter.optional:
            self._errors.append(result.error)

    def _hold_back(self, entries: Sequence[_Entry], error: RemoteError) -> None:
        """Note that nothing could be said of these now; it is an error unless all are optional."""
        for reporter, due in entries:
            self.status = reporter.held_back(self._report_context, self.status, due, error)
        if not all(reporter.optional for reporter, _ in entries):
            self._errors.append(error)
