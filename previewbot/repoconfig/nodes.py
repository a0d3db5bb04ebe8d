"""YAML as a tree that remembers its lines, and strict reading of it.

The tree is never turned into Python objects by PyYAML: tags, merge keys and aliases have no use here, and
an alias of an alias of an alias grows without bound. Values are counted as they come: the controller's loop
waits while a file is read, and 64 KiB of commas would hold it for two seconds.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from typing import Any, TypeVar, cast

import yaml

from previewbot.errors import Problem

T = TypeVar("T")

MAX_BYTES = 64 * 1024
MAX_NODES = 5_000
_MAX_DEPTH = 20
_TAG = "tag:yaml.org,2002:"


class Mistake(ValueError):
    """Something in the file is wrong; `problem` says where, and what to write instead."""

    def __init__(self, line: int, message: str) -> None:
        self.problem = Problem(line, message)
        super().__init__(message)


def compose(content: bytes | str) -> yaml.Node:
    """Return the document in `content`; raises Mistake if it is too large, not UTF-8 or not plain YAML."""
    text = _decoded(content)
    try:
        node = _Loader(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Mistake(mark.line + 1 if mark else 0, _not_yaml(error)) from None
    except yaml.YAMLError as error:
        position = getattr(error, "position", 0)
        raise Mistake(text.count("\n", 0, position) + 1, "has a character that YAML does not allow") from None
    if node is None:
        raise Mistake(1, "the file is empty; it must begin with `version: 1`")
    return node


def line_of(node: yaml.Node) -> int:
    """Return the line, from 1, on which a node begins."""
    return int(node.start_mark.line) + 1


def kind_of(node: yaml.Node) -> str:
    """Return the short name of a node's YAML type: str, int, bool, null, map, seq, …"""
    return str(node.tag).removeprefix(_TAG)


def shown(text: str) -> str:
    """Return a piece of the file for a message: printable, short, in backticks."""
    clean = "".join(char if char.isprintable() and char != "`" else "?" for char in text)
    return f"`{clean if len(clean) <= 60 else clean[:59] + '…'}`"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return half a sentence that suggests what `word` was meant to be, or says what there is."""
    choices = list(known)
    near = difflib.get_close_matches(word.lower(), choices, n=1, cutoff=0.6)
    if near:
        return f"did you mean {shown(near[0])}?"
    return f"known here: {', '.join(choices)}"


class _Loader(yaml.SafeLoader):
    """Composes one document, and gives up at the first thing that is refused, before reading on."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._nodes = 0
        self._depth = 0

    def compose_document(self) -> yaml.Node | None:
        """Compose the document; raises Mistake if there is a second one."""
        root = super().compose_document()
        if not self.check_event(yaml.StreamEndEvent):
            raise Mistake(self._line(), "a second document begins here; remove `---` and what follows")
        return root

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose a node and what is in it; raises Mistake for an alias, or where it is too much."""
        if self.check_event(yaml.AliasEvent):
            alias = shown(f"*{self._next().anchor}")
            raise Mistake(self._line(), f"the alias {alias} is not allowed; write its value out")
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise Mistake(self._line(), f"here the file exceeds {MAX_NODES} keys and values; make it smaller")
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise Mistake(self._line(), "is nested too deeply")
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def _next(self) -> Any:
        return cast(Any, self).peek_event()

    def _line(self) -> int:
        return int(self._next().start_mark.line) + 1


class Fields:
    """A mapping of the file; mistakes are collected in `problems`, shared by all mappings.

    `lines` is filled with the line of each value that is asked for.
    """

    def __init__(self, path: str, node: yaml.Node, problems: list[Problem], lines: dict[str, int]) -> None:
        self._path = path
        self._line = line_of(node)
        self._problems = problems
        self._lines = lines
        self._known: list[str] = []
        self._nodes: dict[str, yaml.Node] = {}
        self._key_lines: dict[str, int] = {}
        if isinstance(node, yaml.MappingNode) and kind_of(node) == "map":
            self._collect(node)
        else:
            self.note(self._line, f"{shown(path) if path else 'the file'} must hold keys, one per line")

    def names(self) -> list[str]:
        """Return the keys that were written, for a mapping whose keys are names of things."""
        self._known = list(self._nodes)
        return list(self._nodes)

    def line(self, key: str) -> int:
        """Return the line on which `key` is written."""
        return self._key_lines[key]

    def note(self, line: int, message: str) -> None:
        """Note a problem."""
        self._problems.append(Problem(line, message))

    def required(self, key: str, convert: Callable[[yaml.Node], T], example: str) -> T:
        """Return the value of `key`; notes a problem, with the example, if there is none."""
        if key not in self._nodes:
            self._known.append(key)
            where = f"{shown(self._path)} lacks" if self._path else "the file lacks"
            self.note(self._line, f"{where} {shown(key)}; write for example {shown(f'{key}: {example}')}")
            # Nobody sees this: whoever parses raises all problems before it hands out any value.
            return cast(T, None)
        return self._take(key, convert)

    def optional(self, key: str, convert: Callable[[yaml.Node], T], default: T) -> T:
        """Return the value of `key`, or the default if it is left out."""
        if key not in self._nodes:
            self._known.append(key)
            return default
        return self._take(key, convert)

    def fields(self, key: str) -> Fields:
        """Return the mapping under `key`, which must be there."""
        return Fields(self._under(key), self._nodes[key], self._problems, self._lines)

    def lacks(self, key: str, instead: str) -> bool:
        """Return whether `key` is not written, which is noted as a problem."""
        if key in self._nodes:
            return False
        self._known.append(key)
        self.note(self._line, f"the file lacks {shown(key)}; {instead}")
        return True

    def has(self, key: str) -> bool:
        """Return whether `key` is written; one without a value is noted as a problem."""
        self._known.append(key)
        if key in self._nodes and kind_of(self._nodes[key]) == "null":
            self.note(self._key_lines[key], f"{shown(key)} has no value; write one, or remove the line")
            return False
        return key in self._nodes

    def close(self) -> None:
        """Note every key that nobody asked for."""
        for key in self._nodes:
            if key not in self._known:
                self.note(self._key_lines[key], f"{shown(key)} is unknown; {did_you_mean(key, self._known)}")

    def _collect(self, node: yaml.MappingNode) -> None:
        for key_node, value in node.value:
            line = line_of(key_node)
            if not isinstance(key_node, yaml.ScalarNode):
                self.note(line, "a key must be a word")
            elif key_node.value in self._nodes:
                first = self._key_lines[key_node.value]
                self.note(line, f"{shown(key_node.value)} is written twice, first in line {first}; keep one")
            else:
                self._nodes[key_node.value] = value
                self._key_lines[key_node.value] = line

    def _take(self, key: str, convert: Callable[[yaml.Node], T]) -> T:
        self._known.append(key)
        node = self._nodes[key]
        self._lines[self._under(key)] = line_of(node)
        try:
            return convert(node)
        except Mistake as mistake:
            self.note(mistake.problem.line, f"{shown(key)} {mistake.problem.message}")
        except ValueError as error:
            self.note(line_of(node), f"{shown(key)} {error}")
        return cast(T, None)

    def _under(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key


def _decoded(content: bytes | str) -> str:
    raw = content.encode("utf-8", errors="surrogatepass") if isinstance(content, str) else content
    if len(raw) > MAX_BYTES:
        raise Mistake(0, f"the file is larger than {MAX_BYTES // 1024} KiB; make it smaller")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Mistake(line, "is not UTF-8; save the file in that encoding") from None


def _not_yaml(error: yaml.MarkedYAMLError) -> str:
    problem = " ".join(part for part in (error.context, error.problem) if part)
    tab = "'\\t'" in problem
    return f"is not YAML ({problem})" + ("; indent with spaces, not tabs" if tab else "")
