"""How often previewbot quotes people who come by a proxy: each time is a comment that others are mailed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

MOST_QUOTED = 20
"""Quotations in one pull request in `WITHIN`, of all people together: only the proxy tells them apart."""

WITHIN = timedelta(hours=1)


def quoted_lately(moments: Iterable[datetime], now: datetime) -> tuple[datetime, ...]:
    """Return of the moments at which somebody was quoted those that still count."""
    return tuple(each for each in moments if now - each < WITHIN)
