"""The check `preview verdict` of each commit: it waits until somebody has judged that very commit.

One check run for each head of a pull request that has a preview, under the key `verdict/<head_sha>`. It is
never `neutral` or `skipped`, which rules of branches take for a yes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from previewbot.api import Phase, Report, Status
from previewbot.api.check_runs import VERDICT_CHECK_NAME, CheckRunContent, Conclusion
from previewbot.engine.links import page_url
from previewbot.reconciler.conversation import OwnComments
from previewbot.reconciler.reporters.check_run import IN_PROGRESS, LAST, goes_on, newest_of
from previewbot.reconciler.reporters.kept import KeptReporter
from previewbot.reconciler.reporters.reporter import ReportContext
from previewbot.rules.verdicts import barred, conclusion_of, judged
from previewbot.text.checks import VerdictsSaid


@dataclass(frozen=True)
class VerdictContent:
    """A check run as it should be now; `begins`: it is created where the commit has none."""

    run: CheckRunContent
    begins: bool

    @property
    def hash(self) -> str:
        """What tells it from every other content."""
        return hashlib.sha256(repr(self.run).encode(errors="replace")).hexdigest()

    @property
    def matters(self) -> str:
        """How it comes out, and where it leads."""
        return f"{self.run.conclusion or IN_PROGRESS}|{self.run.details_url}"


class VerdictCheck(KeptReporter[VerdictContent]):
    """The reporter of verdicts; without the permission, or the setting, there are no such checks."""

    name = "verdict"
    optional = True

    def wanted(self, context: ReportContext, status: Status) -> Mapping[str, VerdictContent]:
        """Return the check of the newest commit, and how each of an earlier one ends that still goes on."""
        head_sha, off = status.observed.head_sha, context.settings.verdicts == "off"
        wanted = {
            key: _over(context, status, self.sha_of(key), off=off)
            for key, report in self.reports(status).items()
            if report.intent_at or (report.id and goes_on(report))
        }
        if not off and head_sha and status.phase is not None:
            wanted[self.key_of(head_sha)] = _newest(context, status)
        return wanted

    async def find(self, context: ReportContext, key: str, own: OwnComments) -> Report | None:
        """Return the newest check run of this name and Preview for the commit."""
        preview, us = context.preview, await context.us()
        repository, sha = preview.spec.repository, self.sha_of(key)
        runs = await context.client.checks.own(repository, sha, us.app_id, VERDICT_CHECK_NAME)
        newest = newest_of(preview.name, runs)
        if newest is None:
            return None
        return Report(id=newest.id, told=f"{newest.conclusion if newest.completed else IN_PROGRESS}|")

    async def write(
        self, context: ReportContext, key: str, report: Report, content: VerdictContent
    ) -> Report:
        """Create the check run, or change it."""
        repository, checks = context.preview.spec.repository, context.client.checks
        if not report.id:
            number = await checks.create(repository, self.sha_of(key), content.run)
            return replace(report, id=number, hash=content.hash)
        await checks.update(repository, report.id, content.run)
        return replace(report, hash=content.hash)


def _newest(context: ReportContext, status: Status) -> VerdictContent:
    count = tuple(each for each in status.verdicts if each.counts)
    over = status.reason in LAST
    conclusion = conclusion_of(status.verdicts)
    if conclusion is None and over:
        # Begun again with a commit that somebody reopens.
        conclusion = Conclusion.CANCELLED
    run = _run(context, status, conclusion, VerdictsSaid(count=count, over=over))
    begins = context.may_begin and not over and status.phase is not Phase.NOTHING_TO_PREVIEW
    return VerdictContent(run, begins)


def _over(context: ReportContext, status: Status, sha: str, *, off: bool) -> VerdictContent:
    """Return how the check of a commit ends that nobody is to judge any more.

    A pass may have died while it wrote what somebody had said of it; else it ends, and that is no yes.
    """
    found = judged(status.verdicts, sha, barred(status.observed))
    count = tuple(each for each in found if each.counts)
    said = VerdictsSaid(count=count, over=True) if count else VerdictsSaid(off=off, superseded=not off)
    conclusion = conclusion_of(found) or Conclusion.CANCELLED
    return VerdictContent(_run(context, status, conclusion, said), begins=False)


def _run(
    context: ReportContext, status: Status, conclusion: Conclusion | None, said: VerdictsSaid
) -> CheckRunContent:
    view = context.view(status)
    # Also where pages tell nothing to whoever is not signed in: there one signs in.
    say_url = page_url(context.settings.public_url, view.preview.name)
    return CheckRunContent(
        external_id=view.preview.name,
        conclusion=conclusion,
        output=context.renderer.verdict_check(view, replace(said, say_url=say_url)),
        details_url=say_url,
        name=VERDICT_CHECK_NAME,
    )
