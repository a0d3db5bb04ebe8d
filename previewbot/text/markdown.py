"""How the words of the templates are written in a comment: Markdown as GitHub renders it.

https://github.github.com/gfm/ says what is special. `FILTERS` has the same names as those of the page
(`hypertext`) and of a terminal (`plain`), so one template serves all three.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from previewbot.text.unseen import one_line_of, seen

_SPECIAL_RE = re.compile(r"([\\`*_{}\[\]#|~$])")
# What GitHub makes a link of without any sign: GH-12, and words that may be a commit's SHA.
# https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/autolinked-references-and-urls
_ISSUE_RE = re.compile(r"((?<![0-9A-Za-z])GH-)(?=[0-9])", re.IGNORECASE)
# Not a number such as 20261126, nor a word such as "defaced", which people may want to copy.
_SHA_RE = re.compile(r"(?<![0-9a-f])(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{7,}", re.IGNORECASE)


def md(text: object) -> str:
    """Escape a user's text: one line, no HTML, no mention, no autolink.

    A zero-width space after `@`, `#` and `GH-`, within a SHA, and in `://` and `www.` keeps names from being
    notified and addresses from becoming links.
    """
    return _escaped(one_line_of(text))


def unescaped(line: str) -> str:
    """Return a user's text from the line that `md` made of it."""
    text = re.sub(r"\\([\\`*_{}\[\]#|~$])", r"\1", seen(line))
    return text.replace("&lt;", "<").replace("&amp;", "&")


def prose(text: object) -> str:
    """Escape words of ours in which a user's words stand between backquotes: these become code."""
    pieces = re.split(r"`([^`]*)`", one_line_of(text))
    return "".join(code(piece) if at % 2 else _escaped(piece) for at, piece in enumerate(pieces))


def _escaped(line: str) -> str:
    # In this order: an escape that was added by one step must not be escaped by the next.
    line = line.replace("&", "&amp;").replace("<", "&lt;")
    line = _SPECIAL_RE.sub(r"\\\1", line)
    line = line.replace("@", "@\u200b").replace("\\#", "\\#\u200b")
    line = _SHA_RE.sub(_broken, _ISSUE_RE.sub("\\1\u200b", line))
    return line.replace("://", ":\u200b//").replace("www.", "www\u200b.")


def _broken(sha: re.Match[str]) -> str:
    """Break a run of hexadecimal digits after each six: what is left of it must not be a SHA either."""
    digits = sha.group()
    return "\u200b".join(digits[at : at + 6] for at in range(0, len(digits), 6))


def code(text: object) -> str:
    """Write text as an inline code span that no run of backquotes in it can end (CommonMark 6.1)."""
    line = one_line_of(text)
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
    lines = [seen(line) for line in lines]
    longest = max((len(run) for line in lines for run in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join((f"{fence}text", *lines, fence))


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
"""What the templates know, by name."""
