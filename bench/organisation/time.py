"""A loop whose time jumps to whatever is due next: nothing waits, and a day is as long as its work."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")

MIDNIGHT = datetime(2026, 11, 24, tzinfo=UTC)


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop without sockets, under a time of its own that begins at 0."""

    def __init__(self) -> None:
        self.passed = 0.0
        super().__init__(_Jumping(self._jump))

    def time(self) -> float:
        """Return the seconds since the beginning."""
        return self.passed

    def _jump(self, seconds: float) -> None:
        self.passed += seconds


class _Jumping(selectors.SelectSelector):
    """Waits for nothing: where others would sleep until a timer is due, it makes it due."""

    def __init__(self, jump: Callable[[float], None]) -> None:
        super().__init__()
        self._jump = jump

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Jump over the time in which nothing happens; raises RuntimeError where nothing ever would."""
        if timeout is None:
            raise RuntimeError("everybody waits for what never comes")
        if timeout > 0:
            self._jump(timeout)
        return []


class Clock:
    """The time of the day in the loop that runs; callable, and with `now`, as the clocks of tests are."""

    @property
    def now(self) -> datetime:
        """The time."""
        return MIDNIGHT + timedelta(seconds=asyncio.get_running_loop().time())

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run something under such a time, from its beginning."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(main)
