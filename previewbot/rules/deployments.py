"""How the deployments of a pull request stand, commit by commit, by how its preview does. Pure.

Tests of others start at `success`, so it is never said of a commit that does not answer: only while each
service serves that very commit, and whoever opens the link sees it, or nothing speaks against it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from previewbot.api import LinkKind, Phase, Proven, Reason, Service, Severity, Status, Turn, Waits
from previewbot.api.ci import Runs
from previewbot.api.deployments import DeploymentState, Word
from previewbot.text.standing import goes_on, runs_well, standing_of

_OVER = (
    *(Phase.STOPPING, Phase.STOPPED, Phase.EXPIRED),
    *(Phase.NOTHING_TO_PREVIEW, Phase.AWAITING_APPROVAL),
)
_WAITS = (Phase.QUEUED, Phase.AWAITING_IMAGE)
_LEFT_OUT = (Phase.STOPPED, Phase.EXPIRED, Phase.STOPPING)
"""Of a service: somebody stopped it, while the others go on."""

_STANDS = (DeploymentState.SUCCESS, DeploymentState.IN_PROGRESS)
_MENDED_BY_ITS_PEOPLE = (Turn.AUTHOR, Turn.MAINTAINER)
_NEEDS_APPROVAL = "action_required"
_OF_THE_COMMIT = ("push", "pull_request")
"""Events whose workflows run as the commit has them. Others (`pull_request_target`, `dynamic`) need no leave,
and tell nothing of whether those do."""

LISTED_WITHIN = timedelta(seconds=15)
"""GitHub tells of a push, and lists the runs that it starts seconds later."""

_KEPT_FROM_SECRETS = "dependabot[bot]"
"""GitHub runs the workflows of its pull requests as a fork's: they read, and have no secrets. But only those
that it starts itself, and a deployment's are started by us
(https://docs.github.com/en/code-security/dependabot/working-with-dependabot/troubleshooting-dependabot-on-github-actions).
"""


def words_on(
    status: Status, told: Mapping[str, str], *, begins: bool, asked: bool, on: bool = True
) -> dict[str, Word]:
    """Return what is to be said of which commit now.

    `told` has the state that was said last of each commit that has a deployment which is not inactive.
    `begins`: the newest commit may have one that it has not yet. `asked`: a link that just works is asked
    before it counts as shown. Where they are not `on` (any more) those that are there end.
    """
    if not on:
        return dict.fromkeys(told, Word(DeploymentState.INACTIVE))
    head, words = status.observed.head_sha, {}
    for sha, last in told.items():
        if sha != head:
            words[sha] = _of_older(status, sha, last, asked=asked)
    if head in told or (begins and may_have_one(status)):
        words[head] = _of_head(status, asked=asked)
    return words


def may_have_one(status: Status) -> bool:
    """Return whether the newest commit may have a deployment at all, once its workflows have run.

    Only where something is to be deployed: of a mistake in the configuration the comment tells. Never for a
    fork, also one that somebody approved, nor for Dependabot, and not while a workflow waits for a person:
    workflows that start at a deployment run as the deployed commit has them, with the repository's secrets
    (https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#deployment_status).
    """
    if not status.observed.head_sha or _is_kept_from_secrets(status) or _is_over(status):
        return False
    waiting = [service.waiting for service in status.services if service.waiting is not None]
    if any(each.reason is Reason.BUILD_NEEDS_APPROVAL or each.also_wait for each in waiting):
        return False
    return any(_is_begun(service, status.observed.head_sha) for service in status.services)


def ran_without_waiting(runs: Runs | None) -> bool:
    """Return whether a commit's own workflows were seen to run, and none to wait for a person.

    `runs` is what was seen of the commit last, None if nothing was. One that waited then may run by now.
    """
    own = [run for run in runs.workflows if run.event in _OF_THE_COMMIT] if runs is not None else []
    return runs is not None and bool(own) and not _waits(runs)


def listed_at(status: Status, now: datetime) -> datetime:
    """Return from when on GitHub lists each run that the newest commit has started."""
    return (status.observed.head_first_seen_at or now) + LISTED_WITHIN


def none_waits(runs: Runs | None) -> bool:
    """Return whether all runs of a commit were seen, and no workflow among them waits for a person.

    `runs` is what is there at this moment, None if it was not asked.
    """
    return runs is not None and runs.whole and not _waits(runs)


def _waits(runs: Runs) -> bool:
    return any(run.conclusion == _NEEDS_APPROVAL for run in runs.workflows)


def _is_begun(service: Service, head_sha: str) -> bool:
    """Return whether something is being made of a service's commit: its image, at least."""
    if service.phase is not Phase.AWAITING_IMAGE:
        return service.head_sha == head_sha and bool(service.digest)
    waiting = service.waiting
    return waiting is not None and waiting.reason in (Reason.BUILD_RUNNING, Reason.BUILD_FAILED)


def _is_kept_from_secrets(status: Status) -> bool:
    # Nobody but the App can have a name with brackets.
    return status.observed.fork or status.observed.author == _KEPT_FROM_SECRETS


def _of_head(status: Status, *, asked: bool) -> Word:
    if _is_kept_from_secrets(status) or _is_over(status):
        return Word(DeploymentState.INACTIVE)
    standing = standing_of(status)
    unseen = status.reason is not None and status.reason.info.waits is Waits.LINK
    if serves(status, status.observed.head_sha) and (unseen or standing.severity is Severity.GOOD):
        return _shown(status, asked=asked)
    troubled = [service for service in status.services if not runs_well(service)]
    ready = status.phase is not None and status.phase.runs
    if standing.severity is Severity.BAD or (
        ready and standing.turn is not Turn.NOBODY and not any(map(goes_on, troubled))
    ):
        mended = standing.turn in _MENDED_BY_ITS_PEOPLE
        return Word(DeploymentState.FAILURE if mended else DeploymentState.ERROR, status.reason)
    return Word(DeploymentState.QUEUED if status.phase in _WAITS else DeploymentState.IN_PROGRESS)


def _of_older(status: Status, sha: str, last: str, *, asked: bool) -> Word:
    """Return what is said of a commit that is not the newest any more: it may serve on for a while."""
    serves_on = not (_is_kept_from_secrets(status) or _is_over(status)) and last in _STANDS
    if serves_on and serves(status, sha):
        return _shown(status, asked=asked)
    return Word(DeploymentState.INACTIVE)


def _shown(status: Status, *, asked: bool) -> Word:
    """Return success for what serves, once whoever opens its link sees it."""
    link = status.link
    if link.kind is None or link.reason is not None or link.proven is Proven.NO:
        # While it is being checked there is nothing to say of it yet.
        told = link.reason if link.reason and link.reason.info.severity is Severity.BAD else None
        return Word(DeploymentState.IN_PROGRESS, told)
    if link.kind.just_works and asked and not _is_asked(status):
        return Word(DeploymentState.IN_PROGRESS)
    return Word(DeploymentState.SUCCESS)


def _is_asked(status: Status) -> bool:
    """Return whether the link was asked about what serves now; of one that sleeps nobody asks."""
    return status.phase is Phase.IDLE or (status.link.proven is not None and not status.link.outdated)


def serves(status: Status, sha: str) -> bool:
    """Return whether all that is to answer is of this commit: not of an older one, and not staging."""
    services = [service for service in status.services if service.phase not in _LEFT_OUT]
    serving = [service for service in services if service.serving_sha]
    # What a newer commit changes beside, and has no image yet, was never of an older commit.
    beside = [s for s in services if not s.serving_sha and s.phase in _WAITS]
    complete = len(serving) + (len(beside) if sha != status.observed.head_sha else 0) == len(services)
    return bool(serving) and complete and all(service.serving_sha == sha for service in serving)


def environment_url(status: Status) -> str:
    """Return the address that shows a commit which serves; empty where a click alone shows staging."""
    link = status.link
    return link.url if link.kind not in (None, LinkKind.HEADER) else ""


def _is_over(status: Status) -> bool:
    closed = status.lifecycle.ended is not None or status.observed.closed_at is not None
    return closed or status.phase in _OVER
