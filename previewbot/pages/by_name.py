"""Finds a Preview by its repository's name: its own name has the repository's number, which nobody asks with.

Programs that wait for a preview which is not there yet ask every few seconds, and there may be hundreds of
them. So all Previews are listed at most once in some seconds, whoever asks, and what that showed is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from previewbot.api import Preview
from previewbot.pages.lately import Lately

LISTED_EVERY_SECONDS = 2.0
"""A Preview is found by name so late at most: long before it is ready."""


class ByName:
    """Which Preview is of which repository and number, as of the last listing; safe to use from threads.

    `listed` returns all Previews, and raises RemoteError.
    """

    def __init__(self, listed: Callable[[], Iterator[Preview]]) -> None:
        def look() -> Mapping[tuple[str, int], str]:
            return {(each.repository.lower(), each.spec.number): each.name for each in listed()}

        self._listed = Lately(look, LISTED_EVERY_SECONDS)

    def names(self, repository: str, number: int) -> Iterator[str]:
        """Return the name that was known, then the one that a new listing shows, if one is due.

        Whoever finds that the first is gone, or of another repository now, asks for the second.
        """
        key = (repository.lower(), number)
        known = (self._listed.last or {}).get(key)
        if known is not None:
            yield known
        found_now = self._listed().get(key)
        if found_now is not None and found_now != known:
            yield found_now
