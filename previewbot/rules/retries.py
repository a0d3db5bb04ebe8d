"""When something is tried again that went wrong for a passing reason, and when no more. Pure."""

from __future__ import annotations

import zlib
from datetime import datetime, timedelta

from previewbot.errors import NotSent, QuotaKept, RemoteError

MOST_TRIES = 8
"""So often something is tried; with the pauses between them that is about half an hour."""

_MOST_WAITS = 5
_KEPT_FOR = 60.0
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


def next_try(tries: int, error: RemoteError, now: datetime, seed: str) -> tuple[int, datetime | None]:
    """Return how often something has failed by now, and when it is tried again; None if it is given up.

    What was not sent nobody refused: it waits for its turn, some minutes from one time to the next, and is
    not given up.
    """
    if not isinstance(error, NotSent):
        return tries + 1, retry_at(tries + 1, now, seed, error.after)
    tries, after = max(tries, min(tries + 1, _MOST_WAITS)), error.after or 0.0
    # What is kept for others may be for this one soon: once somebody with write access asks, say.
    after = min(after, _KEPT_FOR) if isinstance(error, QuotaKept) else after
    return tries, retry_at(tries, now, seed, after)
