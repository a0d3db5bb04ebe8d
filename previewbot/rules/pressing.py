"""How often somebody may press buttons of pages: a press is an object, of which everybody's are counted."""

from __future__ import annotations

from collections import OrderedDict, deque
from datetime import datetime, timedelta

MOST = 10
"""Presses of one account in `WITHIN`. The controller carries out five at once; a quota counts all of them."""

WITHIN = timedelta(minutes=1)

_MOST_ACCOUNTS = 10_000
"""Kept in memory; who pressed longest ago is forgotten first."""


class Presses:
    """What people pressed lately. It is in memory: each process counts for itself."""

    def __init__(self) -> None:
        self._pressed: OrderedDict[int, deque[datetime]] = OrderedDict()

    def may_press(self, account: int, now: datetime) -> bool:
        """Return whether an account may press a button now, and take it as pressed then."""
        lately = self._pressed.setdefault(account, deque())
        self._pressed.move_to_end(account)
        while lately and now - lately[0] >= WITHIN:
            lately.popleft()
        if len(lately) >= MOST:
            return False
        lately.append(now)
        while len(self._pressed) > _MOST_ACCOUNTS:
            self._pressed.popitem(last=False)
        return True
