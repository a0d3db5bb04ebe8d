"""The work queue: names only, one worker per name at a time, adds during a run become one more run."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Hashable
from typing import Generic, TypeVar

from prometheus_client import CollectorRegistry, Gauge

Key = TypeVar("Key", bound=Hashable)

_BACKOFF_FIRST, _BACKOFF_LAST = 1.0, 300.0
"""Seconds."""


class WorkQueue(Generic[Key]):
    """Keys in the order of their adding; each is handed to one worker at a time."""

    def __init__(self, metrics: CollectorRegistry) -> None:
        self._ready: asyncio.Queue[Key] = asyncio.Queue()
        self._waiting: set[Key] = set()
        self._running: set[Key] = set()
        self._again: set[Key] = set()
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._failures: dict[Key, int] = {}
        depth = Gauge("previewbot_queue_depth", "Pull requests that wait for a worker", registry=metrics)
        depth.set_function(lambda: len(self._waiting))

    def add(self, key: Key) -> None:
        """Ask for a run of a key now; while it runs, for one more right after."""
        self._cancel_timer(key)
        # What happens during a run may have come too late for it, so there is one more run. But never two at
        # once: two passes over one Preview would write their status in turns.
        if key in self._running:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting.add(key)
            self._ready.put_nowait(key)

    def add_after(self, key: Key, seconds: float) -> None:
        """Ask for a run in some seconds, unless one is due sooner."""
        loop = asyncio.get_running_loop()
        due = loop.time() + seconds
        timer = self._timers.get(key)
        if timer is not None and timer.when() <= due:
            return
        self._cancel_timer(key)
        self._timers[key] = loop.call_at(due, self.add, key)

    async def get(self) -> Key:
        """Wait for the next key; the caller must call `done` with it."""
        key = await self._ready.get()
        self._waiting.discard(key)
        self._running.add(key)
        return key

    def done(self, key: Key) -> None:
        """End a run; what was added meanwhile is run again."""
        self._running.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    def succeeded(self, key: Key) -> None:
        """Forget a key's failures."""
        self._failures.pop(key, None)

    def failed(self, key: Key, at_least: float | None = None) -> float:
        """Run a key again after a backoff that doubles with each failure in a row; return the seconds."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        # The exponent is bounded, since 2.0 to the power of some thousand failures would overflow.
        backoff = min(_BACKOFF_LAST, _BACKOFF_FIRST * 2.0 ** min(failures, 16))
        # Jittered, so that pull requests that failed together do not come back together.
        seconds = max(backoff * random.uniform(0.5, 1.0), at_least or 0.0)
        self.add_after(key, seconds)
        return seconds

    def _cancel_timer(self, key: Key) -> None:
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
