"""Every text a person reads, from `templates/`: the comment, the answers to commands, the page.

Text from users is escaped for the place it goes to: the filters `md` (Markdown, HTML, mentions) and `code`
(an inline code span) for comments, Jinja's autoescape for pages.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from previewbot.preview import Preview
from previewbot.timing import format_duration

COMMENT_LIMIT = 65_536
"""GitHub's limit of a comment, in characters."""

_MARKER_RE = re.compile(r"\A<!-- previewbot (status|reply) ([a-z0-9= -]*?) ?-->")
_FIELD_RE = re.compile(r"([a-z-]+)=([a-z0-9-]+)")
_LINK_RE = re.compile(r"\[((?:[^\[\]\\]|\\.)*)\]\(<?([^()<>\s]*)>?\)")
_HEADLINE_LIMIT = 300
"""In characters: an Event's note may have 1,024 bytes, and a character up to four."""

_MD_RE = re.compile(r"([\\`*_{}\[\]#|~$])")


@dataclass(frozen=True)
class View:
    """What the texts are rendered from; `session_link` hands the header to the browser extension."""

    preview: Preview
    page_url: str
    pull_request_url: str
    header: str
    session_link: str | None = None


@dataclass(frozen=True)
class Marker:
    """The hidden first line of our comments: which kind, and the command handled last or answered."""

    kind: Literal["status", "reply"]
    key: str = ""
    command: int = 0
    reply_to: int = 0


def parse_marker(body: str) -> Marker | None:
    """Return the marker that a comment begins with. Anybody can quote one: check the author too."""
    found = _MARKER_RE.match(body)
    if found is None:
        return None
    fields = dict(_FIELD_RE.findall(found[2]))
    kind: Literal["status", "reply"] = "status" if found[1] == "status" else "reply"
    return Marker(
        kind=kind,
        key=fields.get("key", ""),
        command=_number(fields.get("command")),
        reply_to=_number(fields.get("reply-to")),
    )


def comment_hash(body: str) -> str:
    """Return the hash of a comment's text without its marker: only a change of the text is an edit."""
    text = _MARKER_RE.sub("", body.replace("\r\n", "\n"), count=1).strip()
    return hashlib.sha256(text.encode()).hexdigest()


def headline(body: str) -> str:
    """Return what a comment says first, as plain text for a terminal: no marker, no Markdown, one line."""
    lines = _MARKER_RE.sub("", body.replace("\r\n", "\n"), count=1).splitlines()
    first = next((line for line in lines if line.strip()), "")
    plain = _LINK_RE.sub(r"\1 (\2)", first.lstrip("# "))
    plain = re.sub(r"\*\*|(?<!\\)`+", "", plain)
    plain = re.sub(r"\\([^\w\s])", r"\1", plain).replace("\u200b", "")
    return html.unescape(" ".join(plain.split()))[:_HEADLINE_LIMIT]


def md(text: object) -> str:
    """Escape text for Markdown as GitHub renders it: one line, no HTML, no mention, no autolink.

    A zero-width space after `@`, `#` and in `://` and `www.` keeps names from being notified and addresses
    from becoming links; https://github.github.com/gfm/ says what else is special.
    """
    line = " ".join(str(text).split())
    line = line.replace("&", "&amp;").replace("<", "&lt;")
    line = _MD_RE.sub(r"\\\1", line)
    line = line.replace("@", "@\u200b").replace("\\#", "\\#\u200b")
    return line.replace("://", ":\u200b//").replace("www.", "www\u200b.")


def code(text: object) -> str:
    """Write text as an inline code span that no run of backquotes in it can end (CommonMark 6.1)."""
    line = " ".join(str(text).split())
    longest = max((len(run) for run in re.findall(r"`+", line)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if line.startswith("`") or line.endswith("`") or not line else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def cell(markdown: str) -> str:
    """Return Markdown for a table's cell, which a pipe would end even in a code span (GFM 4.10)."""
    return markdown.replace("|", "\\|")


def fenced(lines: Sequence[str]) -> str:
    """Write lines as a code block that no run of backquotes in them can end (CommonMark 4.5)."""
    longest = max((len(run) for line in lines for run in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join((f"{fence}text", *lines, fence))


def when(moment: datetime | None) -> str:
    """Write a moment absolutely, with its zone: a comment is not redrawn as time passes."""
    return moment.astimezone(UTC).strftime("%a %d %b, %H:%M UTC") if moment else ""


def templates_directory() -> Path:
    """Return the folder of the templates: inside the installed package, or in the checkout."""
    packaged = Path(str(files("previewbot"))) / "templates"
    return packaged if packaged.is_dir() else packaged.parent.parent / "templates"


class Renderer:
    """Renders the templates; the same values give the same text."""

    def __init__(self, directory: Path | None = None) -> None:
        loader = FileSystemLoader(directory or templates_directory())
        self._text = _environment(loader, autoescape=False)
        self._html = _environment(loader, autoescape=True)

    def comment(self, view: View) -> str:
        """Return the status comment, marker included, within GitHub's limit."""
        commands = view.preview.status.commands
        last = max([commands.floor, *commands.handled])
        marker = f"<!-- previewbot status key={view.preview.spec.environment_key} command={last} -->"
        text = self._text.get_template("comment.md").render(view=view, p=view.preview, s=view.preview.status)
        return f"{marker}\n{_tidy(text)}"[:COMMENT_LIMIT]

    def reply(self, kind: str, values: Mapping[str, str], comment_id: int, view: View) -> str:
        """Return the words that answer a command, marked so that they are given once."""
        text = self._text.get_template(f"replies/{kind}.md").render(
            view=view, p=view.preview, s=view.preview.status, **_typed(values)
        )
        return f"<!-- previewbot reply reply-to={comment_id} -->\n{_tidy(text)}"[:COMMENT_LIMIT]

    def page(self, view: View | None, page_url: str, pull_request_url: str | None = None) -> str:
        """Return the HTML of a preview's page; without a view, the page that says there is none now."""
        name = "page.html" if view else "no_preview.html"
        return self._html.get_template(name).render(
            view=view,
            p=view.preview if view else None,
            s=view.preview.status if view else None,
            page_url=page_url,
            pull_request_url=pull_request_url,
        )

    def style_source(self) -> str:
        """Return the pages' one style as a Content-Security-Policy names it: by its hash."""
        style = self._html.get_template("page.css").render()
        return f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'"

    def html(self, template: str, **values: object) -> str:
        """Return another HTML page, escaped as all are."""
        return self._html.get_template(template).render(**values)


def _environment(loader: FileSystemLoader, *, autoescape: bool) -> Environment:
    environment = Environment(
        loader=loader,
        autoescape=autoescape,  # noqa: S701 - off for Markdown only, which has filters of its own
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    environment.filters |= {
        "md": md,
        "code": code,
        "cell": cell,
        "fenced": fenced,
        "when": when,
        "duration": _duration,
        "short": _short,
    }
    return environment


def _duration(seconds: int) -> str:
    return format_duration(timedelta(seconds=seconds))


def _short(sha: str) -> str:
    return sha[:7]


def _typed(values: Mapping[str, str]) -> dict[str, object]:
    """Values are stored as text; a moment among them is written as people read it."""
    return {key: datetime.fromisoformat(value) if key == "until" else value for key, value in values.items()}


def _tidy(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else 0
