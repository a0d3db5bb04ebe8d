"""What agents write into descriptions: links to their sessions, lines, marks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from previewbot.config.agents import AgentTable, NoAgentKind, Signal, SignalKind
from previewbot.rules.agents.addresses import addresses_in, host_of, matches, shortest
from previewbot.text.prose import GAP, prose

KINDS = (SignalKind.MARKER, SignalKind.LINK, SignalKind.FOOTER)
"""The strongest first: what only the agent's own programme writes, where it works, what it says."""

_LONGEST_LINE = 1_000
# An emoji, emphasis or small print may stand before the words; but a bullet makes them a part of somebody's
# list, and a quotation mark somebody else's words.
_BEFORE = re.compile(
    r"(?![ \t]*[*][ \t])(?:<(?:sub|sup|small|p|div|center|em|i|b|strong|br)(?:\s[^<>]{0,80})?/?>"
    rf"|[ \t*_]|[^\x00-\x7f\w{GAP}“”„‟«»‹›‘’‚‛•‣◦⁃∙·])*",
    re.IGNORECASE,
)


def found_in(description: str, signals: Sequence[Signal]) -> Iterator[Signal]:
    """Yield those of some signals that the description's writer wrote, in the order of the signals."""
    if not description:
        return
    own = prose(description)
    comments = frozenset(own.comments)
    by_host: dict[str, list[Signal]] = {}
    for signal in signals:
        if signal.kind is SignalKind.LINK:
            by_host.setdefault(host_of(signal.value), []).append(signal)
    linked = {
        signal
        for host, address in addresses_in(own.text)
        for signal in by_host.get(host, ())
        if matches(signal.value, address)
    }
    lines = frozenset(_lines(own.text)) if any(one.kind is SignalKind.FOOTER for one in signals) else ()
    for signal in signals:
        if signal.kind is SignalKind.LINK:
            is_there = signal in linked
        elif signal.kind is SignalKind.MARKER:
            is_there = signal.value in comments
        else:
            is_there = any(line.startswith(signal.value.lower()) for line in lines)
        if is_there:
            yield signal


def kept_of(table: AgentTable) -> Callable[[str], str]:
    """Return what makes of a description what of it is kept.

    `recognise` makes as much of that as of the whole. A line at most for each signal of the table, however
    long the description is.
    """
    signals = description_signals(table)

    def kept(description: str) -> str:
        return "\n\n".join(map(_shortest, found_in(description, signals)))

    return kept


def description_signals(table: AgentTable) -> tuple[Signal, ...]:
    """Return all signals of a table that are found in descriptions, the agents' and others'."""
    others = (table.no_agent(kind, *KINDS) for kind in NoAgentKind)
    return (*(signal for _, signal in table.signals(*KINDS)), *(signal for row in others for signal in row))


def is_line_of(line: str, value: str) -> bool:
    """Return whether a line begins with the words of a footer."""
    return _words(line).startswith(value.lower())


def _shortest(signal: Signal) -> str:
    if signal.kind is SignalKind.LINK:
        return shortest(signal.value)
    return f"<!-- {signal.value} -->" if signal.kind is SignalKind.MARKER else signal.value


def _lines(text: str) -> Iterator[str]:
    return map(_words, text.split("\n"))


def _words(line: str) -> str:
    beginning = line[:_LONGEST_LINE]
    before = _BEFORE.match(beginning)
    return beginning[before.end() if before else 0 :].lower()
