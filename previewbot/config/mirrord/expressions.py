"""Regular expressions of a mirrord file: what mirrord's CLI surely refuses is refused, and nothing else.

The CLI compiles them with Rust's `fancy-regex` (https://docs.rs/fancy-regex/0.14), which knows all of RE2 but
for small things, and more: looking around, references to groups. What it reads of the rest, Python's own
engine reads too, once a few spellings are the same. What neither of the two compiles is refused.
"""

from __future__ import annotations

import re
import warnings

import re2

_LONGEST = 1_000
"""Characters of a pattern that is read twice; a longer one is mirrord's to judge."""

_SPELLINGS = (
    (re.compile(r"\\[pP](\{\^?[\w =:-]+\}|[A-Z])"), r"\\w"),
    (re.compile(r"\\[uUx]\{[0-9A-Fa-f]{1,8}\}"), "x"),
    (re.compile(r"\\b\{(start|end|start-half|end-half)\}"), r"\\b"),
    (re.compile(r"\\[hHGKR<>]"), "x"),
    (re.compile(r"\\z"), r"\\Z"),
    (re.compile(r"\\k<(\w+)>"), r"(?P=\1)"),
    (re.compile(r"\(\?<(?=[A-Za-z_])"), "(?P<"),
    (re.compile(r"(?<!\\)[*+?]{3,}|(?<!\\)\*\*|(?<!\\)\+\*"), "*"),
)
"""What Rust spells in a way that Python does not know, and something of Python's in its place."""


def is_expression(pattern: str) -> bool:
    """Return whether `pattern` may be a regular expression to mirrord."""
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(pattern, options)
    except re2.error:
        return len(pattern) > _LONGEST or _is_one_of_python(pattern)
    return True


def _is_one_of_python(pattern: str) -> bool:
    for spelling, same in _SPELLINGS:
        pattern = spelling.sub(same, pattern)
    with warnings.catch_warnings():
        # A class within a class (`[a&&b]`) may mean another thing in a later Python, and is one in Rust.
        warnings.simplefilter("ignore")
        try:
            re.compile(pattern)
        except (re.error, OverflowError, RecursionError):
            return False
    return True
