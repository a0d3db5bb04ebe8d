"""What of a Markdown text its writer says in their own words: without quotes, code and comments of HTML.

Whoever quotes somebody, shows code or leaves an old template in a comment does not sign with it. The blocks
are those of https://github.github.com/gfm/, read line by line: where it is doubtful whether something is code
it is taken for code. The time is linear in the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from previewbot.text.code_spans import CodeSpans

GAP = "\ufffc"
"""Stands where something was taken out, so that what is left of it and right of it never meet."""

_FENCE = re.compile(r"[ \t]*(?:(?:[-*+]|[0-9]{1,9}[.)])[ \t]+)*(`{3,}(?=[^`]*$)|~{3,})")
_ITEM = re.compile(r"[ \t]*(?:[-*+]|[0-9]{1,9}[.)])(?:[ \t]+|$)")
_QUOTE = re.compile(r"[ \t]*(?:(?:[-*+]|[0-9]{1,9}[.)])[ \t]+)*>")
# What begins a block of its own, so that it does not go on with a quote above it.
_BLOCK = re.compile(
    r"[ ]{0,3}(?:#{1,6}(?:[ \t]|$)|(?:[-*_][ \t]*){3,}$|[-*+][ \t]|1[.)][ \t]|"
    r"<(?:!--|/?(?:details|div|h[1-6]|hr|ol|p|section|table|ul)\b))",
    re.IGNORECASE,
)
# What is folded away is what somebody pasted: release notes, a transcript, the words that were asked for.
_TAGS = ("pre", "code", "blockquote", "kbd", "samp", "q", "details")
_OPENING = re.compile(rf"`+|<!--|<(?P<tag>{'|'.join(_TAGS)})(?=[\s>/])", re.IGNORECASE)
_END_OF_COMMENT = re.compile("-->")
_ENDS = {tag: re.compile(f"</{tag}", re.IGNORECASE) for tag in _TAGS}
_INDENTED = 4
_TAB = 4


@dataclass(frozen=True)
class Prose:
    """A writer's own words, with a `GAP` for all that is not, and comments of HTML that stood among them."""

    text: str
    comments: tuple[str, ...]


def prose(markdown: str) -> Prose:
    """Return what of a text is its writer's own words."""
    reader = _Reader()
    # As CommonMark has it, lines end with these three and nothing else.
    for line in re.split(r"\r\n|\n|\r", markdown):
        reader.take(line)
    return reader.end()


@dataclass
class _Reader:
    """Reads line by line; a paragraph is looked through once it is whole, since code may span its lines."""

    out: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    _paragraph: list[str] = field(default_factory=list)
    _fence: str = ""
    # What a comment or an element that is still open ends with, and what of it was read.
    _until: re.Pattern[str] | None = None
    _inside: list[str] = field(default_factory=list)
    _quoted: bool = False
    _item: int = 0

    def take(self, line: str) -> None:
        """Take a line."""
        if self._until:
            self._within(line)
        elif self._fence:
            self._within_fence(line)
        else:
            self._outside(line)

    def end(self) -> Prose:
        """Return what was found."""
        self._flush()
        return Prose("\n".join(self.out), tuple(self.comments))

    def _outside(self, line: str) -> None:
        if self._ends_paragraph(line):
            self._flush()
            if self._until:
                self._within(line)
                return
        if not line.strip():
            self._quoted = False
            self.out.append("")
        elif fence := _FENCE.match(line):
            self._fence, self._quoted = fence[1], False
            self.out.append(GAP)
        elif _QUOTE.match(line):
            self._quoted = True
            self.out.append(GAP)
        elif self._quoted and not _BLOCK.match(line):
            # A line right below a quote goes on with it, whether or not it begins with a sign of its own.
            self.out.append(GAP)
        elif _width(line) >= self._item + _INDENTED:
            self.out.append(GAP)
        else:
            self._quoted = False
            self._note_item(line)
            self._paragraph.append(line)

    def _ends_paragraph(self, line: str) -> bool:
        return bool(not line.strip() or _FENCE.match(line) or _QUOTE.match(line) or _ITEM.match(line))

    def _note_item(self, line: str) -> None:
        item = _ITEM.match(line)
        if item:
            self._item = _width(" " * _width(line) + " " * len(item[0].lstrip()) + "x")
        elif _width(line) < self._item and not self._paragraph:
            self._item = 0

    def _within_fence(self, line: str) -> None:
        closing = line.strip()
        if len(closing) >= len(self._fence) and not closing.strip(self._fence[0]):
            self._fence = ""

    def _within(self, line: str) -> None:
        """Take a line within a comment or an element; what stands behind its end is the writer's again."""
        end = self._until.search(line) if self._until else None
        if end is None:
            self._inside.append(line)
            return
        self._close("\n".join([*self._inside, line[: end.start()]]))
        if line[end.end() :].strip():
            self._paragraph.append(GAP + line[end.end() :])

    def _close(self, inside: str) -> None:
        if self._until is _END_OF_COMMENT:
            self.comments.append(inside.strip())
        self._until, self._inside = None, []

    def _flush(self) -> None:
        text = "\n".join(self._paragraph)
        self._paragraph = []
        if text:
            self.out.append("".join(self._own(text)))

    def _own(self, text: str) -> Iterator[str]:
        """Yield the pieces of a paragraph that are neither code nor comment, and a gap between them."""
        code, at = CodeSpans(text), 0
        while opening := _OPENING.search(text, at):
            yield text[at : opening.start()]
            if opening[0][0] == "`":
                end = code.end(len(opening[0]), opening.end())
                # Backticks that none close are nothing but backticks.
                yield GAP if end else opening[0]
                at = end or opening.end()
                continue
            yield GAP
            tag = opening["tag"]
            self._until = _ENDS[tag.lower()] if tag else _END_OF_COMMENT
            # `<!-->` is a comment too, with nothing in it.
            found = self._until.search(text, opening.end() if tag else opening.start() + 2)
            if found is None:
                self._inside = [text[opening.end() :]]
                return
            self._close(text[opening.end() : found.start()])
            at = found.end()
        yield text[at:]


def _width(line: str) -> int:
    """Return by how many columns a line is indented."""
    width = 0
    for char in line:
        if char == "\t":
            width += _TAB - width % _TAB
        elif char == " ":
            width += 1
        else:
            break
    return width
