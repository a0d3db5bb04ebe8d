"""Finds a Preview by its repository's name: its own name has the repository's number, which nobody asks with.

Programs that wait for a preview which is not there yet ask every few seconds, and there may be hundreds of
them. So all Previews are listed at most once in some seconds, whoever asks, and what that showed is kept.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from previewbot.api import Preview
from previewbot.errors import TryLater

LISTED_EVERY_SECONDS = 2.0
"""A Preview is found by name so late at most: long before it is ready."""


_WAITS_SECONDS = 5.0
"""While the API server does not answer, those who ask do not queue up for longer."""


class ByName:
    """Which Preview is of which repository and number, as of the last listing; safe to use from threads.

    `listed` returns all Previews, and raises RemoteError.
    """

    def __init__(self, listed: Callable[[], Iterator[Preview]]) -> None:
        self._listed = listed
        self._known: Mapping[tuple[str, int], str] = {}
        self._listed_at: float | None = None
        self._listing = threading.Lock()

    def names(self, repository: str, number: int) -> Iterator[str]:
        """Return the name that was known, then the one that a new listing shows, if one is due.

        Whoever finds that the first is gone, or of another repository now, asks for the second.
        """
        key = (repository.lower(), number)
        known = self._known.get(key)
        if known is not None:
            yield known
        with self._turn():
            if self._listed_at is None or time.monotonic() - self._listed_at >= LISTED_EVERY_SECONDS:
                found = self._listed()
                self._known = {(each.repository.lower(), each.spec.number): each.name for each in found}
                # After the listing: one that failed is tried again.
                self._listed_at = time.monotonic()
        found_now = self._known.get(key)
        if found_now is not None and found_now != known:
            yield found_now

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._listing.acquire(timeout=_WAITS_SECONDS):
            raise TryLater("Kubernetes: list previews", message="the listing before it is still under way")
        try:
            yield
        finally:
            self._listing.release()
