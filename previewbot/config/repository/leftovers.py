"""Whether patterns that take away, `ignore` and those with !, leave anything of what the others name.

Which paths two patterns have in common cannot be told from how they are written. So paths are made up for
each pattern, of names that nobody would have thought of, and tried. Only where all of them are taken away is
anything said: to refuse a file that works is worse than to be silent about one that does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import product
from typing import NamedTuple

from previewbot.config.repository.globs import adding, are_apart, effective, readings
from previewbot.config.repository.patterns import SHARED, Patterns

_NAMES = ("qzx", "0q_.7", "QØ")
"""They begin and end with different signs, so that no one wildcard of somebody's means all by chance."""
_DEPTHS = (2, 1, 0)
"""How many folders two stars may stand for; what is taken away may be all but the uppermost."""
_FIRST, _LAST = 0, -1
_SIGNS = re.compile(r"\*\*/?|\*|\?|\[(?P<set>!?\]?[^\]]*)\]|\\(?P<plain>.)")
_MOST_TRIED = 32 * 1024
"""So much of paths is tried, and nothing is said of more: some 0.3 s, if the patterns are made for it."""


class Emptied(NamedTuple):
    """The services, by their numbers, of which nothing is left; what is shared is SHARED."""

    by_own: list[int]
    by_ignored: list[int]


def emptied(
    counted: Patterns, services: Sequence[Sequence[str]], shared: Sequence[str], ignored: Sequence[str]
) -> Emptied:
    """Return of which services nothing is left, and whether their own patterns with ! or `ignored` took it.

    `counted` is the set of all these patterns. Raises Unmatchable where none can be made of a part of them.
    """
    if not ignored and not any(map(_taking_away, [*services, shared])):
        return Emptied([], [])
    taken_back = _taking_away(ignored)
    room, nothing = _MOST_TRIED, dict[int, list[str]]()
    for at, patterns in (*enumerate(services), (SHARED, shared)):
        naming = adding(patterns)
        # What of `**/*.go` is taken back in a service's folder cannot be made up of either pattern alone.
        if not all(are_apart(back, each) for back in taken_back for each in naming):
            continue
        tried = list[str]()
        for path in _made_up(naming):
            room -= len(path)
            if room < 0 or at in counted.services_of(path):
                break
            tried.append(path)
        else:
            nothing[at] = tried
    if not nothing:
        return Emptied([], [])
    own, common = [effective(each) for each in services], effective(shared)
    named, unignored = Patterns(list(map(adding, own)), adding(common)), Patterns(own, common)
    by_ignored = [at for at, paths in nothing.items() if _has_any(unignored, at, paths)]
    others = [at for at in nothing if at not in by_ignored]
    return Emptied([at for at in others if _has_any(named, at, nothing[at])], by_ignored)


def _has_any(patterns: Patterns, service: int, paths: Sequence[str]) -> bool:
    return any(service in patterns.services_of(path) for path in paths)


def _taking_away(patterns: Sequence[str]) -> list[str]:
    """Return the patterns with !, without it."""
    return [pattern[1:] for pattern in patterns if pattern.startswith("!")]


def _made_up(patterns: Sequence[str]) -> Iterator[str]:
    """Yield paths that may match patterns, each once: whoever asks sees which do."""
    seen = set[str]()
    # As written: of `docs/**` people mean the files in `docs`, and not that this may be a submodule.
    for pattern in (each for written in patterns for each in readings(written)):
        # One without a slash, but at its end, is about every folder.
        whole = pattern if "/" in pattern.rstrip("/") else f"**/{pattern}"
        for name, depth, which in product(_NAMES, _DEPTHS, (_FIRST, _LAST)):
            path = _SIGNS.sub(partial(_instead, name, depth, which), whole).strip("/")
            for each in (path, f"{path}/{name}"):
                if each not in seen:
                    seen.add(each)
                    yield each


def _instead(name: str, depth: int, which: int, sign: re.Match[str]) -> str:
    """Return what may stand where a pattern has a wildcard."""
    if sign["plain"]:
        return sign["plain"]
    if sign["set"] is None:
        folders = f"{name}/" * depth
        return {"**/": folders, "**": folders.rstrip("/") or name, "*": name, "?": name[0]}[sign[0]]
    # A set has at least its own first and last sign; one that leaves signs out seldom leaves out the name's.
    return name[0] if sign["set"].startswith("!") else sign["set"][which:][:1]
