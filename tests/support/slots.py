"""Previews that hold a slot or wait for one, for the rules of the line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from previewbot.api import AgentSeen, Observed, Preview, Slot
from previewbot.rules.slot_limits import SlotLimits
from previewbot.rules.slot_line import Held, party_of
from previewbot.rules.slots import SlotGrant, Slots
from tests.support.previews import NOW, a_preview

COPILOTS_ACCOUNT = 198982749
_KINDS: dict[int | str, str] = {COPILOTS_ACCOUNT: "account"}


def after(minutes: float) -> datetime:
    """Return a moment so many minutes after the beginning."""
    return NOW + timedelta(minutes=minutes)


def seen(author: int | str = 1, agent: str = "") -> Observed:
    """Return what a look at GitHub recorded: an author by number, or by name alone, and an agent."""
    by_number = isinstance(author, int)
    return Observed(
        author=f"person-{author}" if by_number else str(author),
        author_id=author if isinstance(author, int) else 0,
        agent=AgentSeen(agent, "", kind=_KINDS.get(author, "branch")) if agent else None,
        repository="acme/shop",
    )


def holder(name: str, since: float = 0, **of: Any) -> Preview:
    """Return a Preview that holds a slot, since so many minutes after the beginning."""
    return a_preview(name=name, observed=seen(**of), slot=Slot(held=True, held_since=after(since)))


def waiter(name: str, since: float = 0, last_error: str = "", **of: Any) -> Preview:
    """Return a Preview that waits for a slot, since so many minutes after the beginning."""
    slot = Slot(waiting_since=after(since))
    return a_preview(name=name, observed=seen(**of), slot=slot, last_error=last_error)


def always(**limits: int) -> Callable[[Preview], SlotLimits]:
    """Return the same limits for every repository."""
    bounds = replace(SlotLimits(previews=50), **limits)  # type: ignore[arg-type]
    return lambda _: bounds


def slot_for(
    me: Preview, others: Iterable[Preview], limits_of: Callable[[Preview], SlotLimits], now: datetime
) -> SlotGrant:
    """Return whether `me` gets a slot, as somebody says it who was never asked before."""
    return Slots(limits_of).grant(me, list(others), now)


def held_by(everybody: Iterable[Preview]) -> Held:
    """Return what all of these hold that hold a slot."""
    held = Held()
    for preview in everybody:
        if preview.status.slot.held:
            held.add(party_of(preview), preview.status.slot.held_since)
    return held


def asked(
    me: Preview, everybody: Sequence[Preview], bounds: Callable[[Preview], SlotLimits], minutes: float = 0
) -> SlotGrant:
    """Ask for a slot, so many minutes after the beginning."""
    return slot_for(me, everybody, bounds, after(minutes))


def next_ones(
    everybody: Sequence[Preview], bounds: Callable[[Preview], SlotLimits], minutes: float = 0
) -> list[Preview]:
    """Return all that would get a slot if they asked now."""
    return [
        preview
        for preview in everybody
        if not preview.status.slot.held and asked(preview, everybody, bounds, minutes).granted
    ]


def granted(preview: Preview, minutes: float = 0) -> Preview:
    """Return a Preview that has got its slot."""
    slot = replace(preview.status.slot, held=True, held_since=after(minutes))
    return replace(preview, status=replace(preview.status, slot=slot))
