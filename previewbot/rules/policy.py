"""Who may have a preview, what triggers one, and who waits for a slot: rules without I/O."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from previewbot.api import AgentSeen, Preview
from previewbot.api.github import PullRequest
from previewbot.config.repository import Triggers


def trigger(
    pull_request: PullRequest, triggers: Triggers, agent: AgentSeen | None, started_by: str
) -> str | None:
    """Return what triggers a preview, in words, or None.

    A trigger grants nothing: that is `needs_approval`'s to say.
    """
    # Before drafts and labels: a person who asked wants it, whatever the configuration says.
    if started_by:
        return f"@{started_by}'s command"
    if pull_request.draft and not triggers.drafts:
        return None
    if triggers.agents and agent is not None:
        return f"{agent.name}, recognised by {agent.signal}"
    label = next((label for label in pull_request.labels if label in triggers.labels), None)
    return f"the label {label}" if label is not None else None


def needs_approval(pull_request: PullRequest, approved_sha: str) -> bool:
    """Return whether somebody with write access must first read this very commit.

    Pushing to a branch of the base repository needed write access; a fork needed nothing.
    """
    return pull_request.is_fork and approved_sha != pull_request.head.sha


@dataclass(frozen=True)
class SlotGrant:
    """Whether a preview gets a slot under the limit; if not, its position in the queue (from 1)."""

    granted: bool
    position: int = 0


def slot_for(me: Preview, others: Iterable[Preview], limit: int) -> SlotGrant:
    """Return whether `me` gets a slot: who holds one keeps it, then the oldest in the queue comes first.

    One whose last pass met an error may be waiting for what nobody can give it: it is overtaken.
    """
    # Also when the limit was lowered since: nothing that runs is ended because of that.
    if me.status.slot.held:
        return SlotGrant(granted=True)
    app_id = me.spec.app_id
    rest = [o for o in others if o.name != me.name and not o.deleting and o.spec.app_id == app_id]
    free = limit - sum(1 for other in rest if other.status.slot.held)
    mine = _queue_rank(me)
    ahead = sum(1 for other in rest if _is_queued(other) and _queue_rank(other) < mine)
    return SlotGrant(True) if ahead < free else SlotGrant(False, position=ahead - max(free, 0) + 1)


def _is_queued(preview: Preview) -> bool:
    status = preview.status
    # One whose last pass failed may wait for a repository that GitHub does not show. If it kept its place,
    # everybody behind it would wait with it.
    return not status.slot.held and status.slot.waiting_since is not None and not status.last_error


def _queue_rank(preview: Preview) -> tuple[str, str]:
    since = preview.status.slot.waiting_since
    return (since.isoformat() if since else "~", preview.name)
