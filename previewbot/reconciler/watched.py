"""How many pull requests of an installation are watched: looked at again and again, since they wait."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta

_COUNTS_FOR = timedelta(minutes=6)
"""Longer than any pause between two passes of one that waits (`plan/requeue.py`)."""


class Watched:
    """By installation, when a pass last found that a Preview is watched. It is in memory: after a restart
    each has been counted once all were looked at."""

    def __init__(self) -> None:
        self._seen: dict[int, OrderedDict[str, datetime]] = {}

    def count(self, installation_id: int, name: str, now: datetime) -> int:
        """Note that a Preview is watched; return how many of its installation are."""
        seen = self._seen.setdefault(installation_id, OrderedDict())
        seen[name] = now
        seen.move_to_end(name)
        # The oldest come first, so that a pass walks over no more than have gone since the last.
        while now - next(iter(seen.values())) >= _COUNTS_FOR:
            seen.popitem(last=False)
        return len(seen)

    def forget(self, name: str) -> None:
        """Forget a Preview that is gone."""
        for installation_id, seen in list(self._seen.items()):
            seen.pop(name, None)
            if not seen:
                del self._seen[installation_id]
