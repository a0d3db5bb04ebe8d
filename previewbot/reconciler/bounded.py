"""Tables that forget: whatever strangers make us remember, there is an end to it."""

from __future__ import annotations

from collections import OrderedDict
from typing import TypeVar

_K = TypeVar("_K")
_V = TypeVar("_V")


def keep(table: OrderedDict[_K, _V], key: _K, value: _V, most: int) -> None:
    """Put something in as the newest; of more than `most` the oldest are forgotten."""
    table[key] = value
    table.move_to_end(key)
    while len(table) > most:
        table.popitem(last=False)


def look_up(table: OrderedDict[_K, _V], key: _K) -> _V | None:
    """Return what a table has, if it has it; what is asked for is the newest, and forgotten last."""
    if key in table:
        table.move_to_end(key)
    return table.get(key)
