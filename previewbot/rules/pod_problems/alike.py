"""Whether two messages say the same, though each attempt puts another number into its own. Pure.

A pod that gets no network, a volume that does not come, a quota that is used up: what is wrong stays for
hours, while ids, ports, times, amounts and the names of pods change with every attempt. Told anew each time,
one steady problem would edit the comment all day.
"""

from __future__ import annotations

import re

# What a ReplicaSet's pods are called: with its hash, and five characters of their own, or none yet.
_POD_RE = re.compile(r"-[a-z0-9]{6,10}-(?:[a-z0-9]{5})?(?![a-z0-9-])")
_ID_RE = re.compile(r"\b[0-9a-f]{32,}\b")
_QUOTED_RE = re.compile(r"(\"[^\"]*\")")
_NUMBER_RE = re.compile(r"[0-9]+")


def alike(one: str, other: str) -> bool:
    """Return whether two messages differ by numbers alone, by a pod's name, or by the order of words.

    A number in quotes counts: it belongs to a name, and `"cert-1"` is another Secret than `"cert-2"`.
    """
    return one == other or _words(one) == _words(other)


def _words(message: str) -> list[str]:
    plain = _ID_RE.sub("", _POD_RE.sub("", message))
    parts = _QUOTED_RE.split(plain)
    said = "".join(part if place % 2 else _NUMBER_RE.sub("0", part) for place, part in enumerate(parts))
    # Of several volumes some are listed in another order each time.
    return sorted(re.split(r"[\s\[\](),]+", said))
