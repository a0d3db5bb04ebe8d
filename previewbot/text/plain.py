"""How the words of the templates are written for a terminal: `kubectl` shows conditions and Events."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType


def md(text: object) -> str:
    """Return a user's text as one line."""
    return " ".join(str(text).split())


def code(text: object) -> str:
    """Return what would be code as one line; backquotes would look like marks of code that begins or ends."""
    return " ".join(str(text).replace("`", "").split())


def same(text: str) -> str:
    """Return what is special elsewhere as it is."""
    return text


def link(text: str, url: str) -> str:
    """Return the words of a link, and behind them its address."""
    # A terminal makes addresses clickable by itself, and kubectl knows no other form of link.
    return f"{text} ({url})" if url else text


def fenced(lines: Sequence[str]) -> str:
    """Return lines as they are."""
    return "\n".join(lines)


FILTERS: Mapping[str, Callable[..., str]] = MappingProxyType(
    {
        "md": md,
        "code": code,
        "strong": same,
        "emphasis": same,
        "link": link,
        "cell": same,
        "command": same,
        "fenced": fenced,
    }
)
"""What the templates know, by name; see `markdown`."""
