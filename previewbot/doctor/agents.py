"""How old the table is by which agents are recognised, and what of it the settings change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from previewbot.config.server import Settings
from previewbot.doctor.check import Check, listed, note, ok

NAME = "agents"
OLD_AFTER = 180
"""Days: agents get new accounts, and sign in new ways, several times a year."""

_MOST_NAMED = 10


def table_age(settings: Settings, now: datetime) -> Iterator[Check]:
    """Yield how old the table is, and what the settings change of it; an old one is no mistake."""
    known = settings.agents.known
    days = max(0, (now.date() - known.read).days)
    told = f"agents are recognised by a table of {known.read:%Y-%m-%d}, which is {_days(days)} old"
    if days > OLD_AFTER:
        yield note(
            NAME,
            f"{told}: newer releases of previewbot know more agents; until then the settings may add some "
            "(`agents.table`)",
        )
    else:
        yield ok(NAME, told)
    if settings.agents.table:
        yield note(
            NAME, f"`agents.table` of the settings changes: {listed([*settings.agents.table], _MOST_NAMED)}"
        )


def _days(days: int) -> str:
    return "1 day" if days == 1 else f"{days} days"
