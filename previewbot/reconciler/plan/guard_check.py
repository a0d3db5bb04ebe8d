"""Whether the guard is still before a link that was proven: asked again for as long as it is shown. Pure.

A policy of a gateway is no part of a route. When somebody takes it away, or an upgrade of the gateway drops
it, nothing of a preview changes, and its link would open for everybody from then on.
"""

from __future__ import annotations

import zlib
from datetime import datetime, timedelta

from previewbot.api import Link, Proven, Reason, Why
from previewbot.rules.link_answers import Asked

AGAIN = timedelta(minutes=10)
"""So long after the last look, a fifth more or less, a stranger asks again."""


def seconds_until_asked_again(asked: Asked, link: Link, now: datetime) -> float | None:
    """Return in how many seconds a stranger is to ask for a link again; None if there is to be no guard.

    `link` was shown when it was asked last. Each has a time of its own, so that not all ask at once.
    """
    if not asked.guarded or link.checked_at is None:
        return None
    apart = 0.8 + 0.4 * zlib.crc32(asked.key.encode()) / 2**32
    return (link.checked_at + AGAIN * apart - now).total_seconds()


def is_asked_alone(asked: Asked, link: Link, question: str) -> bool:
    """Return whether only the guard is asked about: of the link itself is known what there is to know."""
    known = link.question == question and link.proven not in (None, Proven.NO)
    return asked.guarded and known and link.why is not Why.CHECK_REFUSED


def is_told_at_once(link: Link, before: Link, *, again: bool) -> bool:
    """Return whether it is said at once that there is no guard, and not after the time that a new link has.

    It was there before, when the link was shown; and what was said stays said.
    """
    said = before.question == link.question and before.reason is Reason.LINK_UNANSWERED
    return link.why is Why.UNGUARDED and (again or said)
