"""Clocks for tests: one that stands still until it is moved, and one that runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta


@dataclass
class Clock:
    """A clock that stands still until a test moves it."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now

    def forward(self, **by: float) -> None:
        """Move on, as in `timedelta(**by)`."""
        self.now += timedelta(**by)


@dataclass
class RunningClock:
    """The real time, which a test may put `ahead`: for whoever checks what was signed with the real time."""

    ahead: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        """Return the time."""
        return datetime.now(UTC) + self.ahead
