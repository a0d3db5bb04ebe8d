"""Whether something may be said in the log again: who can make it happen must not fill the log with it."""

from __future__ import annotations

from datetime import datetime, timedelta

APART = timedelta(hours=1)
"""How long nothing is said again of the same."""

MOST = 100
"""Of so many different ones in that time; of more nothing is said."""


class Seldom:
    """What was said lately, by what it is about. It is in memory: a restart says it once more."""

    def __init__(self) -> None:
        self._said: dict[str, datetime] = {}

    def is_due(self, about: str, now: datetime) -> bool:
        """Return whether it may be said of this now, and take it as said then."""
        self._said = {each: at for each, at in self._said.items() if now - at < APART}
        if about in self._said or len(self._said) >= MOST:
            return False
        self._said[about] = now
        return True
