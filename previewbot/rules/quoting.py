"""How often previewbot quotes people who come by a proxy: each time is a comment that others are mailed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

MOST_QUOTED = 20
"""Quotations in one pull request in `WITHIN`, of all people together: only the proxy tells them apart."""

WITHIN = timedelta(hours=1)

MOST_OF_ONE = 5
"""Of these so many of one person, in each process of pages: what one says leaves room for others."""

_MOST_PREVIEWS = 1_000
"""Kept in memory; the one at which nothing was said for longest is forgotten first."""


class Full(StrEnum):
    """Why nothing more is taken to be quoted."""

    OF_THEM = "of them"
    OF_ALL = "of all"


@dataclass(frozen=True)
class _Taken:
    """What was taken to be quoted: the name of its request, from whom, and when."""

    request: str
    who: str
    at: datetime


class TakenToQuote:
    """What pages took lately to be quoted, and is perhaps not quoted yet.

    It is in memory: each process counts for itself, and what several took too much of waits.
    """

    def __init__(self) -> None:
        self._taken: OrderedDict[str, tuple[_Taken, ...]] = OrderedDict()

    def full(self, preview: str, request: str, who: str, now: datetime) -> Full | None:
        """Return why a request of somebody about a preview can not be taken now, None if it can.

        One that was taken is taken again: a form that is sent twice.
        """
        taken = self._lately(preview, now)
        if any(each.request == request for each in taken):
            return None
        if len(taken) >= MOST_QUOTED:
            return Full.OF_ALL
        return Full.OF_THEM if sum(each.who == who for each in taken) >= MOST_OF_ONE else None

    def take(self, preview: str, request: str, who: str, now: datetime) -> None:
        """Note that a request was taken."""
        others = (each for each in self._lately(preview, now) if each.request != request)
        self._taken[preview] = (*others, _Taken(request, who, now))
        self._taken.move_to_end(preview)
        while len(self._taken) > _MOST_PREVIEWS:
            self._taken.popitem(last=False)

    def _lately(self, preview: str, now: datetime) -> tuple[_Taken, ...]:
        return tuple(each for each in self._taken.get(preview, ()) if now - each.at < WITHIN)


def quoted_lately(moments: Iterable[datetime], now: datetime) -> tuple[datetime, ...]:
    """Return of the moments at which somebody was quoted those that still count."""
    return tuple(each for each in moments if now - each < WITHIN)
