"""Leaves a registry alone for as long as it wants to be: nobody asks it then, whatever is looked for."""

from __future__ import annotations

from collections.abc import Callable

from previewbot.clients.registry.access import Place
from previewbot.clients.registry.problems import Limited
from previewbot.errors import TryLater


class RegistryPauses:
    """Which registries are not asked now; a limit is of an account or an address, so of all repositories."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}

    def check(self, place: Place) -> None:
        """Raise Limited, with the seconds that are left, if a registry is not to be asked now."""
        left = self._until.get(place.root, 0.0) - self._clock()
        if left > 0:
            raise Limited(str(place), status=429, message="it wants to be left alone", after=left)

    def note(self, place: Place, error: TryLater) -> None:
        """Take note of an error that says for how long the registry wants to be left alone."""
        now = self._clock()
        self._until = {root: until for root, until in self._until.items() if until > now}
        if error.after is not None:
            self._until[place.root] = now + error.after
