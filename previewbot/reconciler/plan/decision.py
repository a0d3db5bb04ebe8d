"""Whether a pull request should have a preview now, and why not if not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from previewbot.api import Phase, Reason, Status
from previewbot.reconciler.observation import Found, PullRequestFacts
from previewbot.reconciler.plan.commands.given import is_all_stopped
from previewbot.rules.bounds import runs_outside
from previewbot.rules.policy import needs_approval


@dataclass(frozen=True)
class Run:
    """There should be sessions, one per changed service."""

    begins_comment: bool = True


@dataclass(frozen=True)
class Hold:
    """Nothing new is made, and what serves stays; without a `reason` the preview stands as it stood."""

    reason: Reason | None = None

    @property
    def begins_comment(self) -> bool:
        """Whether a comment may be begun: not while nothing is known."""
        return self.reason is not None


@dataclass(frozen=True)
class End:
    """There should be no sessions, and `reason` says why; the Preview itself stays.

    `tells`: it is said to people, although there is nothing to preview, since somebody can change that.
    """

    reason: Reason
    tells: bool = False

    @property
    def begins_comment(self) -> bool:
        """Whether a comment may be begun: there is none if there is nothing to preview, and nothing to do."""
        return self.tells or self.reason.phase is not Phase.NOTHING_TO_PREVIEW


@dataclass(frozen=True)
class Leave:
    """Nothing should be left, and in the end the Preview goes too; a comment gets its last words.

    `reason` is Merged, Closed, RepositoryGone, PullRequestGone or RepositoryArchived; NotIncluded, where the
    settings let the repository have nothing; or NotTriggered: then nobody ever asked for a preview.
    """

    reason: Reason
    begins_comment: bool = False


Decision = Run | Hold | End | Leave


def decide(status: Status, facts: PullRequestFacts | None, found: Sequence[Found]) -> Decision:
    """Return what should be, from the facts and a status that expiry and commands have changed already.

    `found` are the children that the cluster shows.
    """
    # First, since a closed pull request takes everything with it: also what expired or was stopped before.
    if facts is not None and facts.pull_request.state == "closed":
        return Leave(Reason.MERGED if facts.pull_request.merged else Reason.CLOSED)
    if facts is not None and facts.pull_request.archived:
        # Nobody can push, comment or merge there any more.
        return Leave(Reason.REPOSITORY_ARCHIVED)
    if facts is not None and facts.bounds is None:
        return Leave(Reason.NOT_INCLUDED)
    if status.lifecycle.ended is not None:
        return End(status.lifecycle.ended.reason)
    # GitHub was never read by this process, or cannot be: nothing is known, so nothing is begun or ended.
    if facts is None:
        return Hold()
    if not status.observed.trigger:
        return Leave(Reason.NOT_TRIGGERED)
    return _open(status, facts, found)


def _open(status: Status, facts: PullRequestFacts, found: Sequence[Found]) -> Decision:
    unread = needs_approval(facts.pull_request, status.lifecycle.approved_sha)
    outside = facts.bounds is None or runs_outside(
        status.services, _with_children(status, found), facts.bounds
    )
    if facts.problems:
        # What serves stays, unless it is a fork's commit that was approved before another was pushed; or the
        # settings do not let it run, or be led to: a mistake of the file's ends nothing, but it keeps nothing
        # open either that the platform team closed.
        ends = unread or outside or facts.entry_refused
        reason = Reason.CONFIGURATION_NOT_ALLOWED if facts.not_allowed else Reason.CONFIGURATION_INVALID
        return End(reason) if ends else Hold(reason)
    if outside:
        # The file says something else by now: once this is gone, what it says is made.
        return End(Reason.CONFIGURATION_NOT_ALLOWED)
    if facts.config is None:
        return End(Reason.NO_CONFIGURATION, tells=bool(facts.elsewhere))
    if not facts.started(status.lifecycle):
        return End(Reason.NO_SERVICE_CHANGED, tells=bool(facts.shared))
    if is_all_stopped(status, facts):
        # A push took back what changed the others.
        return End(Reason.BY_COMMAND)
    # Last: what has no configuration or changes no service needs nobody's approval.
    return End(Reason.FORK) if unread else Run()


def _with_children(status: Status, found: Sequence[Found]) -> set[str]:
    """Return the services of which something is there.

    By what is there, and not by what is recorded: what is never made must not be ended again and again. But
    whose it is, the record knows as well: a service that got another name keeps the session of before, whose
    label still has the old one.
    """
    there = {child.identity for child in found}
    recorded = {child.service for child in status.children if child.identity in there}
    return recorded | {child.service for child in found}
