"""Deployments at GitHub: one for each commit that is previewed, with the link once that shows the commit.

https://docs.github.com/en/rest/deployments/deployments
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from previewbot.api import Report, Status
from previewbot.api.deployments import Deployment, DeploymentState, DeploymentStatus, Word
from previewbot.errors import NotFound, RemoteError
from previewbot.reconciler.conversation import OwnComments
from previewbot.reconciler.reporters.kept import KeptReporter
from previewbot.reconciler.reporters.reporter import Due, PartlyWritten, ReportContext
from previewbot.rules.deployments import (
    environment_url,
    listed_at,
    none_waits,
    ran_without_waiting,
    words_on,
)
from previewbot.rules.retries import MOST_TRIES, retry_at
from previewbot.text.markers import comment_hash

_EARLIER_ENDED = 10
_LATER = timedelta(minutes=10)
"""How often it is asked at last whether a workflow still waits for a person."""


@dataclass(frozen=True)
class DeploymentContent:
    """What should be said of a commit; `begins`: a deployment is made for it where there is none."""

    word: Word
    status: DeploymentStatus
    begins: bool

    @property
    def hash(self) -> str:
        """What tells it from every other content: its state, why, and where it leads; not how that is put."""
        said = (self.word.state, self.word.reason, self.status.environment_url, self.status.log_url)
        return comment_hash(repr(tuple(map(str, said))))

    @property
    def matters(self) -> str:
        """Tests of others start at a state, and reviewers go by it: a change of it is said at once."""
        return str(self.word.state)


class Deployments(KeptReporter[DeploymentContent]):
    """The reporter of deployments. Only those of this Preview are touched, and each is ended by us."""

    name = "deployments"
    optional = True

    def wanted(self, context: ReportContext, status: Status) -> Mapping[str, DeploymentContent]:
        """Return what is to be said of each commit; one that was said to be inactive is done with."""
        links, view = context.settings.links, context.view(status)
        told = {
            self.sha_of(key): report.told
            for key, report in self.reports(status).items()
            if report.intent_at or (report.told != DeploymentState.INACTIVE and (report.id or report.refusal))
        }
        words = words_on(
            status,
            told,
            begins=context.may_begin,
            asked=links is None or links.check,
            on=context.settings.deployments != "off",
        )
        contents = {}
        for sha, word in words.items():
            ends = word.state is DeploymentState.INACTIVE
            said = DeploymentStatus(
                state=word.state,
                description=context.renderer.deployment(view, word),
                environment_url=environment_url(status) if word.state is DeploymentState.SUCCESS else "",
                # A page goes with its Preview.
                log_url=view.pull_request_url if ends else view.page_url or view.pull_request_url,
            )
            contents[self.key_of(sha)] = DeploymentContent(word, said, begins=not ends)
        return contents

    async def announce(
        self, context: ReportContext, status: Status, due: Due, own: OwnComments
    ) -> tuple[Status, bool]:
        """Note the intent, unless a workflow of the commit waits for a person's approval.

        What an earlier Preview left of other commits is noted, too: it is ended by the next pass.
        """
        sha, state, now = self.sha_of(due.key), status.report(due.key), context.now()
        ran, listed = ran_without_waiting(context.runs(sha)), listed_at(status, now)
        if not ran and now < listed:
            # Where its image was there at once nobody asked what runs: it may be of a CI that needs no leave.
            # And of a CI outside of GitHub one hears before the workflows that wait are listed.
            return status.with_report(due.key, replace(state, held_until=listed)), False
        earlier = await self._earlier(context, sha) if self._had_earlier_life(context, status) else {}
        announced, creates = await super().announce(context, status, due, own)
        announced = replace(announced, reports=earlier | announced.reports) if earlier else announced
        if not creates or announced.report(due.key).id:
            return announced, creates
        if ran or none_waits(context.runs_now(sha)):
            return announced, True
        if not await context.client.awaits_approval(context.preview.spec.repository, sha):
            return announced, True
        tries = min(state.tries + 1, MOST_TRIES - 1)
        again = retry_at(tries, now, due.key) or now + _LATER
        # What an earlier Preview left is ended all the same: a person may take days.
        return announced.with_report(due.key, replace(state, tries=tries, held_until=again)), False

    async def _earlier(self, context: ReportContext, sha: str) -> dict[str, Report]:
        """Return the latest that an earlier Preview of the pull request left, but for this commit's.

        Whoever deletes a Preview by hand while an older commit serves leaves a success of that one.
        """
        preview, us, environment = context.preview, await context.us(), self._environment(context)
        if not environment:
            return {}
        found = await context.client.deployments.newest(preview.spec.repository, environment)
        ours = [each for each in found if each.is_of(us, preview.name) and each.sha != sha]
        return {self.key_of(each.sha): Report(id=each.id) for each in reversed(ours[:_EARLIER_ENDED])}

    async def find(self, context: ReportContext, key: str, own: OwnComments) -> Report | None:
        """Return our deployment of the commit, also one that an earlier Preview of the pull request made."""
        preview, us = context.preview, await context.us()
        found = await self._of_commit(context, key)
        return next((Report(id=each.id) for each in found if each.is_of(us, preview.name)), None)

    async def write(
        self, context: ReportContext, key: str, report: Report, content: DeploymentContent
    ) -> Report:
        """Make the deployment, and say how it stands.

        As long as nothing is said of a new one it is queued. One that a person deleted is not made again at
        once, but only when there is something new to say. One that an earlier Preview left may be ended.
        """
        deployments, repository = context.client.deployments, context.preview.spec.repository
        if not report.id:
            return await self._make(context, key, report, content)
        unknown = content.word.state is DeploymentState.INACTIVE and not report.told
        try:
            # A look makes no content, of which GitHub takes little, and each reopening finds those of before.
            if not (unknown and await deployments.is_ended(repository, report.id)):
                await deployments.say(repository, report.id, content.status)
        except NotFound:
            # It is there, and GitHub takes no word of it, as if it were not.
            if any(each.id == report.id for each in await self._of_commit(context, key)):
                raise
            return replace(report, id=0, hash=content.hash)
        return replace(report, hash=content.hash)

    async def _make(
        self, context: ReportContext, key: str, report: Report, content: DeploymentContent
    ) -> Report:
        deployments, preview = context.client.deployments, context.preview
        repository, environment = preview.spec.repository, self._environment(context)
        made = await deployments.create(repository, environment, self.sha_of(key), preview.name)
        report = replace(report, id=made.id)
        if content.word.state is not DeploymentState.QUEUED:
            try:
                await deployments.say(repository, made.id, content.status)
            except RemoteError as error:
                raise PartlyWritten(report, error) from error
        return replace(report, hash=content.hash)

    async def _of_commit(self, context: ReportContext, key: str) -> list[Deployment]:
        """Return a commit's deployments, whoever made them; none where deployments are off."""
        repository, environment = context.preview.spec.repository, self._environment(context)
        if not environment:
            return []
        return await context.client.deployments.of_commit(repository, environment, self.sha_of(key))

    def _environment(self, context: ReportContext) -> str:
        settings = context.settings.deployments
        return "" if settings == "off" else settings.environment
