"""Work of one kind that comes in while some of it is under way is merged, and done once.

CI tells of every check it starts and ends, many at once, and each of those deliveries means the same: look
again at this pull request.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

W = TypeVar("W")
R = TypeVar("R")


@dataclass
class _Batch(Generic[W, R]):
    """Work that is done once for all who wait for it."""

    work: W
    done: threading.Event = field(default_factory=threading.Event)
    results: list[R] = field(default_factory=list)
    error: BaseException | None = None

    def wait(self, deadline: float) -> bool:
        return self.done.wait(max(0.0, deadline - time.monotonic()))

    def end(self, error: BaseException | None = None) -> None:
        self.error = error
        self.done.set()

    def outcome(self) -> R:
        if self.error is not None:
            raise self.error
        return self.results[0]


class Coalescer(Generic[W, R]):
    """Does work by key with at most one under way per key; safe to use from several threads.

    Everybody gets the outcome of work that began after they asked, never of that which was under way: it may
    have been stored before what they tell of.
    """

    def __init__(self, do: Callable[[W, float], R], merge: Callable[[W, W], W]) -> None:
        self._do = do
        self._merge = merge
        self._lock = threading.Lock()
        self._running: dict[Hashable, _Batch[W, R]] = {}
        self._next: dict[Hashable, _Batch[W, R]] = {}

    def ask(self, key: Hashable, work: W, deadline: float) -> R:
        """Have work done by `deadline` (on the monotonic clock); `do` is told its first asker's.

        Raises what the work raises, and TimeoutError if it is not done in time.
        """
        with self._lock:
            # Three cases. Some work waits already: join it, since it begins after we asked. Some is under
            # way: it may have been sent before what we tell of, so wait for its end and then begin. Otherwise
            # begin at once.
            before, shared = self._running.get(key), self._next.get(key)
            if shared is not None:
                shared.work = self._merge(shared.work, work)
            elif before is not None:
                batch = self._next[key] = _Batch(work)
            else:
                batch = self._running[key] = _Batch(work)
        if shared is not None:
            if not shared.wait(deadline):
                raise TimeoutError
            return shared.outcome()
        if before is not None:
            self._follow(key, before, batch, deadline)
        return self._run(key, batch, deadline)

    def _follow(self, key: Hashable, before: _Batch[W, R], batch: _Batch[W, R], deadline: float) -> None:
        """Wait for what is under way, and take its place."""
        in_time = before.wait(deadline)
        with self._lock:
            del self._next[key]
            if in_time:
                self._running[key] = batch
        if not in_time:
            # What is under way hangs. Those who joined us came later and may have more time, but theirs is
            # the same request to the same server: they fail with us, and GitHub gets its 503 in time.
            batch.end(TimeoutError())
            batch.outcome()

    def _run(self, key: Hashable, batch: _Batch[W, R], deadline: float) -> R:
        error: BaseException | None = None
        try:
            # From here on nobody can join: `_follow` took the batch out of `_next`, and a first batch never
            # was in it.
            batch.results.append(self._do(batch.work, deadline))
        except BaseException as raised:
            error = raised
        with self._lock:
            # If another batch waits, it takes over our slot by itself when `done` is set below. If none does,
            # free it here.
            if self._running.get(key) is batch and key not in self._next:
                del self._running[key]
        batch.end(error)
        return batch.outcome()
