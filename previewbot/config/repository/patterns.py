"""The `paths` of all services as one set, with which changed files are matched.

The reader makes the set to see that it can be made, so that what it lets through can be matched later.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

import re2
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern
from pathspec.util import normalize_file

# How pathspec writes, in a regular expression, that what was named is a folder above the file; and that it is
# this or the file itself.
_FOLDER = "(?P<ps_d>/)"
_FOLDER_OR_FILE = f"(?:{_FOLDER}|$)"
_MEMORY = 8 * 1024 * 1024

SHARED = -1
"""What stands among the services of a path for those paths that belong to all of them."""
_IGNORED = -2


class Unmatchable(ValueError):
    """No set can be made of these patterns: RE2 takes one of them not at all, or all of them not together."""


class _Expression(NamedTuple):
    """What a match of one expression of the set says: of which service, in or out, and how firmly."""

    service: int
    include: bool
    rank: int


class Patterns:
    """Gitignore-style patterns of several services, tried all at once: a path is read a single time.

    Whoever opens a pull request chooses its paths. RE2 needs time in proportion to their length only; of
    Python's own regular expressions a single path can keep the whole process for minutes.
    """

    def __init__(
        self, services: Sequence[Sequence[str]], shared: Sequence[str] = (), ignored: Sequence[str] = ()
    ) -> None:
        """Make the set; what is `ignored` belongs to no service, and is not shared either."""
        self._expressions: list[_Expression] = []
        self._known: dict[tuple[int, ...], frozenset[int]] = {}
        options = re2.Options()
        options.log_errors = False
        options.never_capture = True
        options.max_mem = _MEMORY
        self._set = re2.Set.SearchSet(options)
        try:
            for at, patterns in enumerate(services):
                self._add(at, patterns, split=bool(ignored))
            self._add(SHARED, shared, split=bool(ignored))
            # The last ones: they have the last word.
            self._add(_IGNORED, ignored, split=True)
            # This also tries whether there is memory to match with.
            self._set.Compile()
        except re2.error as error:
            raise Unmatchable(str(error)) from None

    def services_of(self, path: str) -> frozenset[int]:
        """Return which services a path belongs to, by their numbers; SHARED among them if to all."""
        # A name that is not UTF-8 cannot be what a pattern names.
        text = normalize_file(composed(path.encode(errors="replace").decode()))
        # RE2 tells them in no order.
        found = tuple(sorted(self._set.Match(text) or ()))
        # Paths of one folder match the same expressions, and there may be hundreds of these.
        if found not in self._known:
            self._known[found] = self._decided(found)
        return self._known[found]

    def _add(self, service: int, patterns: Sequence[str], *, split: bool = False) -> None:
        read = [(each, *GitIgnoreSpecPattern.pattern_to_regex(composed(each))) for each in patterns]
        split = split or any(include is False for _, _, include in read)
        for pattern, regex, include in read:
            if regex is None or include is None:
                continue
            variants = [regex]
            # Only what is taken away later depends on whether a folder or the file itself was named.
            if split and regex.endswith(_FOLDER_OR_FILE):
                base = regex.removesuffix(_FOLDER_OR_FILE)
                variants = [f"{base}{_FOLDER}", f"{base}$"]
            for variant in variants:
                self._set.Add(variant)
                firm = _FOLDER not in variant or (service == _IGNORED and not _names_files(pattern))
                self._expressions.append(_Expression(service, include, 2 if firm else 1))

    def _decided(self, found: tuple[int, ...]) -> frozenset[int]:
        """Return the services that are left when each has read its patterns in their order, as Git does."""
        last: dict[int, _Expression] = {}
        ignored = 0
        for one in (self._expressions[at] for at in found):
            if one.service == _IGNORED:
                ignored = max(ignored, one.rank) if one.include else 0
                continue
            before = last.get(one.service)
            # `!docs/` takes a folder away but not a file that was named itself; a folder may come back.
            if before is None or one.rank >= before.rank or one.include:
                last[one.service] = one
        return frozenset(service for service, one in last.items() if one.include and one.rank > ignored)


def _names_files(pattern: str) -> bool:
    """Return whether a pattern is about an ending, `*.md`: no folder that is called so is meant."""
    return pattern.rpartition("/")[2].startswith("*.")


def composed(text: str) -> str:
    """Return a text in the form in which most systems write it.

    macOS names a file with an `o` and two dots of their own where a keyboard writes an `ö`; Git keeps either:
    https://git-scm.com/docs/git-config#Documentation/git-config.txt-coreprecomposeUnicode
    """
    return unicodedata.normalize("NFC", text)
