"""What the listing makes of a row before it makes anything of it: to look, to ask for more, or nothing.

A look makes a Preview and costs five requests; most pull requests are people's, and nothing asks for a
preview there. So a row that cannot trigger anything costs nothing, and what its row does not tell is asked
for many at once (`Details`). Whatever cannot be ruled out is looked at: a preview is decided by the look
alone, never here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum

from previewbot.api import AgentSeen
from previewbot.api.github import Account, Details, ListedRepository, OpenPullRequest, Repository
from previewbot.config.agents import AgentTable
from previewbot.config.repository import AgentPolicy, Triggers
from previewbot.config.server import AgentsSettings
from previewbot.rules import agents
from previewbot.rules.base_branches import is_named
from previewbot.rules.policy import policy_of, without_command
from previewbot.rules.unknown_apps import taken_for

SETTLED = timedelta(minutes=1)
"""Without a change for so long all of it was there to be seen: GitHub writes times in whole seconds, what is
read may be some seconds old, and its clock and ours differ."""


CHECKED_WITHIN = timedelta(days=3)
"""So old a change may be for which a required check is made good: a weekend without previewbot. What is older
was looked at when it came, or is nobody's concern by now; and after a restart nobody remembers which."""


class Verdict(Enum):
    """What is to be done about a row that has no Preview."""

    NOTHING = "nothing"
    ASK = "ask"
    LOOK = "look"


def of_row(
    row: OpenPullRequest,
    repository: ListedRepository,
    default_branch: str,
    config_branches: Sequence[str],
    table: AgentTable,
) -> Verdict:
    """Return what a row and its repository tell already."""
    if repository.archived:
        return Verdict.NOTHING
    # The base may have a file of its own, of which the listing knows nothing.
    if is_named(row.base_ref, default_branch, config_branches, table) is not None:
        return Verdict.LOOK
    if not repository.configuration:
        return Verdict.NOTHING
    return Verdict.ASK if row.node_id else Verdict.LOOK


def wants_check(row: OpenPullRequest, repository: ListedRepository, check: str, now: datetime) -> bool:
    """Return whether a row is looked at for its check alone, where every commit has one (`check: required`).

    A webhook may have been lost; a look costs some six requests, and one that nothing asks for ends in it.
    """
    return check == "required" and not repository.archived and now - row.updated_at < CHECKED_WITHIN


def recognised(
    row: OpenPullRequest, repository: Repository, details: Details, table: AgentTable
) -> AgentSeen | None:
    """Return the agent behind a pull request, as a look would find it."""
    signs = agents.Signs(
        author=row.author or Account(0, ""),
        branch=row.head_ref,
        body=details.body,
        default_branch=repository.default_branch,
        is_fork=_is_fork(row, repository),
    )
    return agents.recognise(signs, details.commits, table)


def may_trigger(
    row: OpenPullRequest,
    repository: Repository,
    details: Details,
    agent: AgentSeen | None,
    triggers: Triggers,
    settings: AgentsSettings,
    policies: Mapping[str, AgentPolicy],
) -> bool:
    """Return whether a look could find something to do, by what a repository triggers and wants of agents.

    `agent` is the one that is `recognised`.
    """
    # Without the number of its author nobody knows whether that is an agent's account.
    if details.asks or not details.complete or row.author is None:
        return True
    is_fork = _is_fork(row, repository)
    agent, command_only = taken_for(agent, row.author, settings, is_fork=is_fork)
    policy = policy_of(agent, policies)
    by = without_command(details.labels, triggers, agent, policy, draft=row.draft)
    return by is not None and not command_only


def _is_fork(row: OpenPullRequest, repository: Repository) -> bool:
    return row.head_repository_id != repository.id


def is_settled(updated_at: datetime, looked_at: datetime) -> bool:
    """Return whether a look at this moment saw everything of the second in which something changed last."""
    return looked_at - updated_at >= SETTLED
