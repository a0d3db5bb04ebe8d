"""How often a text that stands somewhere is edited: news at once, what comes and goes only now and then.
Pure.

GitHub shows everybody on the pull request that a comment was edited, limits how much is written, and keeps
every version of it. Whatever makes a preview's words come and go (a container that crashes and heals, a queue
that moves, a build that is looked for), an hour has a bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

HOUR = timedelta(hours=1)

AT_ONCE = 6
"""So many edits in an hour are made at once, whatever they say."""

APART = timedelta(minutes=10)
"""Further ones of that hour are so far apart; what was to be said between two is summed up by the second."""

MOST = AT_ONCE + int(HOUR / APART)
"""In any hour there are at most so many edits, beside those that may not wait."""


PASSING_HOLDS = timedelta(seconds=10)
"""How long words wait that a few seconds make untrue: they are said only if they are still true then."""


def lately(edits: Sequence[datetime], now: datetime) -> tuple[datetime, ...]:
    """Return the edits of the last hour, no more of them than count."""
    return tuple(at for at in edits if timedelta(0) <= now - at < HOUR)[-MOST:]


def held_until(edits: Sequence[datetime], now: datetime) -> datetime | None:
    """Return when the next edit may be made; None if it may be now."""
    recent = lately(edits, now)
    if len(recent) < AT_ONCE:
        return None
    # Whichever comes first: room in the hour again, or enough time since the last one.
    due = min(recent[-1] + APART, recent[-AT_ONCE] + HOUR)
    return due if due > now else None


def passing_until(held_until: datetime | None, now: datetime) -> datetime | None:
    """Return until when words wait that are to be over in seconds; None if they have waited long enough.

    `held_until` is until when they are held already, None if this is the first that is seen of them.
    """
    if held_until is None:
        return now + PASSING_HOLDS
    return held_until if now < held_until else None
