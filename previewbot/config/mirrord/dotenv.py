"""A file of environment variables as mirrord's CLI reads it (the crate dotenvy), without any machine's own.

Values may name variables (`$HOME`). The CLI takes them from whoever runs it; here only those of the same
file that stand above are known, and others are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from previewbot.config.mirrord.files import MAX_BYTES
from previewbot.config.words import Raw

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_BLANKS = re.compile(r"[ \t]*")
_ESCAPED = {"\\": "\\", "'": "'", '"': '"', "$": "$", " ": " ", "n": "\n"}
_SHORT = re.compile(r"[A-Za-z0-9]+")


class NoVariables(ValueError):
    """A file cannot be read as variables: `line` of it, for `wrong`."""

    def __init__(self, line: int, wrong: str) -> None:
        self.line = line
        self.wrong = Raw(wrong)
        super().__init__(f"line {line}: {wrong}")


def read_variables(text: str) -> dict[str, str]:
    """Return the variables of a file, of which the last of one name counts; raises NoVariables."""
    found: dict[str, str] = {}
    room = MAX_BYTES
    for number, line in _lines(text.removeprefix("\ufeff")):
        entry = _Line(line, number, found, room).entry()
        if entry is not None:
            found[entry[0]] = entry[1]
            room -= len(entry[1])
    return found


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield lines with their numbers; a text in quotes goes on over several."""
    begun, first, quote = list[str](), 0, ""
    for number, line in enumerate(text.split("\n"), 1):
        first = first if begun else number
        begun.append(line.removesuffix("\r"))
        # Each line is looked at once: 64 KiB of short ones within quotes took twenty minutes together.
        quote = _quote_behind(begun[-1], quote)
        if not quote:
            yield first, "\n".join(begun)
            begun.clear()
    if begun:
        raise NoVariables(first, "a text in quotes does not end")


def _quote_behind(line: str, quote: str) -> str:
    """Return the quote that is open where a line ends, of which `quote` is open where it begins."""
    if not quote and line.lstrip().startswith("#"):
        return ""
    at = 0
    while at < len(line):
        sign = line[at]
        if sign == "\\" and quote != "'":
            at += 1
        elif quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        elif sign == "#" and at and line[at - 1] in " \t":
            # A comment behind a value.
            return ""
        at += 1
    return quote


@dataclass
class _Line:
    text: str
    number: int
    known: dict[str, str]
    room: int
    """How long its value may be, with what `$` fills in."""
    at: int = 0

    def entry(self) -> tuple[str, str] | None:
        self._skip()
        if self._is_over():
            return None
        name = self._name()
        if name == "export" and not self._equals():
            name = self._name()
            self._expect_equals()
        elif name != "export":
            self._expect_equals()
        self._skip()
        return name, "" if self._is_over() else self._value()

    def _skip(self) -> None:
        blanks = _BLANKS.match(self.text, self.at)
        self.at = blanks.end() if blanks else self.at

    def _is_over(self) -> bool:
        return self.text[self.at : self.at + 1] in ("", "#")

    def _name(self) -> str:
        found = _NAME.match(self.text, self.at)
        if found is None:
            raise self._wrong("is not NAME=value")
        self.at = found.end()
        self._skip()
        return found[0]

    def _equals(self) -> bool:
        if self.text[self.at : self.at + 1] != "=":
            return False
        self.at += 1
        return True

    def _expect_equals(self) -> None:
        if not self._equals():
            raise self._wrong("is not NAME=value")

    def _wrong(self, wrong: str) -> NoVariables:
        return NoVariables(self.number, wrong)

    def _value(self) -> str:
        found, quote = [], ""
        while self.at < len(self.text):
            sign = self.text[self.at]
            self.at += 1
            if quote == "'":
                quote, part = ("", "") if sign == "'" else (quote, sign)
            elif sign == "\\":
                part = self._escaped()
            elif sign == "$":
                part = self._variable()
            elif quote:
                quote, part = ("", "") if sign == '"' else (quote, sign)
            elif sign in "'\"":
                quote, part = sign, ""
            elif sign in " \t":
                self._skip()
                if not self._is_over():
                    raise self._wrong("has a blank within a value: put the value in quotes")
                break
            else:
                part = sign
            found.append(part)
            self.room -= len(part)
            # A file of ten lines, each with the one above it ten times, would be gigabytes.
            if self.room < 0:
                raise self._wrong("makes the values too long with $: write them out, or fewer of them")
        return "".join(found)

    def _escaped(self) -> str:
        sign = self.text[self.at : self.at + 1]
        if sign not in _ESCAPED:
            raise self._wrong("has a backslash before a sign that needs none")
        self.at += 1
        return _ESCAPED[sign]

    def _variable(self) -> str:
        if self.text[self.at : self.at + 1] == "{":
            end = self.text.find("}", self.at)
            if end < 0:
                raise self._wrong("has ${ without }")
            name, self.at = self.text[self.at + 1 : end], end + 1
        else:
            found = _SHORT.match(self.text, self.at)
            name = found[0] if found else ""
            self.at += len(name)
        # The CLI would take it from the environment of whoever runs it: here that would be previewbot's own.
        if name not in self.known:
            raise self._wrong("names a variable with $ that is not above it: put the value in single quotes")
        return self.known[name]
