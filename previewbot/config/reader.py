"""A strict reader of YAML that remembers where everything was written.

PyYAML never makes Python objects of the file: tags, merge keys and aliases have no use here, and an alias of
an alias of an alias grows without bound. Values are counted as they come: the controller's loop waits while a
repository's file is read, and 64 KiB of commas would hold it for two seconds.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

import yaml
from yaml.reader import ReaderError

from previewbot.config.schema import KeyPath, Schema, at, holds_keys
from previewbot.config.words import Raw, Words, did_you_mean, fill, shown, whole

MAX_BYTES = 64 * 1024
MAX_NODES = 5_000
MAX_DEPTH = 20
_MOST_INSIDE = 20
MOST_TOLD = 20
_SIGNS = {"*": "star", "!": "tag", "&": "anchor", "|": "block", ">": "block"} | dict.fromkeys("@`%", "sign")
"""The kinds of mistakes of values that begin with a sign of YAML's own."""
# A value without quotes: brackets and braces in pairs, commas before no blank, and no comment.
_VALUE = re.compile(r"(?:\{[^{}\n]*\}|\[[^\[\]\n]*\]|,(?!\s|$)| (?!#)|[^\]}, \n])*")
_LONGEST = 100
# A list in brackets goes on after a text with a brace or a bracket in it, as in `[src/{a,b}]`.
_INSIDE = re.compile(r"flow sequence expected ',' or '\]', but got '([{\[])'")
_READS = {"{": "keys", "[": "a list"}
# Braces that a line ends with; in them there may be others, as in `{{ .Values.x }}`.
_BRACES = re.compile(r"\{(?:[^{}]|\{[^{}]*\})*\} *$")
_NULL = "tag:yaml.org,2002:null"
WHOLE_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})")


@dataclass(frozen=True)
class Mistake:
    """Something that is wrong: where (line 0: nowhere in particular), under which keys, and the words.

    A key that is no word has its number in the path. `variable` names the environment variable that says it
    instead of the file. The words are made when they are told: a file may have thousands of mistakes, of
    which a few are.
    """

    line: int
    tell: Callable[[], Words]
    path: KeyPath = ()
    variable: str = ""


def cut(mistakes: Sequence[Mistake]) -> list[Mistake]:
    """Return the first of very many mistakes, and as one more how many there are."""
    told, rest = list(mistakes[:MOST_TOLD]), mistakes[MOST_TOLD:]
    return [*told, Mistake(rest[0].line, partial(fill, "cut", {"more": len(rest)}))] if rest else told


class Unreadable(ValueError):
    """The file cannot be read any further, for one mistake."""

    def __init__(self, line: int, kind: str, **named: object) -> None:
        self.mistake = Mistake(line, partial(fill, kind, named))
        super().__init__(kind)


@dataclass(frozen=True)
class Plain:
    """A value that is not a text because it has no quotes: 1.5, 0x50, a date; no setting takes one."""

    written: str


@dataclass(frozen=True)
class Place:
    """Where a value was written: the lines of its key and of itself, and how, if it is a single word.

    `braces` says that it holds keys, but on one line, so that it may have been meant as a text.
    """

    key_line: int
    line: int
    written: str | None = None
    braces: bool = False


@dataclass
class Document:
    """A file as dicts, lists and plain values; the place of each of them, and keys that cannot be taken.

    `origins` has what is repeated in other places than it is written in: from there to where it is written.
    """

    schema: Schema
    value: object = None
    places: dict[KeyPath, Place] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)
    origins: dict[KeyPath, KeyPath] = field(default_factory=dict)

    def line_of(self, path: KeyPath) -> int:
        """Return the line of a key, or of the nearest part that it is in; 0 if it is in none."""
        places = (self.places.get(path[:end]) for end in range(len(path), -1, -1))
        return next((place.key_line for place in places if place is not None), 0)


def read(content: bytes | str, schema: Schema) -> Document:
    """Return the document in `content`; raises Unreadable if it is too large, not UTF-8 or not plain YAML."""
    text = decoded(content)
    try:
        node = _Loader(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        raise _not_yaml(text, error) from None
    except ReaderError as error:
        raise Unreadable(text.count("\n", 0, error.position) + 1, "odd_character") from None
    document = Document(schema, places={(): Place(1, 1)})
    if node is not None:
        document.value = _value(document, node, (), 1)
    return document


def _value(document: Document, node: yaml.Node, path: KeyPath, key_line: int) -> object:
    written = str(node.value) if isinstance(node, yaml.ScalarNode) else None
    braces = isinstance(node, yaml.MappingNode) and bool(node.flow_style)
    document.places[path] = Place(key_line, _line(node), written, braces)
    if isinstance(node, yaml.MappingNode):
        return _mapping(document, node, path)
    if isinstance(node, yaml.SequenceNode):
        return [_value(document, item, (*path, at), _line(item)) for at, item in enumerate(node.value)]
    return _scalar(written or "", node.tag)


def _mapping(document: Document, node: yaml.MappingNode, path: KeyPath) -> dict[str, object]:
    found: dict[str, object] = {}
    wrong: list[Mistake] = []
    for number, (key, value) in enumerate(_indented(document, node, path)):
        if not isinstance(key, yaml.ScalarNode):
            wrong.append(Mistake(_line(key), partial(fill, "key_type", {}), (*path, number)))
            continue
        name = str(key.value)
        inner = (*path, name)
        # YAML's own loaders let the last one win, and the first would be lost without a word.
        if name in found:
            words = partial(fill, "twice", {"line": document.places[inner].key_line})
            wrong.append(Mistake(_line(key), words, inner))
        else:
            found[name] = _value(document, value, inner, _line(key))
    # Where there may be no keys at all, that is told, and nothing of these.
    document.mistakes += wrong if holds_keys(document.schema, path) else ()
    return found


def _indented(
    document: Document, node: yaml.MappingNode, path: KeyPath
) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    """Yield the keys of a mapping; those that belong into an empty part above them, as if they were there."""
    rest = deque(node.value)
    while rest:
        key, value = rest.popleft()
        part = (*path, key.value if isinstance(key, yaml.ScalarNode) else 0)
        inside: list[tuple[yaml.Node, yaml.Node]] = []
        while rest and value.tag == _NULL and _belongs(document.schema, part, *rest[0], inside=len(inside)):
            inside.append(rest.popleft())
        if inside:
            ends = dict.fromkeys(shown(inner.value) for inner, _ in (inside[0], inside[-1]))
            words = partial(fill, "indent", {"keys": Raw(" to ".join(ends))})
            document.mistakes.append(Mistake(_line(key), words, part))
            value = yaml.MappingNode("map", inside, value.start_mark, value.end_mark)
        yield key, value


def _belongs(schema: Schema, part: KeyPath, key: yaml.Node, value: yaml.Node, *, inside: int) -> bool:
    """Return whether a key belongs into the empty part above it: it is known there, and not where it stands.

    An unknown key may too, if it stands behind some (`inside`) that do, and is no misspelt key of outside.
    """
    beside = at(schema, part[:-1]).get("properties", ())
    if not isinstance(key, yaml.ScalarNode) or key.value in beside:
        return False
    inner = (*part, key.value)
    if not isinstance(value, yaml.MappingNode):
        if at(schema, inner):
            # Below a service with nothing in it, `open: [src/open/**]` or `open:` is another one.
            fits = at(schema, inner).get("type") == "array" or not isinstance(value, yaml.SequenceNode)
            return fits and (inside > 0 or value.tag != _NULL) and not holds_keys(schema, inner)
        # No part has as many keys: a file of nonsense is not compared with words for seconds.
        misspelt = inside >= _MOST_INSIDE or did_you_mean(key.value, beside, always=False)
        return inside > 0 and value.tag != _NULL and not misspelt
    # Below `services:` with nothing in it, `paths:` with keys of its own is a service that is called so, and
    # `paths: [...]` a key of a service: what is under it tells.
    below = [one.value for one, _ in value.value if isinstance(one, yaml.ScalarNode)]
    return any(at(schema, (*inner, name)) for name in below)


def _scalar(written: str, tag: str) -> object:
    if tag.endswith(":str"):
        return written
    if tag.endswith(":bool"):
        return written.lower() in ("true", "yes", "on")
    # YAML 1.1 also reads 0777 as octal and 1:30 as sixty times one and thirty: nobody means that here.
    if tag.endswith(":int") and WHOLE_NUMBER.fullmatch(written):
        return int(written)
    return None if tag == _NULL else Plain(written)


class _Loader(yaml.SafeLoader):
    """Composes one document, and gives up at the first thing that is refused, before reading on.

    It takes a tab where a blank may stand between two values, as YAML 1.2 does (chapter 6.2), and PyYAML not.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._nodes = 0
        self._depth = 0

    def scan_to_next_token(self) -> None:
        """Skip what stands between two tokens; a tab too, but for one that indents or is within a text."""
        scanner = cast(Any, self)
        super().scan_to_next_token()
        # A whole run at once: to look at the rest of it again for each tab took minutes for 64 KiB of them.
        while blanks := self._separating_blanks():
            scanner.forward(blanks)
            super().scan_to_next_token()

    def _separating_blanks(self) -> int:
        """Return how many tabs and blanks stand here, if they begin with a tab and may separate; else 0."""
        scanner = cast(Any, self)
        if scanner.peek() != "\t":
            return 0
        run = 1
        while scanner.peek(run) in ("\t", " "):
            run += 1
        return run if self._may_separate(scanner.peek(run)) else 0

    def _may_separate(self, next_sign: str) -> bool:
        scanner = cast(Any, self)
        if next_sign in "#\r\n\0":
            return True
        line = scanner.buffer[scanner.pointer - scanner.column : scanner.pointer]
        if not line.strip():
            return bool(scanner.flow_level)
        # Behind a text without quotes a tab and more text are of that text.
        return next_sign in ",]}:" or line.rstrip()[-1:] in ":-?,[{"

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose a node and all in it; raises Unreadable for what may not be, or is too much."""
        event = cast(Any, self).peek_event()
        line = event.start_mark.line + 1
        # An alias of an alias of an alias is a few lines in the file and a billion values in memory.
        if isinstance(event, yaml.AliasEvent):
            raise Unreadable(line, "alias", written=f"*{event.anchor}")
        if event.tag is not None:
            raise Unreadable(line, "tag", written=_word(event.tag.replace("tag:yaml.org,2002:", "!!")))
        # Half a character, which only an escape can write.
        if isinstance(event, yaml.ScalarEvent) and event.value != whole(event.value):
            raise Unreadable(line, "odd_character")
        self._nodes += 1
        self._depth += 1
        # Counted while reading and not afterwards: the controller's event loop waits for this.
        if self._nodes > MAX_NODES:
            raise Unreadable(line, "too_many", most=MAX_NODES)
        if self._depth > MAX_DEPTH:
            raise Unreadable(line, "too_deep")
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def decoded(content: bytes | str) -> str:
    """Return a file's text; raises Unreadable if it is too large or not UTF-8."""
    raw = content.encode("utf-8", errors="surrogatepass") if isinstance(content, str) else content
    if len(raw) > MAX_BYTES:
        raise Unreadable(0, "too_large", most=Raw(f"{MAX_BYTES // 1024} KiB"))
    try:
        # Some editors put a byte order mark first, which is no part of the first key.
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(raw.count(b"\n", 0, error.start) + 1, "not_utf8") from None


def _not_yaml(text: str, error: yaml.MarkedYAMLError) -> Unreadable:
    """Return PyYAML's complaint; for signs that people take for part of a value, what they mean to YAML."""
    mark = cast(yaml.Mark, error.problem_mark)
    # Of a mapping or a list PyYAML tells where it begins, which may be far above what is wrong.
    begins = None if str(error.context).startswith("while parsing a block") else error.context_mark
    start = begins or mark
    written = _word(text[start.index :])
    problem = " ".join(part for part in (error.context, error.problem) if part)
    before = text[: mark.index].rpartition("\n")[2]
    braces = _BRACES.search(before) if "<scalar>" in problem else None
    if "another document" in problem:
        kind = "second_document"
    elif inside := _INSIDE.search(problem):
        begun = re.split(r"[\s,\[]", before)[-1]
        written = _word(begun + text[mark.index :])
        named = {"written": written, "sign": Raw(inside[1]), "reads": Raw(_READS[inside[1]])}
        return Unreadable(mark.line + 1, "inside", **named)
    elif "'\\t'" in problem:
        kind = "tab_behind" if before.strip() else "tab_before"
    elif braces:
        kind, written = "brace", braces.group() + _word(text[mark.index :])
    else:
        # `*.internal` or `!important` without quotes is meant as a text. PyYAML would speak of aliases and
        # tags, which helps nobody to find the quotes.
        kind = _SIGNS.get(written[:1], "not_yaml")
        mark = mark if kind == "not_yaml" else start
    named = {"problem": Raw(shown(problem, most=120)), "written": written, "sign": Raw(written[:1])}
    return Unreadable(mark.line + 1, kind, **named)


def _word(text: str) -> str:
    """Return the value that a text begins with."""
    # What is longer is cut off in the message.
    return str(_VALUE.findall(text[:_LONGEST])[0]).rstrip()
