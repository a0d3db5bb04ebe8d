"""Turns for those who have something to do: however many they are, a probe does not wait for all of them.

gevent goes on with everybody who can go on before it looks for new connections and requests. When thousands
send something at the same moment, that takes seconds, in which the kubelet would hear nothing, and after a
minute of that it would start web again.
"""

from __future__ import annotations

from collections import deque

import gevent
from gevent.hub import Waiter


class Turns:
    """Lets `at_once` go on between two looks at the sockets, first come, first served; the others wait."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._left = at_once
        self._waiting: deque[Waiter] = deque()
        # Fires when the sockets have been looked at: https://www.gevent.org/loop_impls.html (libev).
        self._looked = gevent.get_hub().loop.timer(0.0)

    def take(self) -> None:
        """Return when it is this greenlet's turn."""
        if not self._looked.active:
            self._looked.start(self._next)
        if self._left > 0:
            self._left -= 1
            return
        waiter = Waiter()
        self._waiting.append(waiter)
        waiter.get()

    def _next(self) -> None:
        self._looked.stop()
        self._left = self._at_once - min(self._at_once, len(self._waiting))
        if self._waiting:
            self._looked.start(self._next)
        for _ in range(self._at_once - self._left):
            # It runs here, until it waits for something.
            self._waiting.popleft().switch(None)
