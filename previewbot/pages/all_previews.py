"""All previews, as of a moment ago: they are listed at most once in some seconds, whoever looks at the list.

Between two listings they are kept in memory without what no list shows: logs, answers to commands, and what
only the controller needs. Of 2,000 that is some 20 MB.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from previewbot.api import Preview, Requests, Service
from previewbot.pages.lately import Lately, previews_in

LISTED_EVERY_SECONDS = 5.0
"""The list is so late at most."""

MOST_KEPT = 4_000
"""More are not looked at: so many need some 40 MB."""


@dataclass(frozen=True)
class Listed:
    """What the last listing showed; `has_more` than are kept."""

    previews: tuple[Preview, ...] = ()
    has_more: bool = False


Everything = Callable[[], Listed]
"""Returns what the cluster has; raises RemoteError."""


def all_previews(
    listing: Callable[[], Iterator[dict[str, Any]]],
    *,
    seconds: Callable[[], float] = time.monotonic,
    most: int = MOST_KEPT,
) -> Everything:
    """Return what the cluster has, at most `LISTED_EVERY_SECONDS` old, to whoever calls it, from any thread.

    `listing` returns all of them, and raises RemoteError.
    """

    def look() -> Listed:
        found = tuple(islice(map(_short, previews_in(listing())), most + 1))
        return Listed(found[:most], len(found) > most)

    return Lately(look, LISTED_EVERY_SECONDS, seconds)


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
