"""A command with what its effect depends on, and the answer that it gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from previewbot.api import Goal, Said, Status
from previewbot.api.github import PullRequest
from previewbot.reconciler.conversation import Request
from previewbot.reconciler.observation import LogsRead, PullRequestFacts
from previewbot.rules.commands import Command


@dataclass(frozen=True)
class Given:
    """A command with what its effect depends on; `ttl_max` bounds `extend`, `logs` is what was read."""

    command: Command
    request: Request
    facts: PullRequestFacts
    ttl_max: timedelta
    now: datetime
    logs: LogsRead

    @property
    def pull_request(self) -> PullRequest:
        """The pull request that it is about."""
        return self.facts.pull_request


@dataclass(frozen=True)
class Answer:
    """The answer that a command gets: a reaction and words, or a goal that the reaction waits for.

    `services` are those that the goal is about; none for the whole preview. `more` is what else is said.
    """

    reaction: str = ""
    words: str = ""
    values: Mapping[str, str] | None = None
    goal: Goal | None = None
    services: tuple[str, ...] = ()
    more: tuple[Said, ...] = ()

    @property
    def said(self) -> tuple[Said, ...]:
        """Everything that it says."""
        return (Said(self.words, dict(self.values or {})), *self.more) if self.words else ()


Effect = tuple[Status, Answer]


def refusal(words: str = "", **values: str) -> Answer:
    """Return the answer to what cannot be done."""
    return Answer("confused", words, values)


def is_wanted(status: Status) -> bool:
    """Return whether a preview runs, or is on its way."""
    return status.lifecycle.ended is None and bool(status.observed.trigger)


def is_all_stopped(status: Status, facts: PullRequestFacts) -> bool:
    """Return whether all that would start was stopped by name, so that nothing runs."""
    names = facts.started(status.lifecycle) if facts.config else {}
    return bool(names) and not set(names) - {each.name for each in status.lifecycle.stopped}


def changed_names(status: Status, facts: PullRequestFacts) -> list[str]:
    """Return the services that the pull request changes, in the configuration's order.

    Where its file cannot be read now, those that were known before.
    """
    if facts.config is None:
        return [*(each.name for each in status.services), *(each.name for each in status.lifecycle.stopped)]
    changed = facts.changed(status.lifecycle.by_name)
    return [each.name for each in facts.config.services if each.name in changed]


def with_shared(status: Status, facts: PullRequestFacts, names: Sequence[str]) -> Status:
    """Return a status by which these services start too, of which only what all share was changed.

    After an end they are all that was started so: what ran before it must not keep the room for others.
    """
    if not names or not facts.shared or facts.config is None:
        return status
    lifecycle, configured = status.lifecycle, [each.name for each in facts.config.services]
    before = lifecycle.by_name if lifecycle.ended is None else ()
    more = [name for name in configured if name in names and name not in (*facts.files, *before)]
    by_name = (*before, *more)
    if by_name == lifecycle.by_name:
        return status
    return replace(status, lifecycle=replace(lifecycle, by_name=by_name))


def unknown_service(status: Status, facts: PullRequestFacts, names: Sequence[str]) -> Answer | None:
    """Return the refusal of names of which the pull request changes no service; None where it changes all."""
    changed = changed_names(status, facts)
    configured = [each.name for each in facts.config.services] if facts.config else changed
    # What was started by name, and is beyond the limit, is told in the comment as that.
    there = {*changed, *status.lifecycle.by_name}
    unchanged = next((name for name in names if name in configured and name not in there), None)
    unknown = next((name for name in names if name not in configured), None)
    shown = ", ".join(changed[:_MOST_SHOWN]) + (", …" if len(changed) > _MOST_SHOWN else "")
    if unknown is not None:
        return refusal("unknown-service", service=unknown, changed=shown)
    if unchanged is not None:
        return refusal("unchanged-service", service=unchanged, changed=shown)
    return None


_MOST_SHOWN = 20
