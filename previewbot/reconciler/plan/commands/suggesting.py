"""What is answered to a command that is none: one that would be carried out now, if any is meant."""

from __future__ import annotations

from dataclasses import replace

from previewbot.api import Status
from previewbot.api.github import PullRequest
from previewbot.reconciler.observation import LogsRead
from previewbot.reconciler.plan.commands.given import Answer, is_wanted, refusal
from previewbot.rules.commands import (
    DEFINITIONS,
    MOST_COMMANDS,
    NAMED,
    Command,
    UnknownCommand,
    parse,
    written,
)


def not_understood(
    status: Status, asked: UnknownCommand, pull_request: PullRequest, logs: LogsRead
) -> Answer:
    """Return the answer to it."""
    if asked.unread:
        return refusal("too-many-commands", text=asked.text, most=str(MOST_COMMANDS))
    meant = next((each for each in parse(asked.suggestion or "") if isinstance(each, Command)), None)
    if asked.apart:
        # It says what was written, not what else could be.
        suggestion = _of_a_fork(meant, asked.text, pull_request) if meant else asked.text
        return refusal("told-apart", text=asked.text, suggestion=suggestion)
    suggestion = asked.suggestion or ""
    suggestion = _that_works(meant, suggestion, status, pull_request, logs) if meant else suggestion
    return refusal("unknown-command", text=asked.text, suggestion=suggestion)


def not_in_a_review(asked: Command, logs: LogsRead) -> Answer:
    """Return the answer to what counts in the conversation only, with the line to write there."""
    there = [
        each.name for each in DEFINITIONS if each.in_reviews and not (each.name == "logs" and logs.withheld)
    ]
    return refusal("not-in-a-review", text=written(asked), there=" ".join(there))


def _that_works(
    meant: Command, suggestion: str, status: Status, pull_request: PullRequest, logs: LogsRead
) -> str:
    """Return a suggestion that would not be refused as things stand; empty if there is none."""
    name = meant.name
    if pull_request.state == "closed":
        return suggestion if NAMED[name].when_closed else "/preview status"
    if name == "logs" and logs.withheld:
        return ""
    if name in ("stop", "extend", "logs", "restart") and not is_wanted(status):
        meant, suggestion = Command("start"), "/preview start"
    return _of_a_fork(meant, suggestion, pull_request)


def _of_a_fork(meant: Command, suggestion: str, pull_request: PullRequest) -> str:
    """Return how a command is written on this pull request."""
    if meant.name in ("start", "restart") and pull_request.is_fork:
        # Nothing else is taken of a fork, and nobody should have to write it off.
        return written(replace(meant, sha=pull_request.head.sha))
    return suggestion
