"""Whether a pull request should have sessions now, and why not if not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from previewbot.model import Build, PullRequest
from previewbot.policy import needs_approval, trigger
from previewbot.preview import (
    AgentSeen,
    ConfigurationProblem,
    Ended,
    Observed,
    Phase,
    Status,
)
from previewbot.repoconfig import RepositoryConfig, Triggers

_MERGE_SHAS_KEPT = 20


@dataclass(frozen=True)
class Facts:
    """What a look at GitHub found; kept in memory, never written into the Preview.

    `config` is None where there is no file, or where it has `problems`; `merge_sha` is the test merge of this
    very head, where an image could be named by it; `lagging` means that GitHub does
    not yet show what the webhook told us of.
    """

    pull_request: PullRequest
    config: RepositoryConfig | None
    config_sha: str = ""
    problems: tuple[ConfigurationProblem, ...] = ()
    agent: AgentSeen | None = None
    files: Mapping[str, int] = field(default_factory=dict)
    build: Build | None = None
    merge_sha: str = ""
    lagging: bool = False
    read_at: datetime | None = None


@dataclass(frozen=True)
class Decision:
    """`runs`: there should be sessions; else `phase` and `reason` once they are gone.

    `keep`: nothing new, but what serves stays. `silent`: no comment is begun. `untriggered`: the Preview
    itself should not exist. `closed`: it goes, after a last word.
    """

    runs: bool = False
    keep: bool = False
    silent: bool = False
    untriggered: bool = False
    closed: bool = False
    phase: Phase | None = None
    reason: str = ""


RUN = Decision(runs=True)


def decide(status: Status, facts: Facts | None) -> Decision:
    """Return what should be, from the status (which has obeyed expiry and commands already) and the facts."""
    if facts is not None and facts.pull_request.state == "closed":
        reason = "Merged" if facts.pull_request.merged else "Closed"
        return Decision(closed=True, phase=Phase.STOPPED, reason=reason, silent=True)
    if status.ended is not None:
        expired = status.ended.reason == "Expired"
        return Decision(
            phase=Phase.EXPIRED if expired else Phase.STOPPED, reason="TimeUp" if expired else "ByCommand"
        )
    if facts is None:
        return Decision(keep=True, phase=status.phase, reason=status.reason, silent=True)
    if not status.trigger:
        return Decision(untriggered=True, silent=True, phase=Phase.NOTHING_TO_PREVIEW, reason="NotTriggered")
    return _open(status, facts)


def _open(status: Status, facts: Facts) -> Decision:
    unread = needs_approval(facts.pull_request, status.approved_sha)
    if facts.problems:
        # What serves stays, unless it is a fork's commit that was approved before another was pushed.
        return Decision(keep=not unread, phase=Phase.FAILED, reason="ConfigurationInvalid")
    if facts.config is None:
        return Decision(silent=True, phase=Phase.NOTHING_TO_PREVIEW, reason="NoConfiguration")
    if not facts.files:
        return Decision(silent=True, phase=Phase.NOTHING_TO_PREVIEW, reason="NoServiceChanged")
    if unread:
        return Decision(phase=Phase.AWAITING_APPROVAL, reason="Fork")
    return RUN


def observe(status: Status, facts: Facts, now: datetime) -> Status:
    """Take the facts into the status: head, merge commits, agent, trigger, problems.

    A new commit starts the image's deadline.
    """
    pull_request = facts.pull_request
    before = status.observed
    new_head = before.head_sha != pull_request.head.sha
    merge_shas = () if new_head else before.merge_shas
    if facts.merge_sha and facts.merge_sha not in merge_shas:
        merge_shas = _newest((*merge_shas, facts.merge_sha), status)
    observed = Observed(
        delivery_id=before.delivery_id,
        updated_at=pull_request.updated_at,
        head_sha=pull_request.head.sha,
        head_first_seen_at=now
        if new_head or before.head_first_seen_at is None
        else before.head_first_seen_at,
        merge_shas=merge_shas,
        configuration_sha=facts.config_sha,
    )
    triggers = facts.config.triggers if facts.config else Triggers()
    triggered = trigger(pull_request, triggers, facts.agent, status.started_by) or ""
    if facts.problems and status.trigger:
        # What the file means to trigger is not known now: a typo must not take away what runs.
        triggered = status.trigger
    return replace(
        status,
        observed=observed,
        agent=facts.agent,
        trigger=triggered,
        problems=facts.problems,
        closed_at=pull_request.closed_at,
    )


def _newest(merge_shas: tuple[str, ...], status: Status) -> tuple[str, ...]:
    """Keep the newest, and those that running images are named by, which would be replaced without."""
    named = [sha for sha in merge_shas[:-_MERGE_SHAS_KEPT] if any(sha in s.image for s in status.services)]
    return (*named, *merge_shas[-_MERGE_SHAS_KEPT:])


def expire(status: Status, now: datetime) -> Status:
    """End what is past its time; needs nothing but the status, so that it works while GitHub is down."""
    if status.ended is not None or status.expires_at is None or now < status.expires_at:
        return status
    # What expires is the commit whose clock ran; one pushed meanwhile has not had its time yet.
    head_sha = status.ready_sha or status.observed.head_sha
    ended = Ended(reason="Expired", at=status.expires_at, head_sha=head_sha)
    return replace(status, ended=ended)


def renew(status: Status, *, remaining: int) -> Status:
    """Let a commit newer than what expired (not what was stopped) begin a time of its own.

    Only once no session is left (`remaining`): what is being removed would serve on, without an end.
    """
    ended = status.ended
    if ended is None or ended.reason != "Expired" or remaining:
        return status
    if ended.head_sha == status.observed.head_sha:
        return status
    return replace(status, ended=None, expires_at=None, ready_at=None, ready_sha="")
