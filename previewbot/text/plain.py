"""How the words of the templates are written for a terminal: `kubectl` shows conditions and Events."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from previewbot.text.unseen import seen


def md(text: object) -> str:
    """Return a user's text as one line, without what cannot be seen: a terminal would obey it."""
    return " ".join(filter(None, map(_visible, str(text).split())))


def code(text: object) -> str:
    """Return what would be code as one line; backquotes would look like marks of code that begins or ends."""
    return md(str(text).replace("`", ""))


def prose(text: object) -> str:
    """Return words of ours as one line; the backquotes around a user's words set these apart here, too."""
    return md(text)


def same(text: str) -> str:
    """Return what is special elsewhere as it is."""
    return text


def link(text: str, url: str) -> str:
    """Return the words of a link, and behind them its address."""
    # A terminal makes addresses clickable by itself, and kubectl knows no other form of link.
    return f"{md(text)} ({_visible(url)})" if url else md(text)


def fenced(lines: Sequence[str]) -> str:
    """Return lines as they are, but for what cannot be seen."""
    return "\n".join(map(_visible, lines))


def _visible(text: str) -> str:
    return "".join(char for char in seen(text) if char.isprintable())


FILTERS: Mapping[str, Callable[..., str]] = MappingProxyType(
    {
        "md": md,
        "prose": prose,
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
