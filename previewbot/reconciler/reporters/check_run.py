"""The check `preview` of each commit: how it comes out, in the comment's words, with buttons.

One check run for each head, under the key `check/<head_sha>`. That of a commit which is not the newest any
more is ended, and leaves the status.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from previewbot.api import Phase, Reason, Report, Status
from previewbot.api.check_runs import (
    MOST_ANNOTATIONS,
    Annotation,
    CheckRunContent,
    Conclusion,
)
from previewbot.config.repository import PATH
from previewbot.reconciler.conversation import OwnComments
from previewbot.reconciler.reporters.kept import KeptReporter, report_of
from previewbot.reconciler.reporters.reporter import ReportContext
from previewbot.rules.check_runs import actions_of, conclusion_of
from previewbot.text.checks import CheckSaid, answers_to_presses

_IN_PROGRESS = "in progress"
_LAST = (
    *(Reason.MERGED, Reason.CLOSED, Reason.REPOSITORY_ARCHIVED, Reason.REPOSITORY_GONE),
    *(Reason.PULL_REQUEST_GONE, Reason.NOT_INCLUDED, Reason.INSTALLATION_SUSPENDED),
)
"""With these no check is begun: nobody waits for one."""
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
        state = str(self.run.conclusion or _IN_PROGRESS)
        return f"{state}|{self.marks}|{self.run.details_url}|{self.pressed[-1] if self.pressed else ''}"

    @property
    def marks(self) -> str:
        """What tells its annotations from others; empty where there are none."""
        return _hash_of(self.run.annotations)[:12] if self.run.annotations else ""


class CheckRun(KeptReporter[CheckContent]):
    """The reporter of checks; without the permission, or the setting, there are none."""

    name = "check"
    optional = True

    def wanted(self, context: ReportContext, status: Status) -> Mapping[str, CheckContent]:
        """Return the check of the newest commit, and how those of earlier ones end that still go on."""
        head_sha, off = status.observed.head_sha, context.settings.check == "off"
        key = self.key_of(head_sha)
        wanted = {
            of: _ended(context, status, off=off)
            for of, report in self.reports(status).items()
            if (report.id or report.intent_at) and _state_of(report) in ("", _IN_PROGRESS)
        }
        if not off and head_sha and status.phase is not None:
            content, said = _newest(context, status), report_of(status, key).hash
            # It is gone in a moment, and what is said then is the same for longer.
            goes = status.phase is Phase.STOPPING and status.reason not in _STAYS
            wanted[key] = replace(content, stands=said) if goes else content
        return wanted

    async def find(self, context: ReportContext, key: str, own: OwnComments) -> Report | None:
        """Return the newest check run of this Preview for the commit."""
        preview, us = context.preview, await context.us()
        runs = await context.client.checks.own(preview.spec.repository, self.sha_of(key), us.app_id)
        # Two pull requests may have one head; and each previewbot tells of its own Previews.
        ours = [run for run in runs if run.external_id == preview.name]
        if not ours:
            return None
        newest = max(ours, key=lambda run: run.id)
        return Report(id=newest.id, told=newest.conclusion if newest.completed else _IN_PROGRESS)

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
        if content.marks == _marks_of(report):
            # GitHub adds what is sent to what is there (see `CheckRunContent`).
            run = replace(run, annotations=())
        await checks.update(spec.repository, report.id, run)
        return replace(report, hash=content.hash)


def _newest(context: ReportContext, status: Status) -> CheckContent:
    view, mistakes, now = context.view(status), context.mistakes, context.now()
    deadline = context.settings.deadlines.image
    conclusion = conclusion_of(status, mistakes=bool(mistakes), deadline=deadline, now=now)
    said = CheckSaid(waits=conclusion is None, mistakes=mistakes)
    link = status.link
    opens = conclusion is Conclusion.SUCCESS and link.kind is not None and link.kind.just_works
    run = CheckRunContent(
        external_id=view.preview.name,
        conclusion=conclusion,
        output=context.renderer.check(view, said),
        details_url=link.url if opens else view.page_url or view.pull_request_url,
        actions=actions_of(status) if conclusion is not None else (),
        annotations=tuple(
            Annotation(PATH, max(1, each.line), each.message) for each in mistakes[:MOST_ANNOTATIONS]
        ),
    )
    required = context.settings.check == "required"
    begins = context.may_begin or required or bool(mistakes)
    pressed = tuple(reply.request.id for reply in answers_to_presses(status))
    return CheckContent(run, begins and status.reason not in _LAST, pressed=pressed)


def _ended(context: ReportContext, status: Status, *, off: bool) -> CheckContent:
    """Return how the check of a commit ends that is not the newest, or of which nothing is told any more."""
    view = context.view(status)
    run = CheckRunContent(
        external_id=view.preview.name,
        conclusion=Conclusion.NEUTRAL,
        output=context.renderer.check(view, CheckSaid(superseded=not off, off=off)),
        details_url=view.pull_request_url,
    )
    return CheckContent(run, begins=False)


def _state_of(report: Report) -> str:
    return report.told.partition("|")[0]


def _marks_of(report: Report) -> str:
    return report.told.split("|")[1] if "|" in report.told else ""


def _hash_of(value: object) -> str:
    return hashlib.sha256(repr(value).encode(errors="replace")).hexdigest()
