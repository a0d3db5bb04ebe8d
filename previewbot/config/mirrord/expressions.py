"""Regular expressions of a mirrord file: what mirrord's CLI surely refuses is refused, and nothing else.

The CLI compiles them with Rust's `fancy-regex` (https://docs.rs/fancy-regex/0.14, over
https://docs.rs/regex-syntax). They are looked at here and never compiled: twelve letters may take an engine
a quarter of a second, a file may have thousands, and the controller's loop waits meanwhile. So only
what joins a pattern together is judged: groups, classes, escapes, and what is repeated.
"""

from __future__ import annotations

import re
from functools import lru_cache

_GROUP = re.compile(
    r"""\((?:\?(?:
        (?P<opens>:|=|!|>|\||<=|<!|P?<[A-Za-z_][\w.\[\]]*>|(?=\()|[A-Za-z]*(?:-[A-Za-z]+)?:)
        |(?P<whole>P[=>]\w+\)|\#[^)]*\)|[A-Za-z]+(?:-[A-Za-z]*)?\)|-[A-Za-z]+\)|[+-]?\d+\)|[R&]\w*\))
    ))?""",
    re.VERBOSE,
)
"""What begins with a parenthesis: a group, or something that is whole by itself."""

_VERBOSE = re.compile(r"\(\?[A-Za-z]*x")
_ESCAPE = re.compile(r"\\(?:[pPxuUkgb]\{[^{}]*\}|k<[^<>]*>|.)", re.DOTALL)
# The digits are gone over once: to try where else they may end took half a minute for 60,000 of them.
_TIMES = re.compile(r"\{(\d*+)(,?)(\d*+)\}")
_MOST_TIMES = 2**32 - 1
_LONGEST_TIMES = 1_000
"""Python makes no number of thousands of digits, and no engine repeats anything so often."""


# By `defaults` hundreds of services may have one pattern: while it is read, the controller waits.
@lru_cache(maxsize=256)
def is_expression(pattern: str) -> bool:
    """Return whether `pattern` may be a regular expression to mirrord."""
    # With this flag blanks and remarks mean nothing, so that a parenthesis may be a part of a remark.
    return ignores_blanks(pattern) or _Reader(pattern).reads()


def ignores_blanks(pattern: str) -> bool:
    """Return whether a flag of a pattern makes blanks and remarks mean nothing."""
    return _VERBOSE.search(pattern) is not None


class _Reader:
    """Goes over a pattern once."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._open = 0
        self._repeatable = False
        """Whether something stands before that can be repeated."""

    def reads(self) -> bool:
        """Return whether all of it may be read."""
        while self._at < len(self._pattern):
            if not self._one():
                return False
        return self._open == 0

    def _one(self) -> bool:
        sign = self._pattern[self._at]
        if sign == "(":
            return self._group()
        if sign in "*+?{":
            return self._repetition()
        if sign == "[":
            return self._class()
        if sign == "\\":
            return self._escape()
        self._at += 1
        self._open -= sign == ")"
        self._repeatable = sign != "|"
        return self._open >= 0

    def _group(self) -> bool:
        found = _GROUP.match(self._pattern, self._at)
        if found is None:
            return False
        if found[0] == "(" and self._pattern.startswith("?", found.end()):
            return False
        self._at = found.end()
        self._open += found["whole"] is None
        self._repeatable = False
        return True

    def _repetition(self) -> bool:
        found = _TIMES.match(self._pattern, self._at)
        if self._pattern[self._at] == "{" and (found is None or not (found[1] or found[3])):
            # Of a brace that says no number one engine takes a sign, and another a mistake.
            self._at += 1
            self._repeatable = True
            return True
        if found is not None:
            if len(found[0]) > _LONGEST_TIMES:
                return False
            self._at = found.end()
            least, most = int(found[1] or 0), int(found[3] or _MOST_TIMES)
            return self._repeatable and least <= (most if found[2] else _MOST_TIMES)
        self._at += 1
        return self._repeatable

    def _class(self) -> bool:
        """Read `[…]`; of a class within a class what is left behind the first end reads as plain signs."""
        self._at += 1 + self._pattern.startswith("^", self._at + 1)
        first, before = True, ""
        while self._at < len(self._pattern):
            sign = self._pattern[self._at]
            if sign == "]" and not first:
                self._at += 1
                self._repeatable = True
                return True
            if sign == "\\":
                if not self._escape():
                    return False
                before = ""
            elif sign == "-" and before:
                self._at += 1
                end = self._pattern[self._at : self._at + 1]
                # What stands for itself: neither the end of the class, nor an escape, nor another class.
                if end not in ("]", "[", "\\", "-"):
                    if end < before:
                        return False
                    self._at += 1
                before = ""
            else:
                self._at += 1
                before = "" if sign in "[-&~" else sign
            first = False
        return False

    def _escape(self) -> bool:
        found = _ESCAPE.match(self._pattern, self._at)
        if found is None:
            return False
        self._at = found.end()
        self._repeatable = True
        return True
