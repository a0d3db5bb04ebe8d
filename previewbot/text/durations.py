"""Durations as people write them (`8h`, `2h30m`, `90s`, `3d`) and as they say them (`2 hours`)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

_DURATION = re.compile(
    r"(?:(?P<days>[0-9]{1,8})d)?(?:(?P<hours>[0-9]{1,8})h)?"
    r"(?:(?P<minutes>[0-9]{1,8})m)?(?:(?P<seconds>[0-9]{1,8})s)?",
    re.IGNORECASE | re.ASCII,
)
_LONGEST = timedelta(days=365)
_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


class OutOfBounds(ValueError):
    """A text is a duration, but one that may not be; `bounds` says what it must be."""

    def __init__(self, bounds: str) -> None:
        self.bounds = bounds
        super().__init__(f"a duration {bounds}")


def parse_duration(text: str) -> timedelta:
    """Return the duration that `text` names: whole days, hours, minutes and seconds, in this order.

    Raises ValueError, with words for the writer, for anything else, and OutOfBounds, which is one, for
    nothing at all and for more than a year (so that adding it to a moment never overflows).
    """
    # The pattern matches the empty text as well, since each of its parts may be left out.
    match = _DURATION.fullmatch(text)
    if match is None or not text:
        raise ValueError("a duration is written like 8h, 2h30m, 90s or 3d")
    duration = timedelta(**{unit: int(number or 0) for unit, number in match.groupdict().items()})
    if not duration:
        raise OutOfBounds("must be more than zero, like 30m")
    if duration > _LONGEST:
        raise OutOfBounds("must be at most 365d")
    return duration


def format_duration(duration: timedelta) -> str:
    """Return the shortest text that `parse_duration` reads back; fractions of a second are dropped.

    Raises ValueError for a negative duration.
    """
    rest = duration // timedelta(seconds=1)
    if rest < 0:
        raise ValueError("a duration is never negative")
    parts = []
    for unit, seconds in _UNITS:
        count, rest = divmod(rest, seconds)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def spoken(duration: timedelta) -> str:
    """Return how people say about how long something takes: `4 hours`, `3 h 40 min`, `2 days 3 h`.

    Whole minutes, and of days the hours alone; whatever is less than a minute is said to be that. A negative
    duration counts as none.
    """
    minutes = max(duration // timedelta(minutes=1), 0)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return _counted(days, "day") + (f" {hours} h" if hours else "")
    if hours:
        return f"{hours} h {minutes} min" if minutes else _counted(hours, "hour")
    return _counted(minutes, "minute") if minutes else "less than a minute"


def _counted(count: int, unit: str) -> str:
    return f"{count} {unit}{'s' if count > 1 else ''}"


def from_now(moment: datetime, now: datetime) -> str:
    """Return how far a moment is from now: `in 3 h 40 min`, `2 minutes ago`."""
    return f"in {spoken(moment - now)}" if moment > now else f"{spoken(now - moment)} ago"
