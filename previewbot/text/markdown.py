"""How the words of the templates are written in a comment: Markdown as GitHub renders it.

https://github.github.com/gfm/ says what is special. `FILTERS` has the same names as those of the page
(`hypertext`) and of a terminal (`plain`), so one template serves all three.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

_SPECIAL_RE = re.compile(r"([\\`*_{}\[\]#|~$])")


def md(text: object) -> str:
    """Escape a user's text: one line, no HTML, no mention, no autolink.

    A zero-width space after `@`, `#` and in `://` and `www.` keeps names from being notified and addresses
    from becoming links.
    """
    line = " ".join(str(text).split())
    # In this order: an escape that was added by one step must not be escaped by the next.
    line = line.replace("&", "&amp;").replace("<", "&lt;")
    line = _SPECIAL_RE.sub(r"\\\1", line)
    line = line.replace("@", "@\u200b").replace("\\#", "\\#\u200b")
    return line.replace("://", ":\u200b//").replace("www.", "www\u200b.")


def code(text: object) -> str:
    """Write text as an inline code span that no run of backquotes in it can end (CommonMark 6.1)."""
    line = " ".join(str(text).split())
    longest = max((len(run) for run in re.findall(r"`+", line)), default=0)
    # Whoever chooses a branch's name could end the code span with a backquote of their own, and go on with a
    # link or a mention.
    fence = "`" * (longest + 1)
    # One blank on each side is not shown, and without it a backquote at the edge would belong to the fence.
    pad = " " if line.startswith("`") or line.endswith("`") or not line else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def strong(markdown: str) -> str:
    """Return Markdown in bold."""
    return f"**{markdown}**"


def emphasis(markdown: str) -> str:
    """Return Markdown in italics."""
    return f"*{markdown}*"


def link(markdown: str, url: str) -> str:
    """Return a link with this Markdown as its words; without an address, the words alone."""
    return f"[{markdown}]({url})" if url else markdown


def cell(markdown: str) -> str:
    """Return Markdown for a table's cell, which a pipe would end even in a code span (GFM 4.10)."""
    return markdown.replace("|", "\\|")


def command(text: str) -> str:
    """Write a command of ours on a line of its own, to copy."""
    return f"```\n{text}\n```"


def fenced(lines: Sequence[str]) -> str:
    """Write lines as a code block that no run of backquotes in them can end (CommonMark 4.5)."""
    longest = max((len(run) for line in lines for run in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join((f"{fence}text", *lines, fence))


FILTERS: Mapping[str, Callable[..., str]] = MappingProxyType(
    {
        "md": md,
        "code": code,
        "strong": strong,
        "emphasis": emphasis,
        "link": link,
        "cell": cell,
        "command": command,
        "fenced": fenced,
    }
)
"""What the templates know, by name."""
