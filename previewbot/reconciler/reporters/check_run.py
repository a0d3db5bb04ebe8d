"""The check `preview` of each commit: how it comes out, in the comment's words, with buttons.

One check run for each head, under the key `check/<head_sha>`. That of a commit which is not the newest any
more is ended, and leaves the status. What somebody pressed is answered in the very run where it was pressed,
also if that is an older commit's, or the pull request is closed by now.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from previewbot.api import Phase, Reason, Reply, Report, Status
from previewbot.api.check_runs import (
    MOST_ANNOTATIONS,
    Annotation,
    CheckRunContent,
    Conclusion,
    OwnCheckRun,
)
from previewbot.config.repository import PATH
from previewbot.reconciler.conversation import OwnComments
from previewbot.reconciler.plan.requeue import INTENT_HOLDS
from previewbot.reconciler.reporters.kept import KeptReporter
from previewbot.reconciler.reporters.reporter import Due, ReportContext
from previewbot.rules.check_runs import actions_of, conclusion_of
from previewbot.text.checks import CheckSaid, answers_to_presses

IN_PROGRESS = "in progress"
"""How a check run stands that is not completed, as `Report.told` begins with it."""
LAST = (
    *(Reason.MERGED, Reason.CLOSED, Reason.REPOSITORY_ARCHIVED, Reason.REPOSITORY_GONE),
    *(Reason.PULL_REQUEST_GONE, Reason.NOT_INCLUDED, Reason.INSTALLATION_SUSPENDED),
)
"""With these no check is begun: nobody waits for one."""
_UNKNOWN = "?"
"""It is not known which lines a run marks: a pass that died may have marked some."""
_STAYS = (Reason.REMOVAL_STALLED, Reason.REMOVAL_FORBIDDEN)
"""What keeps a preview from going, so that it is said."""


@dataclass(frozen=True)
class CheckContent:
    """A check run as it should be now; `begins`: it is created where the commit has none.

    `stands` is the hash of what is said already, where that stays for now. `pressed` are the requests that it
    answers: after GitHub's own "Re-run" it is written again, though it may say the same as before.
    """

    run: CheckRunContent
    begins: bool
    stands: str = ""
    pressed: tuple[int, ...] = ()

    @property
    def hash(self) -> str:
        """What tells it from every other content."""
        if self.stands:
            return self.stands
        return _hash_of((self.run, self.pressed) if self.pressed else self.run)

    @property
    def matters(self) -> str:
        """How it comes out and where it leads; which lines it marks, which are not marked twice; and what it
        answers to whoever pressed a button, and waits for that."""
        state = str(self.run.conclusion or IN_PROGRESS)
        return f"{state}|{self.marks}|{self.run.details_url}|{self.pressed[-1] if self.pressed else ''}"

    @property
    def marks(self) -> str:
        """What tells its annotations from others; empty where there are none."""
        return _marks(self.run.annotations)


class CheckRun(KeptReporter[CheckContent]):
    """The reporter of checks; without the permission, or the setting, there are none."""

    name = "check"
    optional = True

    def wanted(self, context: ReportContext, status: Status) -> Mapping[str, CheckContent]:
        """Return the check of the newest commit, and of those of earlier ones how each ends that still goes
        on, or at which somebody pressed something."""
        head_sha, off = status.observed.head_sha, context.settings.check == "off"
        key, asked_at = self.key_of(head_sha), {reply.head_sha for reply in answers_to_presses(status)}
        wanted = {
            of: _ended(context, status, answers_to_presses(status, self.sha_of(of)), off=off)
            for of, report in self.reports(status).items()
            if report.intent_at or self.sha_of(of) in asked_at or (report.id and goes_on(report))
        }
        if context.settings.check == "required":
            # Else the queue waits for it until its time is up, and throws the pull request out.
            queued = _in_queue(context, status)
            wanted |= {self.key_of(sha): queued for sha in status.observed.queue_heads}
        if not off and head_sha and status.phase is not None:
            content, said = _newest(context, status), status.report(key).hash
            # It is gone in a moment, and what is said then is the same for longer.
            goes = status.phase is Phase.STOPPING and status.reason not in _STAYS
            wanted[key] = replace(content, stands=said) if goes else content
        return wanted

    def due(self, context: ReportContext, status: Status) -> tuple[Status, Sequence[Due]]:
        """Return what is to be written."""
        for reply in answers_to_presses(status):
            key = self.key_of(reply.head_sha)
            if key not in status.reports:
                # Where somebody pressed something a run is, and was long ago. Which one GitHub is asked: what
                # web says of it might be another pull request's.
                status = status.with_report(key, Report(intent_at=context.now() - INTENT_HOLDS))
        for key, report in self.reports(status).items():
            if report.id and report.intent_at:
                # A pass died, or had no answer, while it changed this one.
                status = status.with_report(key, replace(report, told=f"{_state_of(report)}|{_UNKNOWN}|"))
        return super().due(context, status)

    def stands_without_comment(self, context: ReportContext) -> bool:
        """Return whether an earlier Preview, which nothing triggered, may have begun a check alone."""
        return context.settings.check == "required" or bool(context.mistakes)

    async def announce(
        self, context: ReportContext, status: Status, due: Due, own: OwnComments
    ) -> tuple[Status, bool]:
        """Note the intent, unless what is called a merge queue's commit has another pull request's check."""
        announced, creates = await super().announce(context, status, due, own)
        sha, state = self.sha_of(due.key), announced.report(due.key)
        is_queued = sha in status.observed.queue_heads and sha != status.observed.head_sha
        if not (creates and is_queued) or state.id or not await self._is_anothers(context, sha):
            return announced, creates
        # Whoever may push may call a branch so, and "skipped" would let that other pull request pass. A queue
        # makes its commits itself: none of them is the head of one.
        content = self.wanted(context, status)[due.key]
        return status.with_report(due.key, replace(state, hash=content.hash, intent_at=None)), False

    async def _is_anothers(self, context: ReportContext, sha: str) -> bool:
        """Return whether a commit has the check of another pull request's Preview."""
        preview, us = context.preview, await context.us()
        runs = await context.client.checks.own(preview.spec.repository, sha, us.app_id)
        return any(run.external_id != preview.name for run in runs)

    async def find(self, context: ReportContext, key: str, own: OwnComments) -> Report | None:
        """Return the newest check run of this Preview for the commit."""
        preview, us = context.preview, await context.us()
        runs = await context.client.checks.own(preview.spec.repository, self.sha_of(key), us.app_id)
        newest = newest_of(preview.name, runs)
        if newest is None:
            return None
        state = newest.conclusion if newest.completed else IN_PROGRESS
        return Report(
            id=newest.id, told=f"{state}|{_marks(_annotations(context)) if newest.annotations else ''}|"
        )

    async def write(self, context: ReportContext, key: str, report: Report, content: CheckContent) -> Report:
        """Create the check run, or change it."""
        spec, run = context.preview.spec, content.run
        checks = context.client.checks
        if not report.id:
            number = await checks.create(spec.repository, self.sha_of(key), run)
            return replace(report, id=number, hash=content.hash)
        skipped = Conclusion.SKIPPED
        if run.conclusion is skipped and _state_of(report) == skipped and not report.hash:
            # An earlier Preview of the same pull request said so. Each comment there makes one again.
            return replace(report, hash=content.hash)
        if content.marks and await self._is_marked(context, key, report, content):
            # GitHub adds what is sent to what is there (see `CheckRunContent`).
            run = replace(run, annotations=())
        await checks.update(spec.repository, report.id, run)
        return replace(report, hash=content.hash)

    async def _is_marked(
        self, context: ReportContext, key: str, report: Report, content: CheckContent
    ) -> bool:
        """Return whether a run has its annotations already; where that is not known GitHub is asked."""
        if _marks_of(report) != _UNKNOWN:
            return content.marks == _marks_of(report)
        repository, us = context.preview.spec.repository, await context.us()
        runs = await context.client.checks.own(repository, self.sha_of(key), us.app_id)
        return any(run.annotations for run in runs if run.id == report.id)


def _newest(context: ReportContext, status: Status) -> CheckContent:
    view, mistakes, now = context.view(status), context.mistakes, context.now()
    deadline = context.settings.deadlines.image
    conclusion = conclusion_of(status, mistakes=bool(mistakes), deadline=deadline, now=now)
    answers = answers_to_presses(status, status.observed.head_sha)
    said = CheckSaid(waits=conclusion is None, mistakes=mistakes, answers=answers)
    link = status.link
    opens = conclusion is Conclusion.SUCCESS and link.kind is not None and link.kind.just_works
    run = CheckRunContent(
        external_id=view.preview.name,
        conclusion=conclusion,
        output=context.renderer.check(view, said),
        details_url=link.url if opens else view.page_url or view.pull_request_url,
        actions=actions_of(status) if conclusion is not None else (),
        annotations=_annotations(context),
    )
    required = context.settings.check == "required"
    begins = context.may_begin or required or bool(mistakes)
    begins = begins and status.reason not in LAST
    # Whoever pressed something is answered, though the pull request is closed by now.
    return CheckContent(run, begins or bool(answers), pressed=_pressed(answers))


def _ended(context: ReportContext, status: Status, answers: Sequence[Reply], *, off: bool) -> CheckContent:
    """Return how the check of a commit ends that is not the newest, or of which nothing is told any more."""
    view = context.view(status)
    run = CheckRunContent(
        external_id=view.preview.name,
        conclusion=Conclusion.NEUTRAL,
        output=context.renderer.check(view, CheckSaid(superseded=not off, off=off, answers=tuple(answers))),
        details_url=view.pull_request_url,
    )
    return CheckContent(run, begins=False, pressed=_pressed(answers))


def _in_queue(context: ReportContext, status: Status) -> CheckContent:
    """Return the check of a commit of a merge queue, which is none that is previewed."""
    view = context.view(status)
    run = CheckRunContent(
        external_id=view.preview.name,
        conclusion=Conclusion.SKIPPED,
        output=context.renderer.check(view, CheckSaid(queued=True)),
        details_url=view.pull_request_url,
    )
    return CheckContent(run, begins=True)


def _pressed(answers: Sequence[Reply]) -> tuple[int, ...]:
    return tuple(reply.request.id for reply in answers)


def _annotations(context: ReportContext) -> tuple[Annotation, ...]:
    mistakes = context.mistakes[:MOST_ANNOTATIONS]
    return tuple(Annotation(PATH, max(1, each.line), each.message) for each in mistakes)


def _marks(annotations: Sequence[Annotation]) -> str:
    return _hash_of(annotations)[:12] if annotations else ""


def newest_of(preview: str, runs: Sequence[OwnCheckRun]) -> OwnCheckRun | None:
    """Return the newest of some check runs that is of this Preview; None if none is."""
    # Two pull requests may have one head; and each previewbot tells of its own Previews.
    ours = [run for run in runs if run.external_id == preview]
    return max(ours, key=lambda run: run.id, default=None)


def goes_on(report: Report) -> bool:
    """Return whether what was told last is that a check run is in progress, or nothing is known of it."""
    return _state_of(report) in ("", IN_PROGRESS)


def _state_of(report: Report) -> str:
    return report.told.partition("|")[0]


def _marks_of(report: Report) -> str:
    return report.told.split("|")[1] if "|" in report.told else ""


def _hash_of(value: object) -> str:
    return hashlib.sha256(repr(value).encode(errors="replace")).hexdigest()
