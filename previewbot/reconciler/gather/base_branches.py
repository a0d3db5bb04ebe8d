"""What GitHub says of a base branch that the settings name: is it safe to go by its own configuration?"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from previewbot.api import BaseBranch
from previewbot.api.github import PullRequest
from previewbot.clients.github import InstallationClient
from previewbot.config.server import Settings
from previewbot.errors import Forbidden, Invalid, NotFound
from previewbot.rules import base_branches

_T = TypeVar("_T")


async def read_base_branch(
    client: InstallationClient, pull_request: PullRequest, settings: Settings
) -> BaseBranch | None:
    """Return whether the base's own configuration counts; None if the settings do not name it.

    Only then GitHub is asked: once, twice where it is named in full and by a pattern. Raises the RemoteError
    if it cannot be asked now: what was known before goes on to count.
    """
    named = base_branches.named(pull_request, settings.config_branches, settings.agents.known)
    if named is None:
        return None
    repository, branch = pull_request.base.repository, pull_request.base.ref
    protected = await _said(client.is_protected(repository, branch)) if named.in_full else None
    ask_rules = named.by_pattern and not protected
    rules = await _said(client.rules(repository, branch)) if ask_rules else None
    return base_branches.judged(branch, named, base_branches.Safeguards(protected, rules))


async def _said(question: Awaitable[_T]) -> _T | None:
    """Return the answer; None where GitHub says that it gives none."""
    try:
        return await question
    # An Enterprise Server from before there were rulesets, a plan without them, an App that may not read
    # them. Asked again it says the same, so that the default branch counts for as long as it is so.
    except (NotFound, Forbidden, Invalid):
        return None
