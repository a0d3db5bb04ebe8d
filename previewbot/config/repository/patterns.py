"""The `paths` of all services as one set, with which changed files are matched.

The reader makes the set to see that it can be made, so that what it lets through can be matched later.
"""

from __future__ import annotations

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

    def __init__(self, services: Sequence[Sequence[str]]) -> None:
        self._expressions: list[_Expression] = []
        self._known: dict[tuple[int, ...], frozenset[int]] = {}
        options = re2.Options()
        options.log_errors = False
        options.never_capture = True
        options.max_mem = _MEMORY
        self._set = re2.Set.SearchSet(options)
        try:
            for at, patterns in enumerate(services):
                self._add(at, patterns)
            # This also tries whether there is memory to match with.
            self._set.Compile()
        except re2.error as error:
            raise Unmatchable(str(error)) from None

    def services_of(self, path: str) -> frozenset[int]:
        """Return which services a path belongs to, by their numbers."""
        # A name that is not UTF-8 cannot be what a pattern names.
        text = normalize_file(path.encode(errors="replace").decode())
        # RE2 tells them in no order.
        found = tuple(sorted(self._set.Match(text) or ()))
        # Paths of one folder match the same expressions, and there may be hundreds of these.
        if found not in self._known:
            self._known[found] = self._decided(found)
        return self._known[found]

    def _add(self, service: int, patterns: Sequence[str]) -> None:
        read = [GitIgnoreSpecPattern.pattern_to_regex(pattern) for pattern in patterns]
        takes_away = any(include is False for _, include in read)
        for regex, include in read:
            if regex is None or include is None:
                continue
            variants = [regex]
            # Only what a later pattern takes away depends on whether a folder or the file itself was named.
            if takes_away and regex.endswith(_FOLDER_OR_FILE):
                base = regex.removesuffix(_FOLDER_OR_FILE)
                variants = [f"{base}{_FOLDER}", f"{base}$"]
            for variant in variants:
                self._set.Add(variant)
                self._expressions.append(_Expression(service, include, 1 if _FOLDER in variant else 2))

    def _decided(self, found: tuple[int, ...]) -> frozenset[int]:
        """Return the services that are left when each has read its patterns in their order, as Git does."""
        last: dict[int, _Expression] = {}
        for one in (self._expressions[at] for at in found):
            before = last.get(one.service)
            # `!docs/` takes a folder away but not a file that was named itself; a folder may come back.
            if before is None or one.rank >= before.rank or one.include:
                last[one.service] = one
        return frozenset(service for service, one in last.items() if one.include)
