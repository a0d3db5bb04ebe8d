"""When the worker of pictures was asked for what, so that no pass waits for one that is away."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime

from previewbot.reconciler.bounded import keep

_KEPT = 10_000


class PicturesAsked:
    """When the worker was last asked for which Preview, and since when it does not answer."""

    def __init__(self) -> None:
        self._asked: OrderedDict[str, datetime] = OrderedDict()
        self.failed_at: datetime | None = None

    def at(self, name: str) -> datetime | None:
        """Return when it was last asked for a Preview; None if it was not."""
        return self._asked.get(name)

    def note(self, name: str, now: datetime) -> None:
        """Note that it was asked for a Preview, and answered."""
        keep(self._asked, name, now, _KEPT)
        self.failed_at = None

    def failed(self, now: datetime) -> None:
        """Note that it did not answer."""
        self.failed_at = now

    def forget(self, name: str) -> None:
        """Forget a Preview that has no pictures any more."""
        self._asked.pop(name, None)
