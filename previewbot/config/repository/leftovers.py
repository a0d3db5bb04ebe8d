"""Whether patterns that take away, `ignore` and those with !, leave anything of what the others name.

Which paths two patterns have in common cannot be told from how they are written. So paths are made up for
each pattern, of names that nobody would have thought of, and tried. Only where all of them are taken away is
anything said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

from previewbot.config.repository.globs import effective, readings
from previewbot.config.repository.patterns import SHARED, Patterns

_NAMES = ("qzx", "0Q_.7")
"""Two that begin and end with different signs, so that no one wildcard of somebody's means both by chance."""
_SIGNS = re.compile(r"\*\*|\*|\?|\[(?P<set>!?\]?[^\]]*)\]|\\(?P<plain>.)")


class Emptied(NamedTuple):
    """The services, by their numbers, of which nothing is left; what is shared is SHARED."""

    by_own: list[int]
    by_ignored: list[int]


def emptied(services: Sequence[Sequence[str]], shared: Sequence[str], ignored: Sequence[str]) -> Emptied:
    """Return of which services nothing is left, and whether their own patterns with ! or `ignored` took it.

    Raises Unmatchable where no set can be made of the patterns.
    """
    own = [effective(each) for each in services]
    common = effective(shared)
    if not ignored and not any(map(_take_away, [*own, common])):
        return Emptied([], [])
    named = Patterns(list(map(_naming, own)), _naming(common))
    counted = Patterns(own, common, effective(ignored))
    taken_back = [pattern[1:] for pattern in ignored if pattern.startswith("!")]
    made_up = {
        at: [path for path in _made_up([*_naming(patterns), *taken_back]) if at in named.services_of(path)]
        for at, patterns in (*enumerate(services), (SHARED, shared))
    }
    nothing = [
        at
        for at, paths in made_up.items()
        if paths and not any(at in counted.services_of(path) for path in paths)
    ]
    if not nothing:
        return Emptied([], [])
    unignored = Patterns(own, common)
    by_ignored = [at for at in nothing if any(at in unignored.services_of(path) for path in made_up[at])]
    return Emptied([at for at in nothing if at not in by_ignored], by_ignored)


def _take_away(patterns: Sequence[str]) -> bool:
    return any(pattern.startswith("!") for pattern in patterns)


def _naming(patterns: Sequence[str]) -> list[str]:
    return [pattern for pattern in patterns if not pattern.startswith("!")]


def _made_up(patterns: Sequence[str]) -> Iterator[str]:
    """Yield paths that may match patterns: whoever asks sees which do."""
    # As written: of `docs/**` people mean the files in `docs`, and not that this may be a submodule.
    for pattern in (each for written in patterns for each in readings(written)):
        for name in _NAMES:
            path = _SIGNS.sub(partial(_instead, name), pattern).strip("/")
            yield path
            yield f"{path}/{name}"
            if "/" not in pattern.rstrip("/"):
                yield f"{name}/{path}"


def _instead(name: str, sign: re.Match[str]) -> str:
    """Return what may stand where a pattern has a wildcard."""
    if sign["plain"]:
        return sign["plain"]
    if sign["set"] is None:
        return {"**": f"{name}/{name}", "*": name, "?": name[0]}[sign[0]]
    # A set has at least its own first sign; one that leaves signs out seldom leaves out the name's.
    return name[0] if sign["set"].startswith("!") else sign["set"][:1]
