"""The paragraphs of a comment in Markdown, less what is quoted or code.

The rules are CommonMark's (https://spec.commonmark.org/0.31.2/#blocks-and-inlines), of which only this much
is needed: where a paragraph begins and ends, and in what it stands. Every line is looked at a bounded number
of times, whatever somebody wrote.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field

_LINE_END = re.compile(r"\r\n|\n|\r")
_FENCE = re.compile(r"(`{3,})[^`]*$|(~{3,})")
_ITEM = re.compile(r"([-+*]|\d{1,9}[.)])( +|$)")
_RULE = re.compile(r"(?:\*[ ]*){3,}$|(?:-[ ]*){3,}$|(?:_[ ]*){3,}$")
_HEADING = re.compile(r"#{1,6}(?= |$)")
_UNDERLINE = re.compile(r"(?:=+|-+) *$")
_COMMENT_END = re.compile(r"-->")
_OF_TEXT = "(?:pre|script|style|textarea)"
_RAW = (
    (re.compile(rf"<{_OF_TEXT}(?=[\s>]|$)", re.I), re.compile(rf"</{_OF_TEXT}>", re.I)),
    (re.compile(r"<!--"), _COMMENT_END),
    (re.compile(r"<\?"), re.compile(r"\?>")),
    (re.compile(r"<!\[CDATA\["), re.compile(r"\]\]>")),
    (re.compile(r"<![A-Za-z]"), re.compile(r">")),
)
"""Blocks of HTML in which nothing else means anything, by what begins and what ends them."""

_TAG_BEGINS = re.compile(
    r"</?(?:address|article|aside|base|basefont|blockquote|body|caption|center|col|colgroup|dd|details|dialog"
    r"|dir|div|dl|dt|fieldset|figcaption|figure|footer|form|frame|frameset|h[1-6]|head|header|hr|html|iframe"
    r"|legend|li|link|main|menu|menuitem|nav|noframes|ol|optgroup|option|p|param|search|section|summary"
    r"|table|tbody|td|tfoot|th|thead|title|tr|track|ul)(?:\s|/?>|$)",
    re.IGNORECASE,
)
_TAG_ALONE = re.compile(
    r"</[a-z][a-z0-9-]*+\s*+>\s*$"
    r"|<[a-z][a-z0-9-]*+(?:\s++[a-z_:][\w.:-]*+(?:\s*+=\s*+(?:[^\s\"'=<>`]++|'[^']*+'|\"[^\"]*+\"))?)*\s*+/?>\s*$",
    re.IGNORECASE,
)
"""What begins a block of HTML that goes on to the next blank line: the second not within a paragraph."""

_HIDES, _SHOWS = "<!--", "-->"

_DEEPEST = 20
"""So many quotes and lists stand in each other at most; what is deeper is read as text of the last one."""


@dataclass
class Paragraph:
    """Lines that belong together; `apart` says of each whether it is in a list, or carries on a quote.

    `is_html`: it is a block of HTML, which goes into the page as it is.
    """

    lines: list[str] = field(default_factory=list)
    apart: list[bool] = field(default_factory=list)
    is_html: bool = False

    def add(self, line: str, apart: bool) -> None:
        """Add a line."""
        self.lines.append(line)
        self.apart.append(apart)


@dataclass(frozen=True)
class _Container:
    """A quote, or an item of a list whose lines are indented by so many columns."""

    indent: int = 0

    @property
    def is_quote(self) -> bool:
        return not self.indent


def paragraphs(body: str) -> Iterator[Paragraph]:
    """Yield the paragraphs of a text that are neither quoted nor code, with their headings' text as well."""
    scanner = _Scanner()
    for line in _LINE_END.split(body):
        yield from scanner.read(line.expandtabs(4))
    yield from scanner.close()


class _Scanner:
    """Reads one line after the other; what is open at the moment is what the next line may carry on."""

    def __init__(self) -> None:
        self._containers: list[_Container] = []
        self._paragraph: Paragraph | None = None
        self._fence = ""
        self._raw_end: re.Pattern[str] | None = None
        self._in_html = False

    def read(self, line: str) -> Iterator[Paragraph]:
        """Read the next line, its tabs as spaces; yield what ended before it."""
        matched, rest = self._matching(line)
        if matched < len(self._containers) and not self._carries_on(rest):
            yield from self._cut(matched)
        elif matched < len(self._containers):
            # Without its mark the line is a part of the quote or the item all the same.
            self._text(rest, lazy=True)
            return
        if self._fence:
            self._in_fence(rest)
            return
        if self._raw_end is not None:
            yield from self._in_raw(rest)
            return
        if self._in_html and rest.strip(" "):
            # No quote, list or code begins in it.
            self._text(rest)
            return
        rest = yield from self._open(rest)
        yield from self._leaf(rest)

    def close(self) -> Iterator[Paragraph]:
        """Yield what is open at the end."""
        if self._paragraph is not None and any(self._paragraph.lines):
            yield self._paragraph
        self._paragraph, self._in_html = None, False

    def _matching(self, line: str) -> tuple[int, str]:
        """Return how many of the open containers a line is in, and what of it is inside them."""
        for index, container in enumerate(self._containers):
            bare = line.lstrip(" ")
            indent = len(line) - len(bare)
            if container.is_quote and indent < 4 and bare.startswith(">"):
                line = bare[1:].removeprefix(" ")
            elif not container.is_quote and (not bare or indent >= container.indent):
                line = line[container.indent :]
            else:
                return index, line
        return len(self._containers), line

    def _carries_on(self, rest: str) -> bool:
        return self._paragraph is not None and not self._in_html and not _begins_a_block(rest)

    def _cut(self, count: int) -> Iterator[Paragraph]:
        """Leave the containers behind the first so many; what is open in them ends."""
        yield from self.close()
        del self._containers[count:]
        if self._raw_end is not None and self._raw_end is not _RAW[0][1]:
            # The block ends with the quote or item, and what it hides in the page does not.
            yield Paragraph([_HIDES], [True], is_html=True)
        self._fence, self._raw_end = "", None

    def _open(self, rest: str) -> Generator[Paragraph, None, str]:
        """Go into the quotes and items that a line opens; return what of it is inside."""
        while len(self._containers) < _DEEPEST:
            bare = rest.lstrip(" ")
            indent = len(rest) - len(bare)
            if indent >= 4:
                return rest
            if bare.startswith(">"):
                yield from self.close()
                self._containers.append(_Container())
                rest = bare[1:].removeprefix(" ")
                continue
            item = None if _RULE.match(bare) else _ITEM.match(bare)
            if item is None or (self._paragraph is not None and not _may_interrupt(bare, item)):
                return rest
            yield from self.close()
            mark, gap = item.group(1), len(item.group(2))
            # Of five spaces and more all but one belong to code in the item.
            gap = gap if 1 <= gap <= 4 else 1
            self._containers.append(_Container(indent + len(mark) + gap))
            rest = bare[len(mark) + gap :]
        return rest

    def _leaf(self, rest: str) -> Iterator[Paragraph]:
        bare = rest.lstrip(" ")
        if not bare.strip(" "):
            yield from self.close()
            return
        if len(rest) - len(bare) >= 4 and self._paragraph is None:
            return
        if len(rest) - len(bare) >= 4:
            self._text(rest)
            return
        fence, raw = _FENCE.match(bare), _raw_end(bare)
        if fence is not None:
            yield from self.close()
            self._fence = fence.group(1) or fence.group(2)
        elif raw is not None:
            yield from self.close()
            self._raw_end = raw
            # The end may stand in the line that begins it, but not in its first marks.
            yield from self._in_raw(bare[2:])
        elif _TAG_BEGINS.match(bare) or (self._paragraph is None and _TAG_ALONE.match(bare)):
            yield from self.close()
            self._text(rest)
            self._in_html = True
            if self._paragraph is not None:
                self._paragraph.is_html = True
        elif _RULE.match(bare) or (self._paragraph is not None and _UNDERLINE.match(bare)):
            yield from self.close()
        elif heading := _HEADING.match(bare):
            yield from self.close()
            self._text(bare[heading.end() :].rstrip("# "))
            yield from self.close()
        else:
            self._text(rest)

    def _text(self, line: str, *, lazy: bool = False) -> None:
        quoted = any(container.is_quote for container in self._containers)
        if self._paragraph is None:
            self._paragraph = Paragraph()
        # What is quoted is somebody else's. It is kept as an empty line, since the next may carry it on.
        self._paragraph.add("" if quoted and not lazy else line, apart=bool(self._containers))

    def _in_fence(self, rest: str) -> None:
        bare = rest.strip(" ")
        closes = len(bare) >= len(self._fence) and not bare.strip(self._fence[0])
        if closes and len(rest) - len(rest.lstrip(" ")) < 4:
            self._fence = ""

    def _in_raw(self, rest: str) -> Iterator[Paragraph]:
        assert self._raw_end is not None
        end = self._raw_end.search(rest)
        if end is None:
            return
        self._raw_end, shown = None, rest[end.end() :]
        if shown.rfind(_HIDES) > shown.rfind(_SHOWS):
            # Such a block goes into the page as it is, so what begins here hides what comes until it ends.
            self._raw_end, shown = _COMMENT_END, shown[: shown.rfind(_HIDES)]
        # What stands behind a hidden remark is shown.
        if shown.strip(" "):
            self._text(shown)
            yield from self.close()


def _raw_end(bare: str) -> re.Pattern[str] | None:
    return next((end for begin, end in _RAW if begin.match(bare)), None)


def _may_interrupt(bare: str, item: re.Match[str]) -> bool:
    """Return whether an item may begin in the middle of a paragraph: not an empty one, nor one from 2 on."""
    return bool(bare[item.end() :].strip(" ")) and (
        not item.group(1)[0].isdigit() or item.group(1)[:-1] == "1"
    )


def _begins_a_block(rest: str) -> bool:
    """Return whether a line cannot carry on a paragraph without the mark of the quote or item it is in."""
    bare = rest.lstrip(" ")
    if not bare:
        return True
    if len(rest) - len(bare) >= 4:
        return False
    item = _ITEM.match(bare)
    return bool(
        bare.startswith(">")
        or _FENCE.match(bare)
        or _HEADING.match(bare)
        or _RULE.match(bare)
        or _raw_end(bare)
        or _TAG_BEGINS.match(bare)
        or (item is not None and _may_interrupt(bare, item))
    )
