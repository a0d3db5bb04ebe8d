"""The state as it is, and as it was: GitHub's API may show a world that is some seconds old."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count

from previewbot_demo.github.model import State

Clock = Callable[[], datetime]

_KEPT = timedelta(minutes=5)


class Store:
    """Holds every state of the last five minutes (`kept`); `lag` is how many seconds reads are behind."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._history: list[tuple[datetime, State]] = [(clock(), State())]
        self._ids = count(1001)
        self.lag = 0.0
        self.kept = _KEPT

    @property
    def state(self) -> State:
        """The state now."""
        return self._history[-1][1]

    @property
    def shown(self) -> State:
        """The state as reads show it."""
        moment = self._clock() - timedelta(seconds=self.lag)
        passed = [state for at, state in self._history if at <= moment]
        return passed[-1] if passed else self._history[0][1]

    def now(self) -> datetime:
        """Return the time as GitHub writes it: whole seconds."""
        return self._clock().replace(microsecond=0)

    def next_id(self) -> int:
        """Return a number that nothing has yet; later ones are greater."""
        return next(self._ids)

    def change(self, state: State) -> None:
        """Make this the state from now on."""
        moment = self._clock()
        self._history.append((moment, state))
        while len(self._history) > 1 and self._history[1][0] <= moment - max(
            self.kept, timedelta(seconds=2 * self.lag)
        ):
            self._history.pop(0)
