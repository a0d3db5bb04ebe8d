"""All previews, as of a moment ago: they are listed at most once in some seconds, whoever looks at the list.

Between two listings they are kept in memory without what no list shows: logs, answers to commands, and what
only the controller needs. Of 2,000 that is some 20 MB.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from pydantic import ValidationError

from previewbot.api import Preview, Requests, Service, from_object
from previewbot.errors import TryLater

LISTED_EVERY_SECONDS = 5.0
"""The list is so late at most."""

MOST_KEPT = 4_000
"""More are not looked at: so many need some 40 MB."""

_WAITS_SECONDS = 5.0
"""While the API server does not answer, those who ask do not queue up for longer."""


@dataclass(frozen=True)
class Listed:
    """What the last listing showed; `has_more` than are kept."""

    previews: tuple[Preview, ...] = ()
    has_more: bool = False


class AllPreviews:
    """What the cluster has; safe to use from threads.

    `listing` returns all of them, and raises RemoteError.
    """

    def __init__(
        self,
        listing: Callable[[], Iterator[dict[str, Any]]],
        *,
        seconds: Callable[[], float] = time.monotonic,
        most: int = MOST_KEPT,
    ) -> None:
        self._listing, self._seconds, self._most = listing, seconds, most
        self._listed = Listed()
        self._listed_at: float | None = None
        self._turn = threading.Lock()

    def __call__(self) -> Listed:
        """Return all previews, at most `LISTED_EVERY_SECONDS` old; raises RemoteError."""
        if not self._turn.acquire(timeout=_WAITS_SECONDS):
            raise TryLater("Kubernetes: list previews", message="the listing before it is still under way")
        try:
            if self._listed_at is None or self._seconds() - self._listed_at >= LISTED_EVERY_SECONDS:
                found = tuple(islice(_read(self._listing()), self._most + 1))
                self._listed = Listed(found[: self._most], len(found) > self._most)
                # After the listing: one that failed is tried again.
                self._listed_at = self._seconds()
            return self._listed
        finally:
            self._turn.release()


def _read(objects: Iterator[dict[str, Any]]) -> Iterator[Preview]:
    for obj in objects:
        try:
            preview = from_object(obj)
        except ValidationError:
            # None of ours, or of a version to come: it hides no other.
            continue
        yield _short(preview)


def _short(preview: Preview) -> Preview:
    status = replace(
        preview.status,
        services=tuple(map(_without_log, preview.status.services)),
        verdicts=tuple(replace(each, words="") for each in preview.status.verdicts),
        children=(),
        requests=Requests(),
        replies=(),
        reports={},
        conditions=(),
    )
    return replace(preview, status=status)


def _without_log(service: Service) -> Service:
    problem = service.pod_problem and replace(service.pod_problem, log=())
    return replace(service, pod_problem=problem)
