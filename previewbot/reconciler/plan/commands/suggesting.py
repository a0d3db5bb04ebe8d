"""What is answered to a command that is none: one that would be carried out now, if any is meant."""

from __future__ import annotations

from previewbot.api import Status
from previewbot.api.github import PullRequest
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


def not_understood(status: Status, asked: UnknownCommand, pull_request: PullRequest) -> Answer:
    """Return the answer to it."""
    if asked.unread:
        return refusal("too-many-commands", text=asked.text, most=str(MOST_COMMANDS))
    suggestion = _that_works(asked.suggestion or "", status, pull_request)
    words = "told-apart" if asked.apart else "unknown-command"
    return refusal(words, text=asked.text, suggestion=suggestion)


def not_in_a_review(asked: Command) -> Answer:
    """Return the answer to what counts in the conversation only, with the line to write there."""
    there = " ".join(each.name for each in DEFINITIONS if each.in_reviews)
    return refusal("not-in-a-review", text=written(asked), there=there)


def _that_works(suggestion: str, status: Status, pull_request: PullRequest) -> str:
    """Return a suggestion that would not be refused as things stand; empty if there is none."""
    meant = next((each for each in parse(suggestion) if isinstance(each, Command)), None)
    if meant is None:
        return suggestion
    name = meant.name
    if pull_request.state == "closed":
        return suggestion if NAMED[name].when_closed else "/preview status"
    needs_one = name in ("stop", "extend", "logs", "restart")
    if needs_one and not is_wanted(status):
        name, suggestion = "start", "/preview start"
    if name in ("start", "restart") and pull_request.is_fork:
        # Nothing else is taken of a fork, and nobody should have to write it off.
        services = "".join(f" {each}" for each in meant.services)
        return f"/preview {name} {pull_request.head.sha}{services}"
    return suggestion
