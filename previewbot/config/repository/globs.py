"""Patterns of paths as people write them: which can never match, and what to write instead."""

from __future__ import annotations

import re
import warnings

from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern
from pydantic import WithJsonSchema

from previewbot.config.repository.patterns import Patterns
from previewbot.config.types import TEXT, mistake

_WILDCARD = re.compile(r"\*+|\?|\[")
_LONGEST_GLOB = 300

# What the published schema says of these values is as much as a regular expression can.
GLOB_SCHEMA = WithJsonSchema(
    {"type": "string", "pattern": TEXT, "maxLength": _LONGEST_GLOB, "not": {"pattern": r"^(\./|#)"}}
)


def glob(written: str) -> str:
    """Return a gitignore-style pattern."""
    # Git's patterns know no `./`: such a pattern would match nothing, and the service would never have a
    # preview.
    if written.startswith("./"):
        raise mistake("glob_dot", instead=written[2:])
    if len(written) > _LONGEST_GLOB:
        raise mistake("glob_long", written=written, most=_LONGEST_GLOB)
    if not _can_be_matched(written):
        raise mistake("glob", written=written)
    return written


def _can_be_matched(written: str) -> bool:
    """Return whether a pattern is one, and one that RE2 takes, with which paths are matched."""
    try:
        with warnings.catch_warnings():
            # What Python's regular expressions only warn of, RE2 refuses: a set within a set.
            warnings.simplefilter("error", FutureWarning)
            pattern = GitIgnoreSpecPattern(written)
            Patterns([[written]])
    except (ValueError, re.error, FutureWarning):
        return False
    return pattern.include is not None


def count_wildcards(pattern: str) -> int:
    """Return of how many wildcards a pattern is made; `/**` at its end needs none to be matched."""
    return len(_WILDCARD.findall(pattern.removesuffix("/**")))


def globs(patterns: tuple[str, ...]) -> tuple[str, ...]:
    """Return the patterns of a service; those with ! take away from those before them."""
    if patterns[0].startswith("!"):
        raise mistake("glob_first", written=patterns[0])
    return patterns
