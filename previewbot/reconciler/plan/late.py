"""What a webhook told of and GitHub does not show yet: kept until it is handled, or known to be deleted."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from previewbot.api import Poke, Requests, Unseen
from previewbot.reconciler.plan.requeue import LAG_LIMIT

OVERLAP = timedelta(minutes=15)
"""GitHub may show a comment late, after newer ones: each look goes back so far beyond the newest that was
shown before. More than somebody has for a correction, so that a corrected comment is among them."""

GONE_AFTER = timedelta(minutes=10)
"""So long after its webhook, a comment that GitHub says does not exist has been deleted."""

_MOST_KEPT = 20
_SOONEST, _LATEST = timedelta(seconds=10), timedelta(minutes=5)


def told_of(requests: Requests, poke: Poke, now: datetime) -> tuple[Unseen, ...]:
    """Return the comments that webhooks told of and that no look has found, oldest first."""
    unseen, number, told_at = requests.unseen, poke.comment_id, poke.poked_at
    # A poke of tomorrow is not believed, which whoever writes annotations could make: it would be looked for
    # until then. Clocks of two pods differ by less.
    if not number or told_at is None or told_at - now >= LAG_LIMIT:
        return unseen
    # The annotation stays when others change: what was given up is not looked for again.
    if number == requests.told_comment_id or any(each.id == number for each in unseen):
        return unseen
    return (*unseen, Unseen(number, told_at))[-_MOST_KEPT:]


def without_shown(unseen: Sequence[Unseen], requests: Requests, shown: Collection[int]) -> tuple[Unseen, ...]:
    """Return those that neither this look shows nor an earlier one has handled."""
    known = {*shown, *requests.comments}
    return tuple(each for each in unseen if each.id > requests.floor and each.id not in known)


def is_due(each: Unseen, now: datetime) -> bool:
    """Return whether one is to be asked for by its number: seldom, and ever more seldom."""
    last = each.asked_at or each.told_at
    return now - last >= _interval(each, last)


def asked_in_vain(each: Unseen, now: datetime) -> Unseen | None:
    """Return one that GitHub says does not exist; None if that is for good."""
    return None if now - each.told_at >= GONE_AFTER else replace(each, asked_at=now)


def next_look(unseen: Sequence[Unseen], now: datetime) -> datetime | None:
    """Return when the next one is to be asked for.

    The oldest sets the pace: whoever deletes one comment after the other makes none of the looks sooner.
    """
    if not unseen:
        return None
    last = [each.asked_at or each.told_at for each in unseen]
    oldest = min(unseen, key=lambda each: each.told_at)
    return max(now + _SOONEST, max(last) + _interval(oldest, max(last)))


def _interval(each: Unseen, last: datetime) -> timedelta:
    return min(max(last - each.told_at, _SOONEST), _LATEST)
