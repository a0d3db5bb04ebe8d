"""How far apart glances are at pull requests that wait for something. Pure.

Each costs a point of the installation's hour of GraphQL, and previews of a whole installation share that hour
with the listing and with commands, of which none is obeyed before GitHub has said by whom it was edited. So
the more previews wait, and the less is left, the more seldom each is looked at. Deliveries and the listing
tell of what matters meanwhile, and images are looked for all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

APART = timedelta(seconds=55)
"""So far apart they are as long as there is enough for all."""

LONGEST = timedelta(minutes=30)
"""So far apart they are at most: what neither a delivery nor the listing tells of is found by them."""

SHARE = 0.5
"""What they may take until the hour's end of what is left, beside what is kept."""

KEPT = 0.2
"""Of the whole hour, what they leave in any case: for the listing, for commands, and for what was told of."""

_HOUR = 3_600.0


@dataclass(frozen=True)
class Left:
    """What is left of an hour of `limit` points that ends in so many `seconds`."""

    limit: float
    remaining: float
    seconds: float


def apart(watched: int, left: Left | None) -> timedelta:
    """Return how far apart the glances at one pull request are, where so many are `watched`.

    `left` None: nothing was heard of an hour, as of a server without limits. Of an hour that is over
    (`seconds` of 0 or less) the next one is taken to be as long, and whole.
    """
    if left is None or left.limit <= 0:
        return APART
    if left.seconds <= 0:
        left = Left(left.limit, left.limit, _HOUR)
    # Shares of what is left, never of the whole hour: whatever others take, something stays until its end.
    points = SHARE * (left.remaining - KEPT * left.limit)
    if points <= 0:
        return max(APART, min(LONGEST, timedelta(seconds=left.seconds)))
    return max(APART, min(LONGEST, timedelta(seconds=watched * left.seconds / points)))
