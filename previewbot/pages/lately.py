"""What a look found a moment ago: it is taken at most once in some seconds, however many ask."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from previewbot.api import Preview, from_object
from previewbot.errors import TryLater

_WAITS_SECONDS = 5.0
"""While the API server does not answer, those who ask do not queue up for longer."""

T = TypeVar("T")


class Lately(Generic[T]):
    """What `look` returned, at most `every` seconds ago; safe to use from threads.

    `look` lists previews, and raises RemoteError.
    """

    def __init__(
        self, look: Callable[[], T], every: float, seconds: Callable[[], float] = lambda: time.monotonic()
    ) -> None:
        self._look, self._every, self._seconds = look, every, seconds
        self._found: tuple[float, T] | None = None
        self._turn = threading.Lock()

    @property
    def last(self) -> T | None:
        """What the last look found, however long ago that was; None before the first."""
        found = self._found
        return None if found is None else found[1]

    def __call__(self) -> T:
        """Return it; raises what `look` does, and TryLater while the look before takes too long."""
        if not self._turn.acquire(timeout=_WAITS_SECONDS):
            raise TryLater("Kubernetes: list previews", message="the listing before it is still under way")
        try:
            if self._found is None or self._seconds() - self._found[0] >= self._every:
                found = self._look()
                # The time is of after the look, and one that failed is taken again.
                self._found = self._seconds(), found
            return self._found[1]
        finally:
            self._turn.release()


def previews_in(objects: Iterable[dict[str, Any]]) -> Iterator[Preview]:
    """Yield the Previews among objects of the API server."""
    for obj in objects:
        try:
            yield from_object(obj)
        except ValidationError:
            # None of ours, or of a version to come: it hides no other.
            continue
