"""The table of agents as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property


class SignalKind(StrEnum):
    """What of a pull request a signal is found in."""

    ACCOUNT = "account"
    """The number of an account: of who opened the pull request, of a commit's author or co-author."""
    CO_AUTHOR = "co_author"
    """The number of an account that only signs commits; a pull request of its own would say nothing."""
    LOGIN = "login"
    """The name of an account whose number is not known: an account can be renamed, and its name taken."""
    BRANCH = "branch"
    """A regular expression for the whole name of the branch."""
    NAMESPACE = "namespace"
    """How branches of the agent may begin. It tells of nobody, since people's branches begin so too; but no
    base branch that begins so has a configuration of its own."""
    LINK = "link"
    """How an address in the description begins: host and path, `*` for a part of the path; `?id=` at its end
    is a name that the query must have."""
    FOOTER = "footer"
    """How a line of the description begins, behind an emoji and marks of emphasis."""
    MARKER = "marker"
    """A comment of HTML in the description, of which this is the text."""
    EMAIL = "email"
    """The address of a commit's author or co-author."""
    TRAILER = "trailer"
    """A trailer of a commit with its value; an address in it is a link, as above."""
    AUTHOR_NAME = "author_name"
    """How the name of a commit's author ends."""


class NoAgentKind(StrEnum):
    """What kind of pull requests has an agent's words or commits in it, and is not an agent's work."""

    MACHINE = "machine"
    """Its author is a machine of another trade: an update of a dependency, a review. Nothing else counts."""
    WORKFLOW = "workflow"
    """Its author is the account of workflows, by which anything may be opened: all other signals count."""
    BACKPORT = "backport"
    """Somebody's commits once more, for another branch."""
    RELEASE = "release"
    """Everybody's commits, or release notes of them."""
    LONG_LIVED = "long_lived"
    """A branch on which everybody works is merged."""


@dataclass(frozen=True)
class Signal:
    """One row: what an agent leaves (`value`), where that can be read of, and when it was.

    `shown` is the value as people read it, where that is not the value itself.
    """

    kind: SignalKind
    value: str
    source: str
    read: date | None = None
    shown: str = ""

    @property
    def number(self) -> int:
        """The number of an account."""
        return int(self.value)


@dataclass(frozen=True)
class Agent:
    """An agent: `key` is what settings and `preview.yaml` call it, `name` what people do.

    `mention` is what a comment on its pull request begins with that it is to act on (`@copilot`): empty where
    it hears every comment, None where it is not known what it hears.
    """

    key: str
    name: str
    signals: tuple[Signal, ...] = ()
    mention: str | None = None

    def of(self, *kinds: SignalKind) -> tuple[Signal, ...]:
        """Return the signals of some kinds."""
        return tuple(signal for signal in self.signals if signal.kind in kinds)

    @cached_property
    def ids(self) -> frozenset[int]:
        """The numbers of its own accounts, by which it opens pull requests."""
        return frozenset(signal.number for signal in self.of(SignalKind.ACCOUNT))

    @cached_property
    def signing_ids(self) -> frozenset[int]:
        """The numbers of the accounts in whose names it commits."""
        return self.ids | {signal.number for signal in self.of(SignalKind.CO_AUTHOR)}

    @cached_property
    def trailers(self) -> tuple[Signal, ...]:
        """The trailers of its own that it signs with."""
        return self.of(SignalKind.TRAILER)

    @cached_property
    def emails(self) -> frozenset[str]:
        """The addresses that it commits with."""
        return frozenset(signal.value for signal in self.of(SignalKind.EMAIL))

    @cached_property
    def author_names(self) -> tuple[str, ...]:
        """How the names end that it commits under."""
        return tuple(signal.value for signal in self.of(SignalKind.AUTHOR_NAME))


@dataclass(frozen=True)
class NoAgent:
    """What shows that a pull request is of a kind in which agents' signals are somebody else's."""

    kind: NoAgentKind
    signals: tuple[Signal, ...] = ()


@dataclass(frozen=True)
class AgentTable:
    """All agents, and all that look like agents; `read` is when the sources were last gone through.

    `left_out` has the signals that the settings took away: they tell of nobody, and no branch is safe by it.
    """

    read: date
    agents: tuple[Agent, ...]
    no_agents: tuple[NoAgent, ...] = ()
    left_out: tuple[Signal, ...] = ()

    @cached_property
    def by_key(self) -> Mapping[str, Agent]:
        """The agents by their keys."""
        return {agent.key: agent for agent in self.agents}

    @cached_property
    def trailer_names(self) -> frozenset[str]:
        """The names of the trailers that agents sign with, in small letters."""
        return frozenset(row.value.partition(":")[0].lower() for _, row in self.signals(SignalKind.TRAILER))

    @cached_property
    def footers(self) -> tuple[str, ...]:
        """How lines begin that agents write into descriptions, and into messages above their trailers."""
        return tuple(row.value for _, row in self.signals(SignalKind.FOOTER))

    def signals(self, *kinds: SignalKind) -> tuple[tuple[Agent, Signal], ...]:
        """Return all signals of some kinds with whose they are, in the order of the table."""
        return tuple((agent, signal) for agent in self.agents for signal in agent.of(*kinds))

    def no_agent(self, kind: NoAgentKind, *signals: SignalKind) -> tuple[Signal, ...]:
        """Return the signals that show one kind of what is no agent's work."""
        return tuple(
            signal
            for row in self.no_agents
            if row.kind is kind
            for signal in row.signals
            if signal.kind in signals
        )
