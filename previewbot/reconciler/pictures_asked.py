"""What the worker of pictures was asked and when, so that no pass waits for one that is away.

And whether what it answers can be stored at all.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime

from previewbot.reconciler.bounded import keep
from previewbot.reconciler.observation import PicturesAskedFor
from previewbot.reconciler.plan.pictures import AGAIN, AWAY
from previewbot.rules.pictures import Wish

_KEPT = 10_000


class PicturesAsked:
    """What the worker was last asked for each Preview, and since when it does not answer."""

    def __init__(self) -> None:
        self._asked: OrderedDict[str, PicturesAskedFor] = OrderedDict()
        self._rests_until: datetime | None = None

    def of(self, name: str) -> PicturesAskedFor | None:
        """Return what it was last asked for a Preview; None if that was nothing."""
        return self._asked.get(name)

    def answered(self, name: str, wish: Wish, now: datetime) -> None:
        """Note that it answered to a wish."""
        self._note(name, wish, now, rests=0.0)

    def refused(self, name: str, wish: Wish, now: datetime) -> None:
        """Note that nothing comes of a wish, whoever is to blame: it is the only one that waits for that."""
        self._note(name, wish, now, rests=AGAIN.total_seconds())

    def unanswered(self, name: str, wish: Wish, now: datetime) -> None:
        """Note that it did not answer to a wish, so that it is not asked for anybody now.

        Should it be this one wish that it cannot bear, it waits longer each time than those of others: else
        it would be the first again and again, and nobody else's turn would come.
        """
        before = self._asked.get(name)
        rests = 2 * before.rests if before is not None and before.of == wish.of else 0.0
        rests = min(max(rests, AWAY.total_seconds()), AGAIN.total_seconds())
        self._note(name, wish, now, rests=rests)
        self.away(now)

    def away(self, now: datetime) -> None:
        """Note that it did not answer: for half a minute it is asked nothing."""
        self._rests_until = now + AWAY

    def not_stored(self, now: datetime) -> None:
        """Note that what it answers cannot be stored: for five minutes it is asked nothing."""
        self._rests_until = now + AGAIN

    def rest(self, now: datetime) -> float:
        """Return for how many seconds it is not asked anything, 0 if it may be asked."""
        until = self._rests_until
        return max(0.0, (until - now).total_seconds()) if until is not None else 0.0

    def forget(self, name: str) -> None:
        """Forget a Preview that has no pictures any more."""
        self._asked.pop(name, None)

    def _note(self, name: str, wish: Wish, now: datetime, *, rests: float) -> None:
        before = self._asked.get(name)
        since = before.since if before is not None and before.of == wish.of else now
        asked = PicturesAskedFor(wish.of, since, now, wish.until, wish.only_asks, rests)
        keep(self._asked, name, asked, _KEPT)
