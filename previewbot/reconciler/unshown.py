"""Pull requests that GitHub does not show, although it shows their repositories; a restart forgets them."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta

from previewbot.reconciler.bounded import keep

_KEPT = 10_000
_LOOKS, _FOR = 3, timedelta(minutes=10)
"""So many looks, over so long, must agree that a pull request is gone: a few bad minutes of GitHub's are over
then."""
_APART = timedelta(minutes=1)


class Unshown:
    """Pull requests that GitHub answers 404 for, although their repositories are readable."""

    def __init__(self) -> None:
        self._looks: OrderedDict[str, tuple[datetime, datetime, int]] = OrderedDict()

    def is_for_good(self, name: str, now: datetime) -> bool:
        """Note a look that found nothing; return whether enough of them agree over long enough."""
        first, last, looks = self._looks.get(name, (now, now - _APART, 0))
        # Pokes may cause many looks in one minute: these are one answer.
        if now - last >= _APART:
            last, looks = now, looks + 1
        keep(self._looks, name, (first, last, looks), _KEPT)
        return looks >= _LOOKS and last - first >= _FOR

    def forget(self, name: str) -> None:
        """Forget a pull request that GitHub shows, or whose Preview is gone."""
        self._looks.pop(name, None)
