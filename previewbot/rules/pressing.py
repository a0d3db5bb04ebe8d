"""How often somebody may press buttons of pages: a press is an object, of which everybody's are counted."""

from __future__ import annotations

from collections import OrderedDict, deque
from datetime import datetime, timedelta

MOST = 10
"""Presses of one person in `WITHIN`. The controller carries out five at once; a quota counts all of them."""

MOST_BY_PROXY = 30
"""Presses of all who come by a proxy, at one preview in `WITHIN`: only the proxy tells them apart."""

WITHIN = timedelta(minutes=1)

_MOST_PEOPLE = 10_000
"""Kept in memory; who pressed longest ago is forgotten first."""


class Presses:
    """What people pressed lately. It is in memory: each process counts for itself."""

    def __init__(self, most: int = MOST) -> None:
        self._pressed: OrderedDict[str, deque[datetime]] = OrderedDict()
        self._most = most

    def may_press(self, who: str, now: datetime) -> bool:
        """Return whether somebody may press a button now, and take it as pressed then."""
        lately = self._pressed.setdefault(who, deque())
        self._pressed.move_to_end(who)
        while lately and now - lately[0] >= WITHIN:
            lately.popleft()
        if len(lately) >= self._most:
            return False
        lately.append(now)
        while len(self._pressed) > _MOST_PEOPLE:
            self._pressed.popitem(last=False)
        return True


class PressesOfPages:
    """What people pressed lately on pages, each for themselves, and all by proxy of one preview."""

    def __init__(self) -> None:
        self._each, self._by_proxy = Presses(), Presses(MOST_BY_PROXY)

    def may_press(self, who: str, preview: str, now: datetime, *, by_proxy: bool) -> bool:
        """Return whether somebody may press a button of a preview now, and take it as pressed then."""
        # Their own first: whoever presses too often uses up nothing of the others'.
        if not self._each.may_press(who, now):
            return False
        return not by_proxy or self._by_proxy.may_press(preview, now)
