"""GitHub's clock, as the `Date` of its answers tells it: ours may be minutes before or behind."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime


class TheirClock:
    """What GitHub's clock shows at least, by the newest answer."""

    def __init__(self) -> None:
        self._ahead: timedelta | None = None

    def note(self, headers: Mapping[str, str], received_at: datetime) -> None:
        """Take the headers of an answer (found by lower-case names) that came at this moment of ours."""
        try:
            # Whole seconds, cut off, of a moment before we received it: theirs is never less far on.
            self._ahead = parsedate_to_datetime(headers.get("date", "")) - received_at
        except (ValueError, TypeError):
            return

    def at(self, moment: datetime) -> datetime:
        """Return what their clock showed at least at a moment of ours; ours while no answer has told."""
        return moment + (self._ahead or timedelta(0))
