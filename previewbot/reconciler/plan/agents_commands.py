"""Commands that an agent writes with its own account: what the settings grant it, and how often.

An App has no permission on a repository as people have, so the settings take its place (`agents.commands`):
for the commands that they name, of the account that opened this very pull request, by its number. Branches,
descriptions and trailers, which anybody can write, grant nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from previewbot.api import AgentSeen, AgentsTurn, RequestKind, Requests
from previewbot.api.github import Comment, PullRequest
from previewbot.config.server import AgentsSettings
from previewbot.reconciler.conversation import Hand, Request
from previewbot.rules.commands import Command, UnknownCommand

OBEYED_AN_HOUR = 10
"""So many comments of the agent itself are obeyed on one pull request: one that answers to our answers, or to
a crash with `/preview restart`, would go on without end."""

_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Granted:
    """What the settings let the agent of a pull request ask for: these commands, of these accounts."""

    accounts: frozenset[int] = frozenset()
    commands: frozenset[str] = frozenset()


def granted_to(pull_request: PullRequest, agent: AgentSeen | None, settings: AgentsSettings) -> Granted:
    """Return what the agent that opened a pull request may ask for there; nothing on a fork's."""
    known = settings.known.by_key.get(agent.key) if agent is not None else None
    # By the number of who opened it. A person whose branch is called `copilot/x` would else have Copilot
    # obeyed in their pull request, and with it whoever gets Copilot to write a comment there.
    if known is None or pull_request.is_fork or pull_request.author.id not in known.ids:
        return Granted()
    return Granted(known.ids, frozenset(settings.commands.get(known.key, ())))


def hand_of_agent(
    comment: Comment, asked: tuple[Command | UnknownCommand, ...], granted: Granted
) -> Hand | None:
    """Return that an agent wrote what it may ask for; None for everybody and everything else.

    A comment counts as a whole: one command that is not granted, or none at all, and nothing of it is obeyed.
    What stands in a review gives none: an agent that answers to a review writes there.
    """
    if comment.author.id not in granted.accounts or comment.kind is not RequestKind.ISSUE_COMMENT:
        return None
    names = [each.name if isinstance(each, Command) else "" for each in asked]
    return Hand.AGENT if names and set(names) <= granted.commands else None


def is_too_many(request: Request, requests: Requests, now: datetime) -> bool:
    """Return whether an agent's own comment is one more than is obeyed in an hour."""
    return request.hand is Hand.AGENT and _turn(requests, now).obeyed >= OBEYED_AN_HOUR


def counted(request: Request, requests: Requests, now: datetime) -> Requests:
    """Return what is known of requests once this one is obeyed."""
    if request.hand is not Hand.AGENT:
        return requests
    turn = _turn(requests, now)
    return replace(requests, by_agent=replace(turn, obeyed=turn.obeyed + 1))


def _turn(requests: Requests, now: datetime) -> AgentsTurn:
    turn = requests.by_agent
    over = turn.since is None or now - turn.since >= _HOUR
    return AgentsTurn(since=now) if over else turn
