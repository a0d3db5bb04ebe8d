"""Who may have a preview, and what triggers one: rules without I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from previewbot.api import AgentSeen
from previewbot.api.github import PullRequest
from previewbot.config.repository import AgentPolicy, Triggers

NO_POLICY = AgentPolicy()
"""That of an agent about which the repository says nothing."""


def trigger(
    pull_request: PullRequest,
    triggers: Triggers,
    agent: AgentSeen | None,
    started_by: str,
    policy: AgentPolicy = NO_POLICY,
    *,
    command_only: bool = False,
) -> str | None:
    """Return what triggers a preview, in words, or None.

    `policy` is what the repository wants of this agent, `command_only` that the platform team lets nothing
    but a command start it. A trigger grants nothing: that is `needs_approval`'s to say.
    """
    # Before drafts and labels: a person who asked wants it, whatever the configuration says.
    if started_by:
        return f"@{started_by}'s command"
    if command_only:
        return None
    return without_command(pull_request.labels, triggers, agent, policy, draft=pull_request.draft)


def without_command(
    labels: Iterable[str], triggers: Triggers, agent: AgentSeen | None, policy: AgentPolicy, *, draft: bool
) -> str | None:
    """Return what triggers a preview for which nobody wrote a command, in words, or None."""
    if draft and not drafts_count(triggers, agent, policy):
        return None
    if agent is not None and by_itself(triggers, policy):
        return agent.in_words
    label = triggering_label(labels, triggers)
    return f"the label {label}" if label is not None else None


def policy_of(agent: AgentSeen | None, policies: Mapping[str, AgentPolicy]) -> AgentPolicy:
    """Return what a repository wants of an agent; of nobody's pull requests nothing in particular."""
    return policies.get(agent.key, NO_POLICY) if agent is not None else NO_POLICY


def triggering_label(labels: Iterable[str], triggers: Triggers) -> str | None:
    """Return the first of a pull request's labels that triggers a preview, as GitHub spells it, or None.

    Without regard to case, as GitHub compares them: next to `Preview` nobody can make a label `preview`
    (https://docs.github.com/en/issues/using-labels-and-milestones-to-track-work/managing-labels).
    """
    named = {label.strip().casefold() for label in triggers.labels}
    return next((label for label in labels if label.strip().casefold() in named), None)


def by_itself(triggers: Triggers, policy: AgentPolicy) -> bool:
    """Return whether an agent's pull requests start without being asked for."""
    return triggers.agents if policy.preview is None else policy.preview


def drafts_count(triggers: Triggers, agent: AgentSeen | None, policy: AgentPolicy) -> bool:
    """Return whether a draft may start without a command."""
    # Agents such as Copilot and Devin open drafts, and go on working in them.
    return triggers.drafts if agent is None or policy.drafts is None else policy.drafts


def started(files: Mapping[str, int], policy: AgentPolicy, *, asked: bool) -> Mapping[str, int]:
    """Return the changed services that start: those of the policy, or all if a person `asked` for them."""
    if policy.services is None or asked:
        return files
    return {name: count for name, count in files.items() if name in policy.services}


def needs_approval(pull_request: PullRequest, approved_sha: str) -> bool:
    """Return whether somebody with write access must first read this very commit.

    Pushing to a branch of the base repository needed write access; a fork needed nothing.
    """
    return pull_request.is_fork and approved_sha != pull_request.head.sha
