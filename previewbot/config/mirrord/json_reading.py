"""A strict reader of JSON that remembers where everything was written.

Python's own tells no line of a value, and lets the last of two equal keys win, which mirrord's CLI refuses.
"""

from __future__ import annotations

import json
import re
from functools import partial

from previewbot.config.reader import (
    MAX_DEPTH,
    MAX_NODES,
    WHOLE_NUMBER,
    Document,
    Mistake,
    Place,
    Plain,
    Unreadable,
)
from previewbot.config.schema import KeyPath
from previewbot.config.words import Raw, fill, whole

_BLANKS = re.compile(r"[ \t\r\n]*")
_COMMENT = re.compile(r"//|/\*|#")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORDS = {"true": True, "false": False, "null": None}
_WORD = re.compile(r"true|false|null")
_NEAR = re.compile(r"[^\s,{}\[\]]{1,40}|[,{}\[\]]")
_STRING = json.JSONDecoder()


def read_json(text: str, document: Document) -> None:
    """Fill a document with a JSON text; raises Unreadable where it is none."""
    reader = _Reader(text, document)
    at = reader.skip(0)
    if at == len(text):
        raise Unreadable(1, "json_empty")
    document.value, at = reader.value(at, (), reader.line(at), 0)
    at = reader.skip(at)
    if at < len(text):
        raise reader.expected("nothing more", at)


class _Reader:
    def __init__(self, text: str, document: Document) -> None:
        self._text = text
        self._document = document
        self._nodes = 0
        self._counted_to = 0
        self._line = 1

    def line(self, at: int) -> int:
        """Return the line of a position, which is never before the last one that was asked for."""
        self._line += self._text.count("\n", self._counted_to, at)
        self._counted_to = max(self._counted_to, at)
        return self._line

    def skip(self, at: int) -> int:
        """Return where the next sign is; raises Unreadable for a comment."""
        found = _BLANKS.match(self._text, at)
        at = found.end() if found else at
        if _COMMENT.match(self._text, at):
            raise Unreadable(self.line(at), "json_comment")
        return at

    def expected(self, what: str, at: int) -> Unreadable:
        """Return the mistake that something else was expected here."""
        near = _NEAR.match(self._text, at)
        if near is None:
            return Unreadable(self.line(min(at, len(self._text))), "json_ends", what=Raw(what))
        return Unreadable(self.line(at), "not_json", what=Raw(what), written=whole(near[0]))

    def value(self, at: int, path: KeyPath, key_line: int, depth: int) -> tuple[object, int]:
        """Return the value at a position, and where it ends; its place is remembered."""
        self._nodes += 1
        line = self.line(at)
        # Counted while reading, as for YAML: the controller's event loop waits for this.
        if self._nodes > MAX_NODES:
            raise Unreadable(line, "too_many", most=MAX_NODES)
        if depth > MAX_DEPTH:
            raise Unreadable(line, "too_deep")
        sign = self._text[at : at + 1]
        if sign == "{":
            self._document.places[path] = Place(key_line, line)
            return self._object(at + 1, path, depth)
        if sign == "[":
            self._document.places[path] = Place(key_line, line)
            return self._list(at + 1, path, depth)
        found, end = self._scalar(at)
        self._document.places[path] = Place(key_line, line, self._text[at:end])
        return found, end

    def _scalar(self, at: int) -> tuple[object, int]:
        if self._text[at : at + 1] == '"':
            return self._string(at)
        if word := _WORD.match(self._text, at):
            return _WORDS[word[0]], word.end()
        if number := _NUMBER.match(self._text, at):
            written = number[0]
            return (int(written) if WHOLE_NUMBER.fullmatch(written) else Plain(written)), number.end()
        if self._text[at : at + 1] == "'":
            raise Unreadable(self.line(at), "json_quotes")
        raise self.expected("a value", at)

    def _string(self, at: int) -> tuple[str, int]:
        try:
            found, end = _STRING.raw_decode(self._text, at)
        except json.JSONDecodeError as error:
            kind = "json_text_ends" if "Unterminated" in error.msg else "json_text"
            raise Unreadable(self.line(min(error.pos, len(self._text))), kind) from None
        # Half a character, which only an escape can write.
        if found != whole(found):
            raise Unreadable(self.line(at), "json_half")
        return found, end

    def _object(self, at: int, path: KeyPath, depth: int) -> tuple[dict[str, object], int]:
        found: dict[str, object] = {}
        at = self.skip(at)
        while self._text[at : at + 1] != "}":
            if self._text[at : at + 1] != '"':
                raise self._no_key(at, first=not found)
            line = self.line(at)
            key, at = self._string(at)
            at = self.skip(at)
            if self._text[at : at + 1] != ":":
                raise self.expected("a colon", at)
            inner = (*path, key)
            if key in found:
                words = partial(fill, "twice", {"line": self._document.places[inner].key_line})
                self._document.mistakes.append(Mistake(line, words, inner))
                _, at = self.value(self.skip(at + 1), (*path, f"{key} again"), line, depth + 1)
            else:
                found[key], at = self.value(self.skip(at + 1), inner, line, depth + 1)
            at = self._next(at, "}")
        return found, at + 1

    def _list(self, at: int, path: KeyPath, depth: int) -> tuple[list[object], int]:
        found: list[object] = []
        at = self.skip(at)
        while self._text[at : at + 1] != "]":
            item, at = self.value(at, (*path, len(found)), self.line(at), depth + 1)
            found.append(item)
            at = self._next(at, "]")
        return found, at + 1

    def _next(self, at: int, closing: str) -> int:
        """Return where the next item or the closing sign is."""
        at = self.skip(at)
        sign = self._text[at : at + 1]
        if sign == closing:
            return at
        if sign != ",":
            raise self.expected(f"a comma or {closing}", at)
        comma, at = at, self.skip(at + 1)
        if self._text[at : at + 1] == closing:
            raise Unreadable(self.line(comma), "json_comma", sign=Raw(closing))
        return at

    def _no_key(self, at: int, *, first: bool) -> Unreadable:
        if re.match(r"[A-Za-z_']", self._text[at : at + 1]):
            return Unreadable(self.line(at), "json_key", written=whole(_word(self._text, at)))
        return self.expected("a key in quotes or }" if first else "a key in quotes", at)


def _word(text: str, at: int) -> str:
    found = re.compile(r"[A-Za-z0-9_'-]{1,40}").match(text, at)
    return found[0] if found else ""
