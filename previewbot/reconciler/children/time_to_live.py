"""How long mirrord itself keeps what is a preview's."""

from __future__ import annotations

from datetime import timedelta

from previewbot.reconciler.limits import Limits

_LEAK_GUARD = timedelta(hours=1)
"""What mirrord's own time to live is beyond ours: it ends what we could not, should we be gone for good."""


def time_to_live(limits: Limits) -> int:
    """Return the time to live of what is made for a preview, in seconds.

    It is the longest that any preview can have, and not what is left of this one, so that `/preview extend`
    has nothing to change in what serves. Nor can a wait between two sessions be longer: a database branch
    lives for so long while no session uses it.
    """
    return int((limits.ttl_max + _LEAK_GUARD).total_seconds())
