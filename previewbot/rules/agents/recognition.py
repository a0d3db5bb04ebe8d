"""Which agent is behind a pull request: the numbers of accounts first, then the strongest signal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from previewbot.api import AgentSeen
from previewbot.api.github import Account, Commit, PullRequest
from previewbot.config.agents import Agent, AgentTable, NoAgentKind, Signal, SignalKind
from previewbot.rules.agents import commits as of_commits
from previewbot.rules.agents import descriptions

ITS_ACCOUNT = "its account"
"""How it is told that an agent opened the pull request itself."""

_SHARED = (NoAgentKind.BACKPORT, NoAgentKind.RELEASE, NoAgentKind.LONG_LIVED)
"""Kinds of pull requests with everybody's commits, and words about them."""

_BOT = "Bot"


@dataclass(frozen=True)
class Signs:
    """What of a pull request tells who made it; of `body` only what is kept of it."""

    author: Account
    branch: str
    body: str = ""
    default_branch: str = ""
    is_fork: bool = False

    @classmethod
    def of(cls, pull_request: PullRequest) -> Self:
        """Return what tells of a pull request."""
        return cls(
            author=pull_request.author,
            branch=pull_request.head.ref,
            body=pull_request.body,
            default_branch=pull_request.default_branch,
            is_fork=pull_request.is_fork,
        )


def recognise(signs: Signs, commits: Sequence[Commit] | None, table: AgentTable) -> AgentSeen | None:
    """Return the agent behind a pull request with the first signal that told, or None.

    In this order: the author's account, the branch's name, the description, the commits (None where they were
    not read). Of a fork only the account tells.
    """
    agent = agent_of(signs.author, table)
    if agent is not None:
        return _seen(agent, SignalKind.ACCOUNT, ITS_ACCOUNT)
    # Branch, description and commits are what a stranger wrote. A fork whose branch is called `copilot/x`
    # would otherwise get a Preview and a comment for the asking, and be shown as Copilot's.
    if signs.is_fork or _is_machine(signs.author, table):
        return None
    return _by_branch(signs.branch, table) or _by_words(signs, commits or (), table)


def needs_commits(signs: Signs, table: AgentTable) -> bool:
    """Return whether only the commits could tell: nothing else says who it is, or that it is nobody."""
    return not signs.is_fork and recognise(signs, None, table) is None and _why_not(signs, table) is None


def why_none(signs: Signs, table: AgentTable) -> str:
    """Return why `recognise` found no agent, in words for whoever expected one."""
    login = signs.author.login
    if signs.is_fork and not _is_machine(signs.author, table):
        return f"of a fork the author's account alone tells, and @{login} is no agent's that is known"
    return _why_not(signs, table) or (
        f"@{login} is no agent's account that is known, `{signs.branch}` is named like no agent's branch, "
        "and neither the description nor a commit of its author has an agent's link, address or trailer"
    )


def agent_of(account: Account, table: AgentTable) -> Agent | None:
    """Return the agent whose own account this is; its number comes first.

    An account may be renamed, and somebody else may then take its name: a name counts only where the table
    has no number for it.
    """
    for agent in table.agents:
        if account.id in agent.ids:
            return agent
    login = account.login.lower()
    return next((agent for agent, row in table.signals(SignalKind.LOGIN) if row.value == login), None)


def is_agents_branch(branch: str, table: AgentTable) -> bool:
    """Return whether agents may name their branches like this one, in whatever case."""
    # In whatever case, since this one refuses: `Copilot/fix` must not become a branch whose configuration
    # counts. For the same reason an agent that the settings do not recognise goes on to count here.
    name = branch.lower()
    rows = (*(row for _, row in table.signals(SignalKind.BRANCH, SignalKind.NAMESPACE)), *table.left_out)
    return any(
        name.startswith(row.value)
        if row.kind is SignalKind.NAMESPACE
        else row.kind is SignalKind.BRANCH and re.fullmatch(row.value, name, re.IGNORECASE) is not None
        for row in rows
    )


def _by_branch(branch: str, table: AgentTable) -> AgentSeen | None:
    for agent, row in table.signals(SignalKind.BRANCH):
        if re.fullmatch(row.value, branch):
            return _seen(agent, row.kind, f"the branch name {row.shown or row.value}")
    return None


def _by_words(signs: Signs, commits: Sequence[Commit], table: AgentTable) -> AgentSeen | None:
    """Return the agent of whom the description or the commits tell, where they are the author's own."""
    if _why_not(signs, table) is not None:
        return None
    found = set(descriptions.found_in(signs.body, descriptions.description_signals(table)))
    for kind in descriptions.KINDS:
        for agent, row in table.signals(kind):
            if row in found:
                return _seen(agent, kind, _told(row))
    one = next(of_commits.agents_in(commits, signs.author, table), None)
    return _seen(one.agent, one.kind, one.signal) if one is not None else None


def _told(row: Signal) -> str:
    if row.kind is SignalKind.LINK:
        return f"the link {row.value.partition('?')[0].replace('*', '…')} in the description"
    return "its line in the description" if row.kind is SignalKind.FOOTER else "its mark in the description"


def _why_not(signs: Signs, table: AgentTable) -> str | None:
    """Return why neither the description nor the commits can tell of an agent, in words; None if they can."""
    author = f"@{signs.author.login}"
    if _is_machine(signs.author, table):
        return f"{author} is a machine, but no coding agent"
    kind = _shared(signs, table)
    if kind is NoAgentKind.BACKPORT:
        return "it is a backport: its commits were made elsewhere"
    if kind is NoAgentKind.RELEASE:
        return "it is a release: its words and commits are about everybody's work"
    if kind is NoAgentKind.LONG_LIVED:
        return f"`{signs.branch}` is a branch on which everybody works"
    if signs.author.type == _BOT and not _is(signs.author, NoAgentKind.WORKFLOW, table):
        return f"{author} is an App's account that is not known, and what it writes may be somebody else's"
    return None


def _shared(signs: Signs, table: AgentTable) -> NoAgentKind | None:
    if signs.branch == signs.default_branch:
        return NoAgentKind.LONG_LIVED
    for kind in _SHARED:
        if _is(signs.author, kind, table):
            return kind
        branches = table.no_agent(kind, SignalKind.BRANCH)
        if any(re.fullmatch(row.value, signs.branch, re.IGNORECASE) for row in branches):
            return kind
        if any(descriptions.found_in(signs.body, table.no_agent(kind, *descriptions.KINDS))):
            return kind
    return None


def _is_machine(author: Account, table: AgentTable) -> bool:
    return _is(author, NoAgentKind.MACHINE, table)


def _is(author: Account, kind: NoAgentKind, table: AgentTable) -> bool:
    ids = {row.number for row in table.no_agent(kind, SignalKind.ACCOUNT)}
    # Here the name counts beside the number: whoever takes it is only not taken for an agent.
    shown = {row.shown for row in table.no_agent(kind, SignalKind.ACCOUNT)}
    logins = {row.value for row in table.no_agent(kind, SignalKind.LOGIN)}
    return author.id in ids or author.login.lower() in shown | logins


def _seen(agent: Agent, kind: SignalKind, signal: str) -> AgentSeen:
    return AgentSeen(name=agent.name, signal=signal, key=agent.key, kind=kind.value)
