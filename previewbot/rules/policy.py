"""Who may have a preview, and what triggers one: rules without I/O."""

from __future__ import annotations

from collections.abc import Iterable

from previewbot.api import AgentSeen
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
    label = triggering_label(pull_request.labels, triggers)
    return f"the label {label}" if label is not None else None


def triggering_label(labels: Iterable[str], triggers: Triggers) -> str | None:
    """Return the first of a pull request's labels that triggers a preview, as GitHub spells it, or None.

    Without regard to case, as GitHub compares them: next to `Preview` nobody can make a label `preview`
    (https://docs.github.com/en/issues/using-labels-and-milestones-to-track-work/managing-labels).
    """
    named = {label.strip().casefold() for label in triggers.labels}
    return next((label for label in labels if label.strip().casefold() in named), None)


def needs_approval(pull_request: PullRequest, approved_sha: str) -> bool:
    """Return whether somebody with write access must first read this very commit.

    Pushing to a branch of the base repository needed write access; a fork needed nothing.
    """
    return pull_request.is_fork and approved_sha != pull_request.head.sha
