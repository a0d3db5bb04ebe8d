"""When something is tried again that went wrong for a passing reason, and when no more. Pure."""

from __future__ import annotations

import zlib
from datetime import datetime, timedelta

MOST_TRIES = 8
"""So often something is tried; with the pauses between them that is about half an hour."""

_MOST_WAITS = 5
_FIRST = timedelta(seconds=15)
_LONGEST = timedelta(minutes=10)
_SPREAD = 0.5


def retry_at(tries: int, now: datetime, seed: str, after: float | None = None) -> datetime | None:
    """Return when something is tried again that failed `tries` times (from 1); None if it is given up.

    Each pause is twice the one before. `seed` spreads those that failed together by up to a half, always in
    the same way, and `after` is how many seconds whoever refused it asks to wait at least.
    """
    if tries >= MOST_TRIES:
        return None
    pause = min(_FIRST * (1 << (tries - 1)), _LONGEST)
    share = zlib.crc32(f"{seed} {tries}".encode()) / 2**32
    return now + max(pause * (1 + _SPREAD * share), timedelta(seconds=after or 0.0))


def tries_after(tries: int, *, sent: bool) -> int:
    """Return how often something has failed, once it has again.

    What was not `sent` nobody refused: it waits for its turn, a few minutes from one time to the next, and is
    not given up.
    """
    return tries + 1 if sent else max(tries, min(tries + 1, _MOST_WAITS))
