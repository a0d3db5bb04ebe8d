"""The one status comment on the pull request, for life."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

from previewbot.api import Phase, Reason, Report, Status
from previewbot.errors import Forbidden, Invalid, NotFound, RemoteError
from previewbot.reconciler.conversation import OwnComments
from previewbot.reconciler.plan.inbox import COMMENT, duplicates, oldest_report
from previewbot.reconciler.reporters.kept import KeptReporter
from previewbot.reconciler.reporters.reporter import PublishResult, ReportContext
from previewbot.text.markers import comment_hash

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CommentContent:
    """The status comment as it should be now; `matters` is the hash of what of it may not wait.

    `passing`: something is being removed, or a link asked, which mostly takes seconds.
    """

    text: str
    matters: str
    begins: bool
    passing: bool = False

    @property
    def hash(self) -> str:
        """The hash of the text."""
        return comment_hash(self.text)


class StatusComment(KeptReporter[CommentContent]):
    """The reporter of the status comment."""

    name = COMMENT
    in_conversation = True

    def wanted(self, context: ReportContext, status: Status) -> Mapping[str, CommentContent]:
        """Return the comment as it should be now."""
        text = context.renderer.comment(context.view(status))
        return {COMMENT: CommentContent(text, matters_of(status), context.may_begin, is_passing(status))}

    def is_passing(self, content: CommentContent) -> bool:
        """Return whether the comment would say something else a few seconds later."""
        return content.passing

    async def find(self, context: ReportContext, key: str, own: OwnComments) -> Report | None:
        """Return the oldest status comment of ours."""
        return oldest_report(own)

    async def write(
        self, context: ReportContext, key: str, report: Report, content: CommentContent
    ) -> Report:
        """Edit the comment, or write it.

        If a person deleted it, it is not written again at once, but only when there is something new to say.
        """
        spec, text = context.preview.spec, content.text
        if not report.id:
            created = await context.client.create_comment(spec.repository, spec.number, text)
            return replace(report, id=created.id, hash=content.hash)
        try:
            await context.client.update_comment(spec.repository, report.id, text)
        except NotFound:
            return replace(report, id=0, hash=content.hash)
        return replace(report, hash=content.hash)

    async def tidy(
        self, context: ReportContext, status: Status, was: Status, own: OwnComments
    ) -> PublishResult:
        """Delete status comments beside the one that stays.

        Only a look at the whole conversation finds them, and there is one while the id of that one is not
        known. So after an error both are forgotten, the id and the look: the next pass finds them again.
        """
        spec = context.preview.spec
        try:
            for comment_id in duplicates(was, own):
                await context.client.delete_comment(spec.repository, comment_id)
        except (Forbidden, Invalid) as error:
            # It stays: that is better than never to write the other one again.
            log.warning("a second status comment stays", extra={"error": str(error)})
        except RemoteError as error:
            context.forget()
            return PublishResult(status.with_report(COMMENT, Report()), error)
        return PublishResult(status)


def matters_of(status: Status) -> str:
    """Return (as a hash) what people wait for, or act by: the commit, its phase and link, its time, what they
    asked for, and what those said of it who may write. Anybody may read a public repository, and say as much
    as they like: that waits for its turn."""
    lifecycle, observed = status.lifecycle, status.observed
    serving = [(service.name, service.serving_sha, service.phase.runs) for service in status.services]
    said = (status.phase, observed.head_sha, status.link.url, serving, observed.problems)
    begun = (lifecycle.approved_sha, lifecycle.started_by, *lifecycle.stopped)
    done = (lifecycle.expires_at, lifecycle.ended, *begun)
    failed = [(each.name, each.failure_message) for each in status.services if each.phase is Phase.FAILED]
    judged = [(each.comment, each.edited) for each in status.verdicts if each.writes]
    return comment_hash(repr((said, done, failed, judged)))


def is_passing(status: Status) -> bool:
    """Return whether something is under way that mostly takes seconds: a removal, or the question to a link
    behind which everything is ready."""
    return status.phase is Phase.STOPPING or status.link.reason is Reason.CHECKING_LINK
