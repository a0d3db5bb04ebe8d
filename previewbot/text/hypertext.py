"""How the words of the templates are written on the page: HTML, in which Jinja's autoescape is on.

Every function returns Markup and escapes what is none yet.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from markdown_it import MarkdownIt
from markupsafe import Markup, escape

from previewbot.text.unseen import one_line_of, seen

_BLANK_LINES_RE = re.compile(r"\n\s*\n")


def md(text: object) -> Markup:
    """Escape a user's text, as one line."""
    return escape(one_line_of(text))


def code(text: object) -> Markup:
    """Write text as code."""
    return Markup("<code>{}</code>").format(one_line_of(text))


def prose(text: object) -> Markup:
    """Escape words of ours in which a user's words stand between backquotes: these become code."""
    pieces = re.split(r"`([^`]*)`", one_line_of(text))
    return Markup("").join(code(piece) if at % 2 else piece for at, piece in enumerate(pieces))


def strong(html: str) -> Markup:
    """Return HTML in bold."""
    return Markup("<strong>{}</strong>").format(html)


def emphasis(html: str) -> Markup:
    """Return HTML in italics."""
    return Markup("<em>{}</em>").format(html)


def link(html: str, url: str) -> Markup:
    """Return a link with this HTML as its words; without an address, the words alone."""
    return Markup('<a href="{}">{}</a>').format(url, html) if url else escape(html)


def time(words: str, moment: str, *, relative: bool = False) -> Markup:
    """Return a moment in words, with what a browser reads of it (ISO 8601).

    `relative`: they say how far it is from now, which the page's script keeps true.
    """
    name = Markup(" data-relative") if relative else ""
    return Markup('<time datetime="{}"{}>{}</time>').format(moment, name, words)


def cell(html: str) -> Markup:
    """Return HTML for a table's cell: nothing in it is special."""
    return escape(html)


def command(text: str) -> Markup:
    """Write a command of ours on a line of its own, to copy."""
    return Markup("<pre>{}</pre>").format(text)


def fenced(lines: Sequence[str]) -> Markup:
    """Write lines as they are."""
    return Markup("<pre>{}</pre>").format("\n".join(map(seen, lines)))


def paragraphs(html: str) -> Markup:
    """Wrap what blank lines part, as in Markdown, into paragraphs; a `command` stays as it is."""
    parts = [part.strip() for part in _BLANK_LINES_RE.split(escape(html)) if part.strip()]
    return Markup("\n").join(
        Markup(part) if part.startswith("<pre>") else Markup(f"<p>{part}</p>") for part in parts
    )


_MARKDOWN = MarkdownIt("commonmark", {"html": False}).disable("image")
"""Elements of HTML are text here, and an address that is no page's is no link: nothing of it runs."""


def markdown(text: str) -> Markup:
    """Return Markdown of ours, in which others' words are escaped as for a comment, as HTML."""
    return Markup(_MARKDOWN.render(text))


FILTERS: Mapping[str, Callable[..., str]] = MappingProxyType(
    {
        "md": md,
        "prose": prose,
        "code": code,
        "strong": strong,
        "emphasis": emphasis,
        "link": link,
        "cell": cell,
        "command": command,
        "fenced": fenced,
    }
)
"""What the templates know, by name; see `markdown`."""
