"""TOML with the line of each key, which Python's own reader does not tell."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from datetime import date, time

from previewbot.config.reader import MAX_DEPTH, MAX_NODES, Document, Place, Plain, Unreadable
from previewbot.config.schema import KeyPath
from previewbot.config.words import Raw

_PART = r"""[A-Za-z0-9_-]+|"(?:\\.|[^"\\\n])*"|'[^'\n]*'"""
_KEY = rf"(?:{_PART})(?:[ \t]*\.[ \t]*(?:{_PART}))*"
_HEADER = re.compile(rf"[ \t]*(\[\[?)[ \t]*({_KEY})[ \t]*\]\]?")
_ASSIGNMENT = re.compile(rf"[ \t]*({_KEY})[ \t]*=")
# In a file that tomllib can read a text ends where it should, so that what is within it can be stepped over.
# One that does not is all of the rest: to look for the ends of 13,000 of them took 15 seconds.
_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?(?:"""+|\\?\Z)|'
    + r"'''.*?(?:'''+|\Z)|"
    + r""""(?:\\.|[^"\\\n])*"?|'[^'\n]*'?|#[^\n]*|[\[\]{}\n]""",
    re.DOTALL,
)
_BETWEEN_KEYS = re.compile(r"([=\n,{}\[\]])")
_LINE = re.compile(r"at line ([0-9]+)")


def read_toml(text: str, document: Document) -> None:
    """Fill a document with a TOML text; raises Unreadable where it is none."""
    _refuse_long_keys(text)
    try:
        document.value = _Values().of(tomllib.loads(text), 0)
    except Unreadable:
        raise
    except tomllib.TOMLDecodeError as error:
        line = _LINE.search(str(error))
        problem = str(error).split(" (at ")[0]
        number = int(line[1]) if line else text.count("\n") + 1
        raise Unreadable(number, "not_toml", problem=Raw(problem)) from None
    except RecursionError:
        raise Unreadable(1, "too_deep") from None
    except ValueError:
        # Python reads no number of thousands of digits, which no value here is.
        raise Unreadable(0, "not_toml", problem=Raw("a number has too many digits")) from None
    for path, line_of, has_value in _keys(text):
        for end in range(1, len(path) + 1):
            document.places.setdefault(path[:end], Place(line_of, line_of))
        if has_value:
            _place(document, path, line_of, _at(document.value, path))


def _place(document: Document, path: KeyPath, line: int, value: object) -> None:
    """Remember the place of a value, and of all within it: they begin where it does."""
    if isinstance(value, dict):
        for key, inner in value.items():
            _place(document, (*path, key), line, inner)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            _place(document, (*path, number), line, inner)
    place = document.places.get(path)
    if place is None or place.written is None:
        written = None if isinstance(value, dict | list) else _written(value)
        document.places[path] = Place(
            place.key_line if place else line, place.line if place else line, written
        )


def _written(value: object) -> str:
    if isinstance(value, Plain):
        return value.written
    return str(value).lower() if isinstance(value, bool) else str(value)


def _at(value: object, path: KeyPath) -> object:
    for key in path:
        if isinstance(value, dict):
            value = value.get(str(key))
        elif isinstance(value, list) and isinstance(key, int) and key < len(value):
            value = value[key]
    return value


def _refuse_long_keys(text: str) -> None:
    """Refuse a key of very many parts, before Python's reader takes half a minute for it."""
    line = 1
    for piece in _BETWEEN_KEYS.split(_TOKEN.sub(_without_text, text)):
        line += piece == "\n"
        if piece.count(".") > MAX_DEPTH:
            raise Unreadable(line, "too_deep")


def _without_text(token: re.Match[str]) -> str:
    written = token[0]
    return written if len(written) == 1 else "-" + "\n" * written.count("\n")


class _Values:
    """What tomllib returns as the values of a document; counted, as those of the other formats are."""

    def __init__(self) -> None:
        self._nodes = 0

    def of(self, value: object, depth: int) -> object:
        """Return a value; raises Unreadable where there are too many, or too deeply nested."""
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise Unreadable(0, "too_many", most=MAX_NODES)
        if depth > MAX_DEPTH:
            raise Unreadable(0, "too_deep")
        if isinstance(value, dict):
            return {key: self.of(inner, depth + 1) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.of(inner, depth + 1) for inner in value]
        if isinstance(value, float | date | time) or (type(value) is int and abs(value) >= 10**18):
            return Plain(str(value))
        return value


def _keys(text: str) -> Iterator[tuple[KeyPath, int, bool]]:
    """Yield each key that begins a line, with the line, and whether a value stands behind it."""
    table: KeyPath = ()
    lists: dict[KeyPath, int] = {}
    for start, line in _statements(text):
        if header := _HEADER.match(text, start):
            table = _within(_parts(header[2]), lists)
            if header[1] == "[[":
                lists[table] = lists.get(table, -1) + 1
                yield table, line, False
                table = (*table, lists[table])
            yield table, line, False
        elif assignment := _ASSIGNMENT.match(text, start):
            yield (*table, *_parts(assignment[1])), line, True


def _within(path: KeyPath, lists: dict[KeyPath, int]) -> KeyPath:
    """Return a table's path: below a list of tables it is in the last of them."""
    found: KeyPath = ()
    for number, part in enumerate(path):
        found = (*found, part)
        if found in lists and number < len(path) - 1:
            found = (*found, lists[found])
    return found


def _statements(text: str) -> Iterator[tuple[int, int]]:
    """Yield where a line begins that is within no text and no brackets, and its number."""
    yield 0, 1
    depth, line = 0, 1
    for token in _TOKEN.finditer(text):
        written = token[0]
        line += written.count("\n")
        depth += (written in ("[", "{")) - (written in ("]", "}"))
        if written == "\n" and depth == 0:
            yield token.end(), line


def _parts(key: str) -> KeyPath:
    found = []
    for part in re.findall(_PART, key):
        found.append(part if part[0] not in "\"'" else next(iter(tomllib.loads(f"{part} = 0"))))
    return tuple(found)
