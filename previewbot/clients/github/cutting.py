"""Cuts a JSON answer down to what a rule keeps of it while it arrives, so that the whole is never in memory.

The parser is yajl, by way of ijson (https://github.com/ICRAR/ijson): it takes an answer in pieces, and at any
moment holds one text of it at most. The rules are in `kept`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from ijson.backends import yajl2_c
from ijson.common import JSONError

MOST_BYTES = 128 * 1024 * 1024
"""Bytes that are read of one answer. A hundred comments of 65,536 characters have 79 million where each
character is written as two escapes."""

MOST_KEPT = 2 * 1024 * 1024
"""Characters that are kept of one answer; a configuration file, 1 MB at most, has 1.4 million in base64."""

LONGEST_TEXT = 1536 * 1024
"""Bytes of one text of an answer: it is held, and decoded at one go, which takes up to 60 ns for a byte."""

_COUNTS = 16
"""What a value counts beside the characters of a text."""


class TooMuch(Exception):
    """An answer is larger than is read of one; says in which way."""


@dataclass(frozen=True)
class Each:
    """A list of which every item is cut by the same rule."""

    item: Rule


@dataclass(frozen=True)
class TextOr:
    """What may be an object, of which these fields are kept, or a text, cut by a function."""

    text: Callable[[str], Any]
    fields: Mapping[str, Rule]


Rule: TypeAlias = "Mapping[str, Rule] | Each | TextOr | Callable[[str], Any] | None"
"""How a value is cut: an object to these fields, a list item by item, a text by a function; None keeps a text
or a number as it is."""


class Cutting:
    """One answer: `feed` it piece by piece, then `end`.

    Both raise ValueError for what is no JSON or has a number of more than 64 bits, and TooMuch.
    """

    def __init__(self, rule: Rule) -> None:
        self._keeper = _Keeper(rule)
        # With `use_float` the parser refuses a number that fits into no 64 bits. Without it Python makes them
        # of their digits, and refuses more than 4,300 (measured, ijson 3.6): the parser goes on with an error
        # pending, which ends in a SystemError, or takes the process with it.
        self._parser = yajl2_c.basic_parse_coro(self._keeper, use_float=True)
        self._read = 0

    def feed(self, piece: bytes) -> None:
        """Take the next piece."""
        if not piece:
            return
        self._read += len(piece)
        if self._read > MOST_BYTES:
            raise TooMuch(f"more than {MOST_BYTES // 2**20} MiB")
        before = self._keeper.events
        try:
            self._parser.send(piece)
        except JSONError as error:
            raise ValueError("not JSON") from error
        # No event means that all of this piece is inside of one text, or of a number.
        self._keeper.silent = 0 if self._keeper.events != before else self._keeper.silent + len(piece)
        if self._keeper.silent > LONGEST_TEXT:
            raise TooMuch(f"a text in it has more than {LONGEST_TEXT // 1024} KiB")

    def end(self) -> bytes:
        """Return what is kept, as JSON; nothing of nothing."""
        if not self._read:
            return b""
        try:
            self._parser.close()
        except JSONError as error:
            raise ValueError("not JSON, or not all of it") from error
        return json.dumps(self._keeper.kept).encode()


class _Dropped:
    """The rule of what is not kept."""


_DROPPED = _Dropped()
_BEGINNINGS: Mapping[str, Callable[[], Any]] = {"start_map": dict, "start_array": list}
_ENDS = frozenset({"end_map", "end_array"})


class _Open:
    """An object or a list that has begun and not ended."""

    def __init__(self, value: Any, rule: Rule) -> None:
        self.value = value
        self._is_object = isinstance(value, dict)
        rule = rule.fields if isinstance(rule, TextOr) else rule
        # What is of another kind than the rule expects is kept empty: `parse` says what is wrong with it.
        self._fields = rule if self._is_object and isinstance(rule, Mapping) else {}
        self.next: Any = rule.item if not self._is_object and isinstance(rule, Each) else _DROPPED
        self._name = ""
        self._is_empty = True

    def name(self, name: str) -> None:
        """Take the name of the value that comes next."""
        self._name, self._is_empty = name, False
        self.next = self._fields.get(name, _DROPPED)

    def add(self, value: Any) -> None:
        """Take the value that came next."""
        if self._is_object:
            self.value[self._name] = value
        else:
            self.value.append(value)

    def end(self) -> None:
        """Take the end."""
        if not self._is_empty and not self.value:
            # Nothing of it is kept, but it must not look like the empty object that GitHub sends for nobody.
            self.value["…"] = None


class _Keeper:
    """Takes the parser's events one by one, and keeps in `kept` what the rule says."""

    def __init__(self, rule: Rule) -> None:
        self.kept: Any = None
        self.events = 0
        self.silent = 0
        self._rule = rule
        self._size = 0
        self._open: list[_Open] = []
        self._depth_dropped = 0

    def send(self, event: tuple[str, Any]) -> None:
        """Take an event: its kind, and the name or the value it tells of."""
        kind, value = event
        self.events += 1
        if self._depth_dropped:
            self._depth_dropped += (kind in _BEGINNINGS) - (kind in _ENDS)
        elif kind == "map_key":
            self._open[-1].name(value)
        elif kind in _ENDS:
            self._open.pop().end()
        else:
            self._value(kind, value, self._open[-1].next if self._open else self._rule)

    def _value(self, kind: str, value: Any, rule: Any) -> None:
        begins = _BEGINNINGS.get(kind)
        if rule is _DROPPED:
            self._depth_dropped = 1 if begins else 0
        elif begins:
            begun = begins()
            self._keep(begun)
            self._open.append(_Open(begun, rule))
        else:
            self._keep(_cut(rule, value))

    def _keep(self, value: Any) -> None:
        self._size += _COUNTS + _length(value)
        if self._size > MOST_KEPT:
            raise TooMuch(f"what is needed of it has more than {MOST_KEPT // 2**20} million characters")
        if self._open:
            self._open[-1].add(value)
        else:
            self.kept = value


def _cut(rule: Any, value: Any) -> Any:
    rule = rule.text if isinstance(rule, TextOr) else rule
    return rule(value) if callable(rule) and isinstance(value, str) else value


def _length(value: Any) -> int:
    if isinstance(value, dict):
        return sum(map(len, value.values()))
    return len(value) if isinstance(value, str) else 0
