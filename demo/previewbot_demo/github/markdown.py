"""Comments as GitHub shows them: its Markdown, with very little HTML, all of it sanitised.

The subset is CommonMark with tables, strikethrough (https://github.github.com/gfm/) and alerts; as in all
comments of GitHub's, a new line is a new line. Of HTML, authors may write `<details>`, `<summary>`, `<br>`,
`<sub>` and `<img>`; comments in HTML are not shown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from html.parser import HTMLParser

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

_AUTHORS_MAY = frozenset({"details", "summary", "br", "sub", "img"})
_RENDERED = frozenset({"p", "a", "b", "i", "em", "strong", "s", "del", "code", "pre", "blockquote"}) | {
    *("ul", "ol", "li", "hr", "h1", "h2", "h3", "h4", "h5", "h6"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
_VOID = frozenset({"br", "hr", "img"})
_SILENT = frozenset({"script", "style", "title", "textarea", "iframe", "noscript"})
_ATTRIBUTES = {
    "a": ("href", "title"),
    "img": ("src", "alt", "title", "width"),
    "details": ("open",),
    "code": ("class",),
    "blockquote": ("class",),
    "ol": ("start",),
    "th": ("style",),
    "td": ("style",),
}
_SAFE_URL = re.compile(r"(?:https?:|mailto:|[#/])", re.IGNORECASE)
_ALIGNMENT = re.compile(r"text-align:(?:left|right|center)")
_ALERT = re.compile(r"\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]")
_CLASS_OF_ALERT = re.compile(r"alert-[a-z]+")
_LANGUAGE = re.compile(r"language-[\w+-]+")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)


class _Sanitiser(HTMLParser):
    """Copies text and what is allowed of tags; what is left open is closed, a stray end is dropped."""

    def __init__(self, allowed: frozenset[str], *, balance: bool) -> None:
        super().__init__(convert_charrefs=True)
        self._allowed = allowed
        self._balance = balance
        self._open: list[str] = []
        self._silenced = 0
        self.out: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silenced += 1
        if tag not in self._allowed:
            return
        kept = [(n, v or "") for n, v in attrs if n in _ATTRIBUTES.get(tag, ()) and _safe(n, v or "")]
        if tag == "img" and "src" not in dict(kept):
            return
        words = "".join(f' {name}="{escape(value)}"' for name, value in kept)
        rel = ' rel="nofollow noopener"' if tag == "a" else ""
        self.out.append(f"<{tag}{words}{rel}>")
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silenced = max(0, self._silenced - 1)
        if tag not in self._allowed or tag in _VOID:
            return
        if not self._balance:
            self.out.append(f"</{tag}>")
        elif tag in self._open:
            while self._open:
                last = self._open.pop()
                self.out.append(f"</{last}>")
                if last == tag:
                    break

    def handle_data(self, data: str) -> None:
        if not self._silenced:
            self.out.append(escape(data, quote=False))

    def result(self) -> str:
        """Return what was copied."""
        self.close()
        if self._balance:
            self.out += [f"</{tag}>" for tag in reversed(self._open)]
        return "".join(self.out)


def sanitise(html: str, allowed: frozenset[str] = _AUTHORS_MAY | _RENDERED, *, balance: bool = True) -> str:
    """Return the HTML with nothing but allowed tags and attributes, no comments, and every tag closed."""
    parser = _Sanitiser(allowed, balance=balance)
    parser.feed(_COMMENT.sub("", html))
    return parser.result()


def render(text: str) -> str:
    """Return a comment as HTML that is safe to put into a page."""
    return sanitise(str(_parser().render(text)))


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": True, "breaks": True}).enable(["table", "strikethrough"])
    parser.core.ruler.push("alerts", _alerts)
    parser.add_render_rule("html_block", _authors_html)
    parser.add_render_rule("html_inline", _authors_html)
    return parser


def _alerts(state: StateCore) -> None:
    """Make alerts of quotations whose first line says so, each with its kind as a heading."""
    for quotation, paragraph, text in zip(state.tokens, state.tokens[1:], state.tokens[2:], strict=False):
        if (quotation.type, paragraph.type) != ("blockquote_open", "paragraph_open"):
            continue
        found = _ALERT.fullmatch(text.content.partition("\n")[0])
        if found is None or not text.children:
            continue
        quotation.attrSet("class", f"alert-{found[1].lower()}")
        opens, closes = Token("strong_open", "strong", 1), Token("strong_close", "strong", -1)
        kind = Token("text", "", 0, content=found[1].capitalize())
        ends = next((at for at, each in enumerate(text.children) if each.type == "softbreak"), None)
        rest = text.children[ends:] if ends is not None else []
        text.children = [opens, kind, closes, *rest]


def _authors_html(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    """Render HTML that an author wrote; tags may be closed in another piece, so nothing is closed here."""
    return sanitise(tokens[index].content, _AUTHORS_MAY, balance=False)


def _safe(name: str, value: str) -> bool:
    if name in ("href", "src"):
        return _SAFE_URL.match(value) is not None
    if name == "width":
        return value.isdigit()
    if name == "style":
        return _ALIGNMENT.fullmatch(value) is not None
    if name == "class":
        return any(kind.fullmatch(value) for kind in (_LANGUAGE, _CLASS_OF_ALERT))
    return True
