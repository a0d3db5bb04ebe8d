"""The one status comment on the pull request, for life."""

from __future__ import annotations

import logging
from dataclasses import replace

from previewbot.api import Phase, Report, Status
from previewbot.errors import Forbidden, Invalid, NotFound, RemoteError
from previewbot.reconciler.conversation import OwnComments
from previewbot.reconciler.plan.inbox import COMMENT, duplicates, oldest_report
from previewbot.reconciler.reporters.reporter import PublishResult, ReportContext, TextReporter
from previewbot.text.markers import comment_hash
from previewbot.text.render import Renderer, View

log = logging.getLogger(__name__)


class StatusComment(TextReporter):
    """The reporter of the status comment."""

    name = COMMENT

    def render(self, renderer: Renderer, view: View) -> str:
        """Return the comment as it should be now."""
        return renderer.comment(view)

    def matters(self, view: View) -> str:
        """Return what people wait for, or act by: the commit, its phase and link, its time, and what they
        asked for."""
        status = view.preview.status
        lifecycle, observed = status.lifecycle, status.observed
        serving = [(service.name, service.serving_sha, service.phase.runs) for service in status.services]
        said = (status.phase, observed.head_sha, status.link.url, serving, observed.problems)
        begun = (lifecycle.approved_sha, lifecycle.started_by, *lifecycle.stopped)
        done = (lifecycle.expires_at, lifecycle.ended, *begun)
        failed = [(each.name, each.failure_message) for each in status.services if each.phase is Phase.FAILED]
        return comment_hash(repr((said, done, failed)))

    async def find(self, context: ReportContext, own: OwnComments) -> Report | None:
        """Return the oldest status comment of ours."""
        return oldest_report(own)

    async def write(self, context: ReportContext, report: Report, text: str) -> Report:
        """Edit the comment, or write it.

        If a person deleted it, it is not written again at once, but only when there is something new to say.
        """
        spec = context.view(context.before).preview.spec
        if not report.id:
            created = await context.client.create_comment(spec.repository, spec.number, text)
            return replace(report, id=created.id, hash=comment_hash(text))
        try:
            await context.client.update_comment(spec.repository, report.id, text)
        except NotFound:
            return replace(report, id=0, hash=comment_hash(text))
        return replace(report, hash=comment_hash(text))

    async def tidy(
        self, context: ReportContext, status: Status, was: Status, own: OwnComments
    ) -> PublishResult:
        """Delete status comments beside the one that stays.

        Only a look at the whole conversation finds them, and there is one while the id of that one is not
        known. So after an error both are forgotten, the id and the look: the next pass finds them again.
        """
        spec = context.view(context.before).preview.spec
        try:
            for comment_id in duplicates(was, own):
                await context.client.delete_comment(spec.repository, comment_id)
        except (Forbidden, Invalid) as error:
            # It stays: that is better than never to write the other one again.
            log.warning("a second status comment stays", extra={"error": str(error)})
        except RemoteError as error:
            context.forget()
            return PublishResult(self.with_report(status, Report()), error)
        return PublishResult(status)
