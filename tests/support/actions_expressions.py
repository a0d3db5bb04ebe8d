"""Expressions of GitHub Actions, as far as the workflows here use them.

https://docs.github.com/en/actions/reference/workflows-and-actions/expressions
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_TOKENS = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<sign>==|!=|&&|\|\||[!(),])|(?P<name>[A-Za-z_][\w.*-]*))"
)
_EMBEDDED = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)


@dataclass(frozen=True)
class Contexts:
    """What expressions may name: contexts by their name, and functions without arguments."""

    values: Mapping[str, Any]
    functions: Mapping[str, Callable[[], bool]]


def filled(text: str, contexts: Contexts) -> str:
    """Return a text with its `${{ }}` put in."""
    return _EMBEDDED.sub(lambda found: as_text(value_of(found[1], contexts)), text)


def as_text(value: Any) -> str:
    """Return a value as GitHub writes it into a text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def value_of(expression: str, contexts: Contexts) -> Any:
    """Return what an expression is; raises ValueError for one that is none of those known here."""
    return _Reader(expression, contexts).whole()


class _Reader:
    def __init__(self, expression: str, contexts: Contexts) -> None:
        self._contexts = contexts
        self._tokens: list[str] = []
        place, end = 0, len(expression.rstrip())
        while place < end:
            found = _TOKENS.match(expression, place)
            if found is None:
                raise ValueError(f"{expression!r} is not understood at {expression[place:]!r}")
            self._tokens.append(found[0].strip())
            place = found.end()

    def whole(self) -> Any:
        value = self._either()
        if self._tokens:
            raise ValueError(f"{self._tokens[0]!r} is one too many")
        return value

    def _either(self) -> Any:
        value = self._both()
        while self._take("||"):
            other = self._both()
            value = value or other
        return value

    def _both(self) -> Any:
        value = self._compared()
        while self._take("&&"):
            other = self._compared()
            value = value and other
        return value

    def _compared(self) -> Any:
        value = self._one()
        for sign, wanted in (("==", True), ("!=", False)):
            if self._take(sign):
                # Texts are compared without case, and nothing is an empty text.
                return (as_text(value).lower() == as_text(self._one()).lower()) is wanted
        return value

    def _one(self) -> Any:
        if self._take("!"):
            return not self._one()
        if self._take("("):
            value = self._either()
            if not self._take(")"):
                raise ValueError("a bracket is not closed")
            return value
        token = self._tokens.pop(0)
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if self._take("("):
            if token == "contains":
                return self._contains()
            if not self._take(")"):
                raise ValueError(f"{token} takes no arguments here")
            return self._contexts.functions[token]()
        return self._named(token)

    def _contains(self) -> bool:
        """Return whether a list has a value, after `contains(`."""
        values = self._either()
        if not isinstance(values, list) or not self._take(","):
            raise ValueError("contains is known here for lists alone")
        wanted = as_text(self._either()).lower()
        if not self._take(")"):
            raise ValueError("a bracket is not closed")
        return wanted in [as_text(value).lower() for value in values]

    def _named(self, token: str) -> Any:
        first, *rest = token.split(".")
        if first not in self._contexts.values:
            raise ValueError(f"there is no context {first!r}")
        value = self._contexts.values[first]
        for name in rest:
            if name == "*" and isinstance(value, Mapping):
                value = list(value.values())
            elif isinstance(value, list):
                value = [each.get(name) for each in value]
            else:
                value = value.get(name) if isinstance(value, Mapping) else None
        return value

    def _take(self, sign: str) -> bool:
        if self._tokens and self._tokens[0] == sign:
            self._tokens.pop(0)
            return True
        return False
