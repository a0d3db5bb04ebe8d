"""Whole answers of GitHub, cut as the adapter cuts them while they arrive."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from previewbot.clients.github.cutting import Cutting, Each, Rule


def cut(rule: Rule, value: Any, *, piece: int = 65_536, ensure_ascii: bool = True) -> Any:
    """Return what a rule keeps of a value that arrives as JSON in pieces of so many bytes."""
    cutting, text = Cutting(rule), json.dumps(value, ensure_ascii=ensure_ascii).encode()
    for start in range(0, len(text), piece):
        cutting.feed(text[start : start + piece])
    return json.loads(cutting.end())


def item_of(rule: Rule) -> Rule:
    """Return the rule of an item, of the rule of a list or of an object with one list in it."""
    if isinstance(rule, Mapping):
        (rule,) = rule.values()
    assert isinstance(rule, Each)
    return rule.item
