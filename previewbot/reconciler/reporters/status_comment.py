"""The one status comment on the pull request, for life."""

from __future__ import annotations

from dataclasses import dataclass

from previewbot.api import Preview, Report
from previewbot.clients.github import InstallationClient
from previewbot.errors import NotFound
from previewbot.reconciler.observation import OwnWords
from previewbot.reconciler.plan.inbox import COMMENT, oldest_report
from previewbot.text.markers import comment_hash
from previewbot.text.render import Renderer, View


@dataclass(frozen=True)
class StatusComment:
    """The reporter of the status comment."""

    name: str = COMMENT

    def render(self, renderer: Renderer, view: View) -> str:
        """Return the comment as it should be now."""
        return renderer.comment(view)

    def find(self, own: OwnWords) -> Report | None:
        """Return the oldest status comment of ours."""
        return oldest_report(own)

    async def publish(
        self, client: InstallationClient, preview: Preview, report: Report, text: str
    ) -> Report:
        """Edit the comment, or write it.

        If a person deleted it, it is not written again at once, but only when there is something new to say.
        """
        spec = preview.spec
        if not report.id:
            created = await client.create_comment(spec.repository, spec.number, text)
            return Report(id=created.id, hash=comment_hash(text))
        try:
            await client.update_comment(spec.repository, report.id, text)
        except NotFound:
            return Report(hash=comment_hash(text))
        return Report(id=report.id, hash=comment_hash(text))
