"""A strict reader of YAML that remembers where everything was written.

PyYAML never makes Python objects of the file: tags, merge keys and aliases have no use here, and an alias of
an alias of an alias grows without bound. Values are counted as they come: the controller's loop waits while a
repository's file is read, and 64 KiB of commas would hold it for two seconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NoReturn, cast

import yaml

from previewbot.config.words import Raw, Words, fill, whole

KeyPath = tuple[str | int, ...]
MAX_BYTES = 64 * 1024
MAX_NODES = 5_000
_MAX_DEPTH = 20
_SIGNS = {
    "*": "star",
    "!": "tag",
    "&": "anchor",
    "|": "block",
    ">": "block",
    "@": "sign",
    "`": "sign",
    "%": "sign",
}
"""The kinds of mistakes of values that begin with a sign of YAML's own."""
_AT_THE_SIGN = (
    "while scanning an alias",
    "while scanning an anchor",
    "while scanning a tag",
    "while parsing a tag",
    "while parsing a node",
    "while scanning a block scalar",
    "while scanning for the next token",
)
"""What PyYAML does when it complains of such a sign."""
_WHOLE_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})")


@dataclass(frozen=True)
class Mistake:
    """Something that is wrong: where (line 0: nowhere in particular), under which keys, and the words.

    `variable` names the environment variable that says it instead of the file, and `within` is the path of
    the mapping that it is about, if keys of it are what is wrong. The words are made when they
    are told: a file may have thousands of mistakes, of which a few are.
    """

    line: int
    tell: Callable[[], Words]
    path: KeyPath = ()
    variable: str = ""
    within: KeyPath = ()

    @property
    def words(self) -> Words:
        """What is wrong, and what to write instead."""
        return self.tell()


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
    """A file as dicts, lists and plain values; the place of each of them, and keys that cannot be taken."""

    value: object = None
    places: dict[KeyPath, Place] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)

    @property
    def lines(self) -> Mapping[str, int]:
        """The line of each value, by keys joined with dots."""
        return {".".join(map(str, path)): place.line for path, place in self.places.items()}


def read(content: bytes | str) -> Document:
    """Return the document in `content`; raises Unreadable if it is too large, not UTF-8 or not plain YAML."""
    text = _decoded(content)
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        scanning = error.context == "while parsing a tag" or "scanning" in str(error.context)
        in_flow = loader.in_flow(scanning=scanning)
        raise _not_yaml(text, error, in_flow=in_flow) from None
    except yaml.YAMLError as error:
        line = text.count("\n", 0, getattr(error, "position", 0)) + 1
        raise Unreadable(line, "odd_character") from None
    document = Document(places={(): Place(1, 1)})
    if node is not None:
        document.value = _value(document, node, (), 1)
    return document


def _value(document: Document, node: yaml.Node, path: KeyPath, key_line: int) -> object:
    written = _text(node) if isinstance(node, yaml.ScalarNode) else None
    braces = isinstance(node, yaml.MappingNode) and bool(node.flow_style)
    document.places[path] = Place(key_line, _line(node), written, braces)
    if isinstance(node, yaml.MappingNode):
        return _mapping(document, node, path)
    if isinstance(node, yaml.SequenceNode):
        return [_value(document, item, (*path, at), _line(item)) for at, item in enumerate(node.value)]
    return _scalar(written or "", str(node.tag).rsplit(":", 1)[-1])


def _mapping(document: Document, node: yaml.MappingNode, path: KeyPath) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            document.mistakes.append(Mistake(_line(key), partial(fill, "key_type", {}), path, within=path))
            continue
        name = _text(key)
        inner = (*path, name)
        # YAML's own loaders let the last one win, and the first would be lost without a word.
        if name in found:
            words = partial(fill, "twice", {"line": document.places[inner].key_line})
            document.mistakes.append(Mistake(_line(key), words, inner, within=path))
        else:
            found[name] = _value(document, value, inner, _line(key))
    return found


def _text(node: yaml.ScalarNode) -> str:
    """Return what a scalar says; raises Unreadable for half a character, which only an escape can write."""
    text = str(node.value)
    if text != whole(text):
        raise Unreadable(_line(node), "odd_character")
    return text


def _scalar(written: str, tag: str) -> object:
    if tag == "str":
        return written
    if tag == "bool":
        return written.lower() in ("true", "yes", "on")
    # YAML 1.1 also reads 0777 as octal and 1:30 as sixty times one and thirty: nobody means that here.
    if tag == "int" and _WHOLE_NUMBER.fullmatch(written):
        return int(written)
    return None if tag == "null" else Plain(written)


class _Loader(yaml.SafeLoader):
    """Composes one document, and gives up at the first thing that is refused, before reading on."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._nodes = 0
        self._depth = 0
        self._flows = 0

    def in_flow(self, *, scanning: bool) -> bool:
        """Return whether brackets or braces are open where it scans, or where it composes (behind that)."""
        return int(cast(Any, self).flow_level if scanning else self._flows) > 0

    def compose_document(self) -> yaml.Node | None:
        """Compose the document; raises Unreadable if there is a second one."""
        root = super().compose_document()
        # PyYAML complains of this too, but does not say what to remove.
        if not self.check_event(yaml.StreamEndEvent):
            self._refuse("second_document")
        return root

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose a node and all in it; raises Unreadable for an alias, a tag, or where it is too much."""
        event = cast(Any, self).peek_event()
        # An alias of an alias of an alias is a few lines in the file and a billion values in memory.
        if isinstance(event, yaml.AliasEvent):
            self._refuse("alias", written=f"*{event.anchor}")
        if getattr(event, "tag", None) is not None:
            tag = str(event.tag).replace("tag:yaml.org,2002:", "!!")
            self._refuse("tag", written=_word(tag, in_flow=self.in_flow(scanning=False)))
        self._nodes += 1
        self._depth += 1
        # Counted while reading and not afterwards: the controller's event loop waits for this.
        flows = int(bool(getattr(event, "flow_style", False)))
        self._flows += flows
        if self._nodes > MAX_NODES:
            self._refuse("too_many", most=MAX_NODES)
        if self._depth > _MAX_DEPTH:
            self._refuse("too_deep")
        node = super().compose_node(parent, index)
        self._flows -= flows
        self._depth -= 1
        return node

    def _refuse(self, kind: str, **named: object) -> NoReturn:
        raise Unreadable(int(cast(Any, self).peek_event().start_mark.line) + 1, kind, **named)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _decoded(content: bytes | str) -> str:
    raw = content.encode("utf-8", errors="surrogatepass") if isinstance(content, str) else content
    if len(raw) > MAX_BYTES:
        raise Unreadable(0, "too_large", most=Raw(f"{MAX_BYTES // 1024} KiB"))
    try:
        # Some editors put a byte order mark first, which is no part of the first key.
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(raw.count(b"\n", 0, error.start) + 1, "not_utf8") from None


def _word(text: str, *, in_flow: bool) -> str:
    """Return the value that a text begins with; within brackets or braces, their signs end it."""
    line = text.partition("\n")[0].partition(" #")[0]
    return (re.split(r"[,\]}]", line)[0] if in_flow else line).rstrip()


def _brace_before(text: str) -> int | None:
    """Return where the braces begin with which a text ends, on its last line; None if it ends with none."""
    line = text.rpartition("\n")[2].rstrip()
    depth = 0
    for index in range(len(line) - 1, -1, -1):
        depth += {"}": 1, "{": -1}.get(line[index], 0)
        if depth == 0:
            return len(text) - len(text.rpartition("\n")[2]) + index if line[index] == "{" else None
    return None


def _not_yaml(text: str, error: yaml.MarkedYAMLError, *, in_flow: bool) -> Unreadable:
    """Return PyYAML's complaint; for signs that people take for part of a value, what they mean to YAML."""
    mark, start = error.problem_mark, error.context_mark or error.problem_mark
    if mark is None or start is None:
        return Unreadable(0, "not_yaml", problem=Raw(error.problem))
    problem = Raw(" ".join(part for part in (error.context, error.problem) if part))
    brace = _brace_before(text[: mark.index]) if "but" in problem and "<scalar>" in problem else None
    if brace is not None:
        written = text[brace : mark.index] + _word(text[mark.index :], in_flow=in_flow)
        return Unreadable(mark.line + 1, "brace", written=written)
    # `*.internal` or `!important` without quotes is meant as a text. PyYAML would speak of aliases and tags,
    # which helps nobody to find the quotes.
    sign = text[start.index : start.index + 1]
    kind = _SIGNS.get(sign, "not_yaml") if error.context in _AT_THE_SIGN else "not_yaml"
    if "'\\t'" in problem:
        kind = "tab_behind" if text[: mark.index].rpartition("\n")[2].strip() else "tab_before"
    written = _word(text[start.index :], in_flow=in_flow)
    return Unreadable(mark.line + 1, kind, problem=problem, written=written, sign=Raw(sign))
