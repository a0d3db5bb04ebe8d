"""What the platform team changes of the table of agents: agents of its own, more signals, fewer."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from previewbot.config import types as t
from previewbot.config.agents import Agent, AgentTable, Signal, SignalKind, built_in
from previewbot.config.agents.reading import MENTION_RE, wrong_with
from previewbot.config.types import about, mistake
from previewbot.config.words import Raw, did_you_mean

SOURCE = "the settings"
"""Where a signal is from that a platform team added."""


def _of_kind(kind: SignalKind) -> AfterValidator:
    def check(written: str) -> str:
        wrong = wrong_with(kind, written)
        if wrong:
            raise mistake("agent_signal", wrong=Raw(wrong))
        return written

    return AfterValidator(check)


_Login = Annotated[t.Text, AfterValidator(str.lower), _of_kind(SignalKind.LOGIN)]
_Link = Annotated[t.Text, AfterValidator(lambda url: url.removeprefix("https://")), _of_kind(SignalKind.LINK)]
_Footer = Annotated[t.Text, _of_kind(SignalKind.FOOTER)]
_Email = Annotated[t.Text, AfterValidator(str.lower), _of_kind(SignalKind.EMAIL)]
_Trailer = Annotated[t.Text, _of_kind(SignalKind.TRAILER)]


def _is_no_wildcard_alone(written: str) -> str:
    # `*` would make every branch an agent's, and each person's pull request start a preview.
    if not written.strip("*?/"):
        raise mistake("agent_branch")
    return written


def _is_mention(written: str) -> str:
    if not MENTION_RE.fullmatch(written):
        raise mistake(
            "agent_signal", wrong=Raw("must be the name of an account with @ before it, like @claude")
        )
    return written


_Mention = Annotated[t.Text, AfterValidator(_is_mention)]
_Branch = Annotated[t.Text, AfterValidator(_is_no_wildcard_alone)]


AgentCommand = Literal["start", "restart", "reset", "stop", "extend", "status", "logs", "help"]
AgentCommands = Annotated[tuple[AgentCommand, ...], about("of `/preview …`", ["status", "start", "logs"])]


class AgentRow(t.Model):
    """What is different of one agent from the table that comes with previewbot, or a new one."""

    name: t.Text | None = about(
        "what people call it; left out for a new one: its key", "Claude", default=None
    )
    recognised: t.Truth = about("`false`: no pull request is this agent's", True, default=True)
    accounts: tuple[t.WholeNumber, ...] = about(
        "numbers of accounts of its own (`id` of `https://api.github.com/users/NAME`)", [4244], default=()
    )
    logins: tuple[_Login, ...] = about(
        "names of such accounts, where the number is not known", ["acme-claude[bot]"], default=()
    )
    branches: tuple[_Branch, ...] = about(
        "names of its branches; `*` stands for anything, `[0-9]` for one of these",
        ["acme-claude/*"],
        default=(),
    )
    links: tuple[_Link, ...] = about(
        "how addresses begin that it writes into the description: host and path",
        ["claude.acme.example/sessions/"],
        default=(),
    )
    footers: tuple[_Footer, ...] = about(
        "how a line of the description begins that it writes there", ["Made with [our Claude]("], default=()
    )
    emails: tuple[_Email, ...] = about(
        "addresses that it commits with, or is named by as a co-author", ["claude@acme.example"], default=()
    )
    trailers: tuple[_Trailer, ...] = about(
        "trailers of its commits, with their value",
        ["Acme-Session: https://claude.acme.example/"],
        default=(),
    )
    mention: _Mention | None = about(
        "what a comment on its pull request begins with that it is to act on; with that people hand it their "
        "words on a preview's page",
        "@acme-claude",
        default=None,
    )
    without: tuple[t.Text, ...] = about(
        "signals of the table that do not count, by their values as `docs/agents-recognised.md` has them",
        ["claude/.+"],
        default=(),
    )

    def signals(self) -> Iterator[Signal]:
        """Yield the signals that are added."""
        for kind, values in self._added():
            yield from (Signal(kind, str(value), SOURCE) for value in values)
        for branch in self.branches:
            yield Signal(SignalKind.BRANCH, fnmatch.translate(branch), SOURCE, shown=branch)

    def _added(self) -> Iterable[tuple[SignalKind, Iterable[object]]]:
        return (
            (SignalKind.ACCOUNT, self.accounts),
            (SignalKind.LOGIN, self.logins),
            (SignalKind.LINK, self.links),
            (SignalKind.FOOTER, self.footers),
            (SignalKind.EMAIL, self.emails),
            (SignalKind.TRAILER, self.trailers),
        )


def _off(written: object) -> object:
    """Read the word `off` without quotes, which YAML 1.1 makes false (https://yaml.org/type/bool.html)."""
    return "off" if written is False else written


UnknownApps = Annotated[
    Literal["label", "preview", "off"],
    BeforeValidator(_off),
    WithJsonSchema({"enum": ["label", "preview", "off", False]}),
]


class AgentsSettings(t.Model):
    """Which agents are recognised, and by what; and what agents and Apps may do by themselves."""

    table: Annotated[
        Mapping[Annotated[t.AgentKey, about("agents", "claude")], AgentRow],
        about("by agent; what is left out is as in the table that comes with previewbot"),
    ] = Field(default_factory=dict)

    unknown_apps: UnknownApps = about(
        "pull requests that an App opened which is on no list: `label`, only a label or a writer's command "
        "starts one; `preview`, they start by themselves, like an agent's, but those of forks; `off`, only a "
        "command",
        "label",
        default="label",
    )
    commands: Annotated[
        Mapping[Annotated[t.AgentKey, about("agents", "copilot")], AgentCommands],
        about(
            "the commands that an agent's own account may write, in the pull requests that it opened itself, "
            "never of forks; left out: none"
        ),
    ] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _may_ask(self) -> Self:
        # By number only: an account that can be renamed grants nothing to whoever takes its name.
        for key in self.commands:
            if key not in self.known.by_key:
                near = Raw(did_you_mean(key, self.known.by_key))
                raise mistake("no_such_agent", at=f"commands.{key}", near=near)
            if not self.known.by_key[key].ids:
                raise mistake("agent_without_account", at=f"commands.{key}")
        return self

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        known = built_in().by_key
        for key, row in self.table.items():
            if key not in known and not list(row.signals()):
                near = did_you_mean(key, known, always=False) or "add a signal to it"
                raise mistake("agent_new", at=f"table.{key}", near=Raw(near))
            values = [signal.value for signal in known[key].signals] if key in known else []
            for value in row.without:
                if value not in values:
                    near = did_you_mean(value, values)
                    raise mistake("agent_without", at=f"table.{key}.without", value=value, near=Raw(near))
        return self

    @cached_property
    def known(self) -> AgentTable:
        """The table that counts: the one that comes with previewbot, with what is changed here."""
        return changed(built_in(), self.table)


def changed(table: AgentTable, rows: Mapping[str, AgentRow]) -> AgentTable:
    """Return a table with what rows of the settings change of it; new agents come first.

    An agent that a platform team knows is the likelier one, should two have the same signal.
    """
    new = [
        Agent(key, row.name or key, tuple(row.signals()), row.mention)
        for key, row in rows.items()
        if key not in table.by_key and row.recognised
    ]
    old = [
        agent if agent.key not in rows else _with(agent, rows[agent.key])
        for agent in table.agents
        if agent.key not in rows or rows[agent.key].recognised
    ]
    kept = {signal for agent in old for signal in agent.signals}
    left_out = tuple(signal for agent in table.agents for signal in agent.signals if signal not in kept)
    return replace(table, agents=(*new, *old), left_out=left_out)


def _with(agent: Agent, row: AgentRow) -> Agent:
    left = [signal for signal in agent.signals if signal.value not in row.without]
    mention = agent.mention if row.mention is None else row.mention
    return Agent(agent.key, row.name or agent.name, (*row.signals(), *left), mention)
