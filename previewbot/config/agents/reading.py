"""From `agents.toml` to the table, or to a mistake that names the row."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

from previewbot.config.agents.table import Agent, AgentTable, NoAgent, NoAgentKind, Signal, SignalKind
from previewbot.config.types import AGENT_KEY

_LINK = re.compile(r"[a-z0-9.-]+\.[a-z]{2,}(/[A-Za-z0-9._*-]+)*/?(\?[A-Za-z]+=[a-z0-9-]*)?")
_EMAIL = re.compile(r"[^\s<>@A-Z]+@[^\s<>@A-Z]+")
_TRAILER = re.compile(r"[A-Za-z][A-Za-z0-9-]*: \S.*")
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")
_FIELDS = frozenset({"kind", "value", "shown", "source", "read"})


class AgentTableError(ValueError):
    """A row of the table is not as it must be: which, and what is wrong."""


MENTION_RE = re.compile(r"(@[A-Za-z0-9][A-Za-z0-9-]{0,38})?")
"""How an account is mentioned in a comment (https://docs.github.com/en/get-started/writing-on-github); or
nothing, where none is needed."""


def table_from(text: str) -> AgentTable:
    """Return the table that a TOML text holds; raises AgentTableError."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise AgentTableError(f"not TOML: {error}") from None
    read = data.get("read")
    if not isinstance(read, date):
        raise AgentTableError("`read` must be the date on which the sources were last gone through")
    agents = tuple(_agent(key, row) for key, row in _mapping(data, "agents").items())
    no_agents = tuple(
        NoAgent(_one_of(NoAgentKind, kind, "no_agents"), _signals(f"no_agents.{kind}", row))
        for kind, row in _mapping(data, "no_agents").items()
    )
    _no_signal_twice(agents)
    return AgentTable(read, agents, no_agents)


@cache
def built_in() -> AgentTable:
    """Return the table that comes with previewbot, as it is without any settings."""
    return table_from(resources.files(__package__).joinpath("agents.toml").read_text(encoding="utf-8"))


def wrong_with(kind: SignalKind, value: str) -> str | None:
    """Return what is wrong with a value, in words; None if it is as its kind has to be."""
    return None if _CHECKS[kind](value) else _MUST_BE[kind]


def _is_pattern(value: str) -> bool:
    try:
        return bool(value) and re.compile(value).match("") is None
    except re.error:
        return False


def _is_text(value: str) -> bool:
    return value == value.strip() and value.isprintable() and len(value) >= 8


_CHECKS: Mapping[SignalKind, Callable[[str], object]] = {
    SignalKind.ACCOUNT: _NUMBER.fullmatch,
    SignalKind.CO_AUTHOR: _NUMBER.fullmatch,
    SignalKind.LOGIN: re.compile(r"[a-z0-9][a-z0-9-]{0,99}(\[bot\])?").fullmatch,
    SignalKind.BRANCH: _is_pattern,
    SignalKind.NAMESPACE: re.compile(r"[a-z0-9._-]{2,}/?").fullmatch,
    SignalKind.LINK: lambda value: "/" in value and _LINK.fullmatch(value),
    SignalKind.FOOTER: _is_text,
    SignalKind.MARKER: _is_text,
    SignalKind.EMAIL: _EMAIL.fullmatch,
    SignalKind.TRAILER: _TRAILER.fullmatch,
    SignalKind.AUTHOR_NAME: lambda value: len(value) >= 4 and value.isprintable(),
}
_MUST_BE: Mapping[SignalKind, str] = {
    SignalKind.ACCOUNT: "must be the number of an account",
    SignalKind.CO_AUTHOR: "must be the number of an account",
    SignalKind.LOGIN: "must be the name of an account, in small letters",
    SignalKind.BRANCH: "must be a regular expression that an empty name does not match",
    SignalKind.NAMESPACE: "must be how names of branches begin, in small letters",
    SignalKind.LINK: "must be a host and a path, without https://",
    SignalKind.FOOTER: "must be a text of at least 8 characters",
    SignalKind.MARKER: "must be a text of at least 8 characters",
    SignalKind.EMAIL: "must be an address in small letters",
    SignalKind.TRAILER: "must be a trailer with its value, like `Session: https://example.com/`",
    SignalKind.AUTHOR_NAME: "must be the end of a name, of at least 4 characters",
}


def _mapping(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = data.get(key)
    if not isinstance(found, dict) or not all(isinstance(row, dict) for row in found.values()):
        raise AgentTableError(f"`{key}` must hold a table for each")
    return found


def _agent(key: str, row: Mapping[str, Any]) -> Agent:
    if not re.fullmatch(AGENT_KEY, key):
        raise AgentTableError(f"agents.{key}: the key must have small letters, digits and - only")
    name = row.get("name")
    if not isinstance(name, str) or not name.strip():
        raise AgentTableError(f"agents.{key}: `name` must be what people call it")
    mention = row.get("mention")
    if mention is not None and not (isinstance(mention, str) and MENTION_RE.fullmatch(mention)):
        raise AgentTableError(f"agents.{key}: `mention` must be the name of an account after @, or empty")
    return Agent(key, name, _signals(f"agents.{key}", row), mention)


def _signals(where: str, row: Mapping[str, Any]) -> tuple[Signal, ...]:
    unknown = row.keys() - {"name", "signals", "mention"}
    if unknown:
        raise AgentTableError(f"{where}: `{min(unknown)}` is unknown")
    return tuple(_signal(f"{where}, signal {at}", one) for at, one in enumerate(row.get("signals", ()), 1))


def _signal(where: str, row: Mapping[str, Any]) -> Signal:
    unknown, missing = row.keys() - _FIELDS, {"kind", "value", "source", "read"} - row.keys()
    if unknown or missing:
        told = f"`{min(unknown)}` is unknown" if unknown else f"`{min(missing)}` is missing"
        raise AgentTableError(f"{where}: {told}")
    kind, value, source, read = (
        _one_of(SignalKind, row["kind"], where),
        str(row["value"]),
        row["source"],
        row["read"],
    )
    wrong = wrong_with(kind, value)
    if wrong:
        raise AgentTableError(f"{where}: {kind} `{value}` {wrong}")
    if not isinstance(source, str) or not source.startswith("https://"):
        raise AgentTableError(f"{where}: `source` must be a public address, with https://")
    if not isinstance(read, date):
        raise AgentTableError(f"{where}: `read` must be a date")
    return Signal(kind, value, source, read, str(row.get("shown", "")))


def _one_of(kinds: Any, written: object, where: str) -> Any:
    try:
        return kinds(written)
    except ValueError:
        known = ", ".join(kinds)
        raise AgentTableError(f"{where}: `{written}` must be one of {known}") from None


def _no_signal_twice(agents: tuple[Agent, ...]) -> None:
    whose: dict[tuple[SignalKind, str], str] = {}
    for agent in agents:
        for signal in agent.signals:
            other = whose.setdefault((signal.kind, signal.value), agent.key)
            if other != agent.key:
                raise AgentTableError(f"{signal.kind} `{signal.value}` is both {other}'s and {agent.key}'s")
