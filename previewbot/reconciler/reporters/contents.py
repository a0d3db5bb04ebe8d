"""What should stand somewhere, and what the status goes on knowing of what should not any more."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from previewbot.api import Report, Status
from previewbot.reconciler.reporters.reporter import intent_is_open

_DONE_KEPT = 10


class Content(Protocol):
    """What should stand somewhere.

    `hash` tells whether it changed, and `matters` (in any form) whether what changed may not wait; `begins`:
    it is created where there is nothing yet.
    """

    @property
    def hash(self) -> str:
        """What tells it from every other content."""

    @property
    def matters(self) -> str:
        """What of it may not wait."""

    @property
    def begins(self) -> bool:
        """Whether it is created where nothing is yet."""


def without_done(status: Status, known: Mapping[str, Report], wanted: Collection[str]) -> Status:
    """Forget what of the `known` in a place is not wanted any more, but for what the latest of it are."""
    done = {key: report for key, report in known.items() if key not in wanted}
    latest = sorted((key for key in done if done[key].id), key=lambda key: done[key].id)[-_DONE_KEPT:]
    left = {key: report for key, report in status.reports.items() if key not in done}
    for key in latest:
        left[key] = Report(id=done[key].id, hash=done[key].hash, told=done[key].told)
    return status if left == status.reports else replace(status, reports=left)


def without_leftovers(status: Status, key: str, state: Report, now: datetime) -> Status:
    """Forget what became of contents that nobody wants any more.

    An intent that stays would wake us again and again, a refusal would be told of for ever.
    """
    stale = bool(state.intent_at) and not state.id and not intent_is_open(state.intent_at, now)
    # What came and went while it was held back is not said at all.
    intent_at = None if stale else state.intent_at
    kept = replace(state, intent_at=intent_at, refusal=None, held_until=None, tries=0)
    return status.with_report(key, kept)
