"""Whose `.github/preview.yaml` counts: the default branch's, or that of a base which nobody changes alone.

What a preview runs is decided by this file, so a branch that any writer (or agent) may make or push to must
not bring its own. The settings name base branches; GitHub says whether they are safe.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence
from dataclasses import dataclass

from previewbot.api import BaseBranch, Missing
from previewbot.api.github import PullRequest
from previewbot.config.agents import AgentTable
from previewbot.rules import agents

_PATTERN_RE = re.compile(r"[*?[]")

_NEEDED = {"creation": Missing.CREATION, "pull_request": Missing.PULL_REQUESTS}
"""The rules that a branch named by a pattern needs, by their `type`
(https://docs.github.com/en/rest/repos/rules#get-rules-for-a-branch)."""


@dataclass(frozen=True)
class Named:
    """How `config_branches` names a branch: in full, by a pattern, or both."""

    in_full: bool
    by_pattern: bool


@dataclass(frozen=True)
class Safeguards:
    """What GitHub says of a branch: whether it is `protected`, and the types of the active rules for it.

    None is what it was not asked, or does not say.
    """

    protected: bool | None = None
    rules: frozenset[str] | None = None


def named(pull_request: PullRequest, config_branches: Sequence[str], table: AgentTable) -> Named | None:
    """Return how the settings name the base of a pull request; None if the default branch's file counts.

    Never a base that has the name of an agent's branch, whoever opened the pull request onto it.
    """
    return is_named(pull_request.base.ref, pull_request.default_branch, config_branches, table)


def is_named(
    base: str, default_branch: str, config_branches: Sequence[str], table: AgentTable
) -> Named | None:
    """Return how the settings name a base; None if the default branch's file counts there."""
    if base == default_branch or agents.is_agents_branch(base, table):
        return None
    in_full = base in config_branches
    # `fnmatchcase` and not `fnmatch`, which would ignore capital letters on some systems: branches differ by
    # them.
    patterns = (pattern for pattern in config_branches if _PATTERN_RE.search(pattern))
    by_pattern = any(fnmatch.fnmatchcase(base, pattern) for pattern in patterns)
    return Named(in_full, by_pattern) if in_full or by_pattern else None


def judged(name: str, named: Named, safeguards: Safeguards) -> BaseBranch:
    """Return whether a base branch's own configuration counts, and what is missing if not.

    A branch named in full is there, and somebody chose it: it must be protected. What a pattern will match
    nobody knows: whoever can make such a branch brings their own configuration, so there must be rules
    against that too. Protection alone says nothing of who may create a branch.
    """
    missing: list[Missing] = []
    if named.in_full:
        if safeguards.protected:
            return BaseBranch(name)
        missing.append(Missing.ANSWER if safeguards.protected is None else Missing.PROTECTION)
    if named.by_pattern:
        rules = safeguards.rules
        lacking = [what for rule, what in _NEEDED.items() if rules is not None and rule not in rules]
        if rules is not None and not lacking:
            return BaseBranch(name)
        missing += lacking or [Missing.ANSWER]
    return BaseBranch(name, tuple(dict.fromkeys(missing)))


def configuration_ref(pull_request: PullRequest, base_branch: BaseBranch | None) -> str:
    """Return the branch whose `.github/preview.yaml` counts; never a head."""
    heeded = base_branch is not None and base_branch.counts
    return pull_request.base.ref if heeded else pull_request.default_branch
