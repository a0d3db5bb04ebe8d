"""Which lines of a comment give a command: those that begin with `/preview`, outside quotes and code.

| a line | is |
|---|---|
| `/preview stop`, also behind what nobody sees, in capitals, with `.` or `:` behind a word | a command |
| `**/preview stop**`, `# /preview stop`, `@previewbot /preview stop`, or in single backticks | a command |
| one in a list, behind another name, right below a quote (Markdown makes it a part of that) | told apart |
| one behind an HTML element or remark that nothing closes; `\\/preview stop` | told apart |
| `/preview-stop`, `/previewstop`, `/previews`, `/preview/stop` alone in its line | a near miss |
| in a quote (`>`, `<blockquote>`), code (fenced, indented, `<pre>`, `<code>`), a hidden remark | nothing |
| `/preview/index.html`, `/previews are …`: a path, and prose | nothing |

What is quoted was said by somebody else, perhaps to be talked about. Answers by e-mail quote as well.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from previewbot.rules.commands.blocks import Paragraph, paragraphs
from previewbot.text.code_spans import CodeSpans
from previewbot.text.cutting import cut_at_the_end

LONGEST_LINE = 500
"""Characters: many times what the longest command has, with each of its words apart."""

WORD = "/preview"

_MARK = re.compile(
    r"\\.|`+|<!--|<\?|<!\[CDATA\[|<![A-Za-z]"
    r"|</?[A-Za-z](?:[^<>\"']++|\"[^\"]*+\"|'[^']*+')*>|<[A-Za-z/][^<>]*>|<[A-Za-z/!?]",
    re.DOTALL,
)
_UNSHOWN = {"<!--": "-->", "<?": "?>", "<![CDATA[": "]]>"}
"""What ends that which a page does not show; of any other declaration it is `>`."""
_DEFINITION = re.compile(
    r" {0,3}\[[^\]\n]{1,999}\]:[ ]*\n?[ ]*[^\s<]\S*"
    r"(?:(?:[ ]+|[ ]*\n[ ]*)(?:\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|\((?:\\.|[^()\\])*\)))?[ ]*(?=\n|$)",
    re.DOTALL,
)
_BREAKS = re.compile(
    r"</?(?:br|p|div|h[1-6]|hr|li|ul|ol|table|tr|td|th|details|summary|center|section)[\s/>]", re.IGNORECASE
)
_TAG = re.compile(r"<[^<>]*>")
_QUOTING = re.compile(
    r"<(/?)(pre|code|blockquote|q|samp|tt|kbd|script|style|textarea)(?=[\s>/])", re.IGNORECASE
)
_DECORATED = re.compile(r"([*_]{1,3}|`+)(/preview.*?)\1[.!,;:]*", re.IGNORECASE)
_MENTION = re.compile(r"@([A-Za-z0-9][A-Za-z0-9-]{0,38}(?:\[bot\])?)[,:]? (?=/preview)", re.IGNORECASE)
_PUNCTUATION = re.compile(r"(?<=^/preview)[:,.;!?]+(?= |$)", re.IGNORECASE)
_UNSURE = ("<li", "<td", "<th", "</h", "</l", "</u", "</o", "</t", "</d", "</s", "</c", "</b")
_WRITTEN_BLANKS = re.compile(r"^(?:&(?:nbsp|ensp|emsp|thinsp|ZeroWidthSpace|zwj|zwnj|#160|#32|#xA0); ?)+")
_LEADS_IN = re.compile(r"(?:\s|&\w{1,20};|&#\w{1,5};|@[A-Za-z0-9-]{1,39}(?:\[bot\])?[,:]?|[*_]{1,3}|\\)*")
_AT_THE_END = " .,;:!?\\"
_HIDES, _REMARK = "<!--", "-->"
_UNSEEN = dict.fromkeys(
    [0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x3164, 0xFFA0, *range(0xFE00, 0xFE10)]
)
"""Characters without a shape that Unicode counts among letters and marks."""


@dataclass(frozen=True)
class Line:
    """A line that begins with the word, its words apart by one space.

    `apart`: it stands where a command is more likely told of than given, so that it is not carried out.
    """

    text: str
    apart: bool = False


def command_lines(body: str) -> Iterator[Line]:
    """Yield the lines that may give a command, in their order."""
    # Most comments give none, and of the longest nothing is copied then. The word may be in pieces.
    if WORD not in body.lower() and WORD not in _seen(body).lower():
        return
    for text, apart in _unquoted(paragraphs(body)):
        # Markdown knows no other line ends than \n and \r; other programs do.
        for each in text.splitlines():
            line = _normal(each, apart)
            if line is not None:
                yield line


def as_text(line: Line) -> str:
    """Return a paragraph of which `command_lines` makes this line."""
    return f"- {line.text}" if line.apart else line.text


def _normal(text: str, apart: bool) -> Line | None:
    words = cut_at_the_end(" ".join(_seen(text).split()), LONGEST_LINE)
    words = " ".join(_TAG.sub(" ", words).split())
    words = _WRITTEN_BLANKS.sub("", words)
    mention = _MENTION.match(words)
    if mention is not None:
        # Said to us it is a command, and to somebody else perhaps an advice.
        apart, words = apart or "preview" not in mention.group(1).lower(), words[mention.end() :]
    decorated = _DECORATED.fullmatch(words)
    if decorated is not None:
        # More backticks than one are how a block of code is written.
        apart, words = apart or decorated.group(1).startswith("``"), decorated.group(2)
    if words.startswith(f"\\{WORD[0]}"):
        # Shown like a command, and escaped perhaps to be none.
        apart, words = True, words[1:]
    words = _PUNCTUATION.sub("", words).rstrip(_AT_THE_END)
    return Line(words, apart) if words[: len(WORD)].lower() == WORD else None


def _seen(text: str) -> str:
    """Return a text without characters that nobody sees, and with control characters as blanks."""
    if text.isascii() and text.isprintable():
        return text
    kinds = {char: unicodedata.category(char) for char in set(text)}
    unseen = {ord(char): None for char, kind in kinds.items() if kind == "Cf"}
    blank = {ord(char): " " for char, kind in kinds.items() if kind == "Cc"}
    return text.translate(_UNSEEN | unseen | blank)


class _Part(NamedTuple):
    """A part of a line, or a mark of an HTML element that quotes; `begins` a line, `in_code` in code.

    `doubtful`: whether a page shows what comes after it depends on how a browser mends what is wrong.
    """

    text: str = ""
    begins: bool = False
    in_code: bool = False
    apart: bool = False
    element: str = ""
    closes: bool = False
    doubtful: bool = False


def _unquoted(found: Iterable[Paragraph]) -> Iterator[tuple[str, bool]]:
    """Yield the lines that begin neither in code nor in an HTML element that says they are quoted or code."""
    parts = [part for paragraph in found for part in (*_Parts(paragraph).read(), _Part(begins=True))]
    # What is never closed may be a word about such an element, and must not swallow all that comes. But a
    # page shows the rest inside of it, so that nothing of it is carried out.
    last_close = {part.element: index for index, part in enumerate(parts) if part.closes}
    inside, line, begun, apart, quoted, doubtful = "", list[str](), False, False, True, False
    for index, part in enumerate(parts):
        if part.begins:
            if not quoted:
                yield "".join(line), apart
            line, begun, apart, quoted = [], False, part.apart or doubtful, part.in_code
        if not begun and part.text and not part.text.isspace():
            # What nobody sees, and a name, stand before the beginning: what comes behind it may be quoted.
            begun, quoted = not _LEADS_IN.fullmatch(_seen(part.text)), quoted or bool(inside)
            line.append(part.text)
        elif line:
            line.append(part.text or " ")
        doubtful = doubtful or part.doubtful
        closes = _REMARK in part.text if inside == _REMARK else part.closes and part.element == inside
        if inside and closes:
            # Outside of HTML that mark is text, and ends nothing in a page.
            doubtful = doubtful or inside == _REMARK
            inside = ""
        elif not inside and part.element and not part.closes:
            is_closed = part.element == _REMARK or last_close.get(part.element, -1) > index
            inside, doubtful = part.element if is_closed else "", doubtful or not is_closed
        # What stands behind it in the same line is in doubt as well.
        apart = apart or (doubtful and not begun)


class _Parts:
    """Reads a paragraph from one mark to the next; `_at` is how far it has come, in the line `_line`."""

    def __init__(self, paragraph: Paragraph) -> None:
        self._apart, self._is_html = paragraph.apart, paragraph.is_html
        self._text = text = "\n".join(paragraph.lines)
        self._code = CodeSpans(text)
        # Where the last end is is asked once, and not again by each of thousands that have none.
        self._last = {end: text.rfind(end) for end in (*_UNSHOWN.values(), ">")}
        self._at = _behind_definitions(text)
        self._line = text.count("\n", 0, self._at)

    def read(self) -> Iterator[_Part]:
        """Yield the parts."""
        yield _Part(begins=True, apart=self._apart[0])
        while found := _MARK.search(self._text, self._at):
            mark, begin = found.group(), found.start()
            yield from self._lines(self._text[self._at : begin])
            self._at = found.end()
            if mark.startswith("`"):
                yield from self._in_backticks(mark, begin)
            elif mark in _UNSHOWN or (mark[:2] == "<!" and len(mark) > 2):
                yield from self._unshown(mark, begin)
            elif mark.startswith("<") and mark.endswith(">"):
                yield self._tag(mark)
            else:
                yield from self._lines(mark)
                if self._is_html and mark[-2:] != "\\>" and "<" in mark:
                    yield _Part(doubtful=True)
        yield from self._lines(self._text[self._at :])

    def _lines(self, chunk: str, *, in_code: bool = False) -> Iterator[_Part]:
        first, *others = chunk.split("\n")
        yield _Part(first)
        for other in others:
            self._line += 1
            yield _Part(other, begins=True, in_code=in_code, apart=self._apart[self._line])

    def _in_backticks(self, mark: str, begin: int) -> Iterator[_Part]:
        # Of a run whose first mark is escaped only the rest is here, and there may be no other as long.
        self._at = self._code.end(len(mark), self._at) or self._at
        inside = self._text[begin : self._at]
        yield from self._lines(inside, in_code=True)
        # A block of HTML knows no code.
        if self._is_html and _HIDES in inside:
            yield _Part(doubtful=True)

    def _unshown(self, mark: str, begin: int) -> Iterator[_Part]:
        closed_by = _UNSHOWN.get(mark, ">")
        after = begin + 2 if mark == _HIDES else self._at
        if after <= self._last[closed_by]:
            self._at = self._text.find(closed_by, after) + len(closed_by)
            self._line += self._text.count("\n", begin, self._at)
            yield _Part(" ")
        elif self._is_html and mark == _HIDES:
            # A block of HTML goes into the page as it is, and hides what comes until the remark ends.
            yield _Part(element=_REMARK)
            self._at = len(self._text)
        else:
            yield _Part(mark, doubtful=self._is_html)

    def _tag(self, mark: str) -> _Part:
        quoting, breaks = _QUOTING.match(mark), _BREAKS.match(mark)
        self._line += mark.count("\n")
        name, closes = (quoting.group(2).lower(), bool(quoting.group(1))) if quoting else ("", False)
        # What is in a list, or closes what perhaps was never opened, leaves it open where a line begins.
        is_unsure = breaks is not None and breaks.group().lower().startswith(_UNSURE)
        apart = self._apart[self._line] or is_unsure
        return _Part(begins=breaks is not None, apart=apart, element=name, closes=closes)


def _behind_definitions(text: str) -> int:
    """Return where the definitions of links end with which a paragraph begins: they are not shown."""
    at = 0
    while defined := _DEFINITION.match(text, at):
        at = min(defined.end() + 1, len(text))
        # No paragraph begins with a line that is indented so far: right behind a definition it is code.
        while text.startswith("    ", at):
            at = text.find("\n", at) + 1 or len(text)
    return max(at - 1, 0) if at < len(text) else at
