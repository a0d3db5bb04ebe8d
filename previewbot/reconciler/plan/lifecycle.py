"""What changes in a Preview's status by what GitHub shows and by the clock: facts, expiry, the clock's start.

Each function returns the very status it was given where nothing changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from previewbot.api import (
    ConfigurationProblem,
    Ended,
    LeftOut,
    Lifecycle,
    Observed,
    Phase,
    Reason,
    SharedChange,
    Status,
)
from previewbot.config.repository import Triggers
from previewbot.reconciler.observation import Found, PullRequestFacts
from previewbot.rules import images
from previewbot.rules.asked_for import Requested, for_readers, title_of, with_answer
from previewbot.rules.chosen import NAMES_TOLD
from previewbot.rules.policy import trigger
from previewbot.rules.problems import told

_MERGE_SHAS_KEPT = 20
_SERVICES_TOLD = 5
_NOTES_TOLD = 5


def record_facts(
    status: Status, facts: PullRequestFacts, now: datetime, *, delivery_id: str | None = None
) -> Status:
    """Take what GitHub shows into the status: head, merge commits, author, agent, trigger, problems.

    A new commit starts the image's deadline. `delivery_id` is the delivery that this look has accounted for.
    """
    pull_request, before = facts.pull_request, status.observed
    new_head = before.head_sha != pull_request.head.sha
    # GitHub makes a new test merge each time the base moves. CI may have built any of them, so all that were
    # seen for this head count.
    merge_shas = () if new_head else before.merge_shas
    if facts.merge_sha and facts.merge_sha not in merge_shas:
        merge_shas = _newest((*merge_shas, facts.merge_sha), status)
    observed = Observed(
        delivery_id=before.delivery_id if delivery_id is None else delivery_id,
        updated_at=pull_request.updated_at,
        settled=facts.settled,
        head_sha=pull_request.head.sha,
        head_first_seen_at=now if new_head else before.head_first_seen_at or now,
        merge_shas=merge_shas,
        configuration_sha=facts.config_sha,
        author=pull_request.author.login,
        base_branch=facts.base_branch,
        agent=facts.agent,
        author_id=pull_request.author.id,
        repository=pull_request.base.repository,
        left_out=_left_out(facts, status.lifecycle),
        held_back=facts.held_back(status.lifecycle),
        shared=_shared(facts, status.lifecycle),
        configuration_elsewhere=facts.elsewhere,
        trigger=_trigger(status, facts),
        problems=facts.problems,
        notes=_notes(facts),
        closed_at=pull_request.closed_at,
        public=not pull_request.private,
        fork=pull_request.is_fork,
        # A repository that is everybody's by now must not go on naming those that are not.
        closing_issues=for_readers(before.closing_issues, public=not pull_request.private),
        request=before.request,
        queued_id=before.queued_id,
        queue_heads=before.queue_heads,
        title=title_of(pull_request.title),
        requesters=before.requesters,
    )
    status = status if observed == before else replace(status, observed=observed)
    return _without_gone(status, facts)


def record_queue(status: Status, facts: PullRequestFacts, queued_id: str) -> Status:
    """Take into the status where a merge queue tries the pull request, if this look asked for it."""
    if facts.queue_heads is None:
        return status
    observed = replace(status.observed, queued_id=queued_id, queue_heads=facts.queue_heads)
    return replace(status, observed=observed)


def record_request(status: Status, requested: Requested) -> Status:
    """Take into the status what is known of what the pull request was asked for."""
    observed = with_answer(status.observed, requested)
    return status if observed == status.observed else replace(status, observed=observed)


def _notes(facts: PullRequestFacts) -> tuple[ConfigurationProblem, ...]:
    if facts.config is None:
        return ()
    return told(facts.config.notes_of(facts.files)[:_NOTES_TOLD])


def _without_gone(status: Status, facts: PullRequestFacts) -> Status:
    """Forget that services were stopped, or started by name, which the configuration does not have any more.

    Nobody could start them again, and the comment would go on naming the command for it.
    """
    lifecycle = status.lifecycle
    if facts.config is None or not (lifecycle.stopped or lifecycle.by_name):
        return status
    names = {service.name for service in facts.config.services}
    stopped = tuple(each for each in lifecycle.stopped if each.name in names)
    by_name = tuple(name for name in lifecycle.by_name if name in names)
    if (stopped, by_name) == (lifecycle.stopped, lifecycle.by_name):
        return status
    return replace(status, lifecycle=replace(lifecycle, stopped=stopped, by_name=by_name))


def _left_out(facts: PullRequestFacts, lifecycle: Lifecycle) -> LeftOut | None:
    """Return what is said of services beyond the limit: those changed, and those that somebody started."""
    found, changed = facts.left_out, facts.changed(lifecycle.by_name)
    if not facts.shared or facts.config is None:
        return found
    told = found.names if found is not None else ()
    asked = [name for name in lifecycle.by_name if name not in changed and name not in told]
    if not asked:
        return found
    count = (found.count if found is not None else 0) + len(asked)
    limit = found.limit if found is not None else len(facts.files) + facts.room
    return LeftOut(count, (*told, *asked)[:NAMES_TOLD], limit)


def _shared(facts: PullRequestFacts, lifecycle: Lifecycle) -> SharedChange | None:
    """Return what is said where nothing but what all services share was changed."""
    if not facts.shared or facts.config is None or facts.changed(lifecycle.by_name):
        return None
    names = [service.name for service in facts.config.services]
    return SharedChange(facts.shared, tuple(names[:_SERVICES_TOLD]), len(names))


def _trigger(status: Status, facts: PullRequestFacts) -> str:
    if facts.problems and status.observed.trigger:
        # What the file means to trigger is not known now: a typo must not take away what runs.
        return status.observed.trigger
    triggers = facts.config.triggers if facts.config else Triggers()
    started_by = status.lifecycle.started_by
    if not started_by and facts.files and not facts.started(status.lifecycle):
        # Of this agent's services none is changed that may start by itself: nobody is told of anything.
        return ""
    command_only = facts.command_only
    found = trigger(
        facts.pull_request, triggers, facts.agent, started_by, facts.policy, command_only=command_only
    )
    return found or ""


def _newest(merge_shas: tuple[str, ...], status: Status) -> tuple[str, ...]:
    """Keep the newest test merges, and those whose images run: to forget one would replace its session."""
    older, running = merge_shas[:-_MERGE_SHAS_KEPT], [service.image for service in status.services]
    named = [sha for sha in older if any(images.is_of_merge(image, sha) for image in running)]
    return (*named, *merge_shas[-_MERGE_SHAS_KEPT:])


def end_if_expired(status: Status, now: datetime) -> Status:
    """End what is past its time; needs nothing but the status, so that it works while GitHub is down."""
    lifecycle = status.lifecycle
    if lifecycle.ended is not None or lifecycle.expires_at is None or now < lifecycle.expires_at:
        return status
    # What expires is the commit whose clock ran; one pushed meanwhile has not had its time yet.
    head_sha = lifecycle.ready_sha or status.observed.head_sha
    # The moment that was promised, and not the one at which we noticed: a controller may have been away over
    # it.
    ended = ended_by(status, Reason.TIME_UP, lifecycle.expires_at, head_sha=head_sha)
    return replace(status, lifecycle=replace(lifecycle, ended=ended))


def give_way(status: Status, now: datetime) -> Status:
    """End what sleeps, so that another that waits gets its slot."""
    ended = ended_by(status, Reason.GAVE_WAY, now)
    return replace(status, lifecycle=replace(status.lifecycle, ended=ended, expires_at=None))


def ended_by(status: Status, reason: Reason, at: datetime, *, by: str = "", head_sha: str = "") -> Ended:
    """Return the end of what a status tells of; `head_sha`: of which commit, if not of the newest."""
    head_sha = head_sha or status.observed.head_sha
    return Ended(reason=reason, at=at, by=by, head_sha=head_sha, data_lost=status.has_data)


def without_end(lifecycle: Lifecycle) -> Lifecycle:
    """Return a lifecycle whose clock has not begun."""
    return replace(lifecycle, ended=None, expires_at=None, ready_at=None, ready_sha="")


def restart_clock(status: Status, *, remaining: int) -> Status:
    """Let a commit newer than what expired, or gave way (not than what was stopped), begin a time of its own.

    Only once no child is left (`remaining`): what is being removed would serve on, without an end.
    """
    ended = status.lifecycle.ended
    if ended is None or ended.reason not in (Reason.TIME_UP, Reason.GAVE_WAY) or remaining:
        return status
    if ended.head_sha == status.observed.head_sha:
        return status
    return replace(status, lifecycle=without_end(status.lifecycle))


def start_clock(
    lifecycle: Lifecycle, phase: Phase, head_sha: str, *, ttl: timedelta, ttl_max: timedelta, now: datetime
) -> Lifecycle:
    """Start the clock with the first Ready of a head; a push never shortens what somebody extended."""
    if not phase.runs or lifecycle.ready_sha == head_sha:
        return lifecycle
    # Example: extended until 18:00, and the new commit would end at 17:00. Then 18:00 stays, but never more
    # than the longest life from now.
    expires_at = now + ttl
    if lifecycle.expires_at is not None:
        expires_at = min(max(expires_at, lifecycle.expires_at), now + ttl_max)
    return replace(lifecycle, ready_sha=head_sha, ready_at=now, expires_at=expires_at)


def bound_clock(lifecycle: Lifecycle, found: Sequence[Found], *, ttl: timedelta, now: datetime) -> Lifecycle:
    """Give an end to what serves without one: an older commit, or one that came up while nobody looked."""
    serving = next((child.head_sha for child in found if child.serving), "")
    if not serving or lifecycle.expires_at is not None:
        return lifecycle
    return replace(lifecycle, ready_sha=serving, ready_at=now, expires_at=now + ttl)
