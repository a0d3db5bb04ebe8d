"""Where an agent keeps the record of its work: the addresses of sessions and tasks that it leaves.

Whoever pushes writes descriptions and commits. So an address counts only if it is where the table says that
this very agent's sessions are, and it is written anew from what was compared: `https`, that host, that path.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from previewbot.config.agents import AgentTable, Signal, SignalKind
from previewbot.rules.agents.addresses import addresses_in, matches
from previewbot.text.prose import prose

MOST = 3
"""The most addresses that are kept of one text."""

_LONGEST = 300
_LOOKED_AT = 10_000
"""Characters of a text that are looked at, as its writer decides how long it is: of a message the last, where
its trailers stand; of a description or a comment half of them at its end, where footers stand."""

_ADDRESSES = 100
"""Addresses of a text that are compared."""

_PLAIN = re.compile(rf"[A-Za-z0-9/._~?=&%+:#-]{{1,{_LONGEST}}}")
_AFTER_IT = ".,;:!?_~*&"
"""What ends a sentence, or emphasis, around an address and is no part of it."""


def places(table: AgentTable, key: str = "") -> tuple[str, ...]:
    """Return where sessions are, as the table writes it (host and path): one agent's by its key, or all."""
    signals = table.signals(SignalKind.LINK, SignalKind.TRAILER)
    found = (_place(row) for agent, row in signals if key in ("", agent.key))
    return tuple(dict.fromkeys(filter(None, found)))


def kept_of_text(table: AgentTable) -> Callable[[str], list[str]]:
    """Return what makes of a description or a comment the addresses of sessions that its writer left."""
    known = places(table)

    def kept(text: str) -> list[str]:
        return _first(known, prose(_ends(text)).text)

    return kept


def kept_of_message(table: AgentTable) -> Callable[[str], list[str]]:
    """Return what makes of a commit's message the addresses of sessions in it."""
    known = places(table)

    def kept(message: str) -> list[str]:
        return _first(known, message[-_LOOKED_AT:])

    return kept


def session_url(addresses: Sequence[str], key: str, table: AgentTable) -> str:
    """Return the first of some addresses (`https://…`) that is a session of this agent's; "" if none is."""
    known = places(table, key) if key else ()
    return next((each for each in addresses if _is_in(known, each.removeprefix("https://"))), "")


def _place(row: Signal) -> str:
    if row.kind is SignalKind.LINK:
        return row.value
    # A trailer's value need not be an address at all.
    value = row.value.partition(": ")[2]
    return value.removeprefix("https://") if value.startswith("https://") else ""


def _first(known: Sequence[str], text: str) -> list[str]:
    return list(dict.fromkeys(_in(known, text)))[:MOST]


def _ends(text: str) -> str:
    half = _LOOKED_AT // 2
    return text if len(text) <= _LOOKED_AT else f"{text[:half]}\n\n{text[-half:]}"


def _in(known: Sequence[str], text: str) -> Iterator[str]:
    for _, address in islice(addresses_in(text), _ADDRESSES):
        plain = address.rstrip(_AFTER_IT)
        if _PLAIN.fullmatch(plain) and _is_in(known, plain):
            yield f"https://{plain}"


def _is_in(known: Sequence[str], address: str) -> bool:
    return any(matches(place, address) for place in known)
