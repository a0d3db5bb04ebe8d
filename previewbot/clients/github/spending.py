"""What some work asks of GitHub, as GitHub counts it; and what an hour grants.

https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api: an answer that nothing has
changed (304) is not counted. A question of GraphQL's costs points, those that are asked here one each
(`queries`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from previewbot.clients.github.limits import KEPT_SHARE, Quota


@dataclass
class Spent:
    """So many requests were sent, `counted` of them of the hour's; `points` are of GraphQL's hour."""

    sent: int = 0
    counted: int = 0
    points: int = 0


@dataclass(frozen=True)
class Hours:
    """What was last heard of the two hours of an installation; None where nothing was."""

    requests: Quota | None = None
    points: Quota | None = None


def is_short(hours: Hours, now: float) -> bool:
    """Return whether no requests are left but those that are kept for what matters most; `now` is epoch
    seconds."""
    quota = hours.requests
    return quota is not None and quota.has_less_than(KEPT_SHARE, now)


_spent: ContextVar[Spent | None] = ContextVar("spent", default=None)


@contextmanager
def measured() -> Iterator[Spent]:
    """Measure what is asked inside, by this task and those that it starts."""
    found = Spent()
    token = _spent.set(found)
    try:
        yield found
    finally:
        _spent.reset(token)


def note(status: int, *, graphql: bool) -> None:
    """Note an answer, if somebody measures."""
    found = _spent.get()
    if found is None:
        return
    found.sent += 1
    if graphql:
        found.points += 1
    elif status != 304:
        found.counted += 1
