"""Who gets a slot, and what one waits for that gets none: rules without I/O.

A slot is a place for one preview. Who holds one keeps it, whatever the limits become.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from previewbot.api import Preview, Slot
from previewbot.rules.slot_limits import SlotLimits
from previewbot.rules.slot_line import party_of
from previewbot.rules.slot_queue import (
    NUMBERS_TOLD,
    Installation,
    Queue,
    SlotGrant,
    Standing,
    installation_of,
    standing_of,
)

__all__ = ["NUMBERS_TOLD", "SlotGrant", "Slots", "withheld"]


class Slots:
    """Answers who gets a slot; ranks the line once per change of it, and not once per answer.

    Thousands may wait, and each of them asks in each of its passes. Only what it was told last is kept, and
    each answer goes by the Previews that are given with the question: it is never older than these.
    """

    def __init__(self, limits_of: Callable[[Preview], SlotLimits]) -> None:
        self._limits_of = limits_of
        self._seen: Sequence[Preview] = ()
        self._stands: dict[str, tuple[Preview, Standing | None]] = {}
        self._queues: dict[Installation, Queue] = {}

    def grant(self, me: Preview, everybody: Sequence[Preview], now: datetime) -> SlotGrant:
        """Return whether `me` gets a slot, who may be among `everybody` as it was stored last."""
        # Also when a limit was lowered since: nothing that runs is ended because of that.
        if me.status.slot.held:
            return SlotGrant(granted=True)
        mine = standing_of(me, self._limits_of(me))
        return self._queue_with(me.name, mine, everybody, now).grant(mine)

    def first_in_line(
        self, everybody: Sequence[Preview], now: datetime, freed: Iterable[Preview] = ()
    ) -> set[str]:
        """Return the names of those to whom it matters that the line moved, or that a slot was `freed`.

        They are those that get a slot now, or are told their position; and of those that wait for the same
        limits as one that gave its slot back, the ones that are told who holds the slots.
        """
        self._look(everybody)
        installations = {stands.installation for _, stands in self._stands.values() if stands}
        names: set[str] = set()
        for installation in installations:
            names |= self._queue(installation, now).first()
        for preview in freed:
            if installation_of(preview) in installations:
                names |= self._queue(installation_of(preview), now).first_for(party_of(preview))
        return names

    def gives_way(self, me: Preview, everybody: Sequence[Preview], now: datetime) -> bool:
        """Return whether `me`, which sleeps, gives its slot to one that waits, as all were stored last."""
        limits = self._limits_of(me)
        if not limits.evicts_idle or not me.status.slot.held:
            return False
        self._look(everybody)
        return me.name in self._queue(installation_of(me), now, limits).giving_way

    def giving_way(self, everybody: Sequence[Preview], now: datetime) -> set[str]:
        """Return the names of all that give their slots to others now."""
        self._look(everybody)
        installations = {stands.installation for _, stands in self._stands.values() if stands}
        return {name for each in installations for name in self._queue(each, now).giving_way}

    def _queue_with(self, name: str, mine: Standing, everybody: Sequence[Preview], now: datetime) -> Queue:
        self._look(everybody)
        _, known = self._stands.get(name, (None, None))
        if known is not None and known != mine and (known.held or known.installation == mine.installation):
            # As it asks it does not stand where it was seen. That hardly ever is, and is answered exactly.
            those = [each for other, (_, each) in self._stands.items() if each and other != name]
            return Queue([one for one in those if one.installation == mine.installation], mine.limits, now)
        return self._queue(mine.installation, now, mine.limits)

    def _look(self, everybody: Sequence[Preview]) -> None:
        """Take note of who holds a slot or waits now; forget the order of each line that has changed."""
        # The very same tuple is what nobody changed since. A list may have been changed in its place.
        if everybody is self._seen and isinstance(everybody, tuple):
            return
        stands, changed = dict[str, tuple[Preview, Standing | None]](), set[Installation]()
        for preview in everybody:
            before = self._stands.get(preview.name)
            if before is not None and before[0] is preview:
                stands[preview.name] = before
                continue
            now = _counted(preview, self._limits_of)
            stands[preview.name] = (preview, now)
            if before is None or before[1] != now:
                changed |= {each.installation for each in (now, before[1] if before else None) if each}
        for name in self._stands.keys() - stands.keys():
            gone = self._stands[name][1]
            changed |= {gone.installation} if gone else set()
        for installation in changed:
            self._queues.pop(installation, None)
        self._seen, self._stands = everybody, stands

    def _queue(self, installation: Installation, now: datetime, limits: SlotLimits | None = None) -> Queue:
        known = self._queues.get(installation)
        if known is not None and known.counts(limits, now):
            return known
        those = [each for _, each in self._stands.values() if each and each.installation == installation]
        queue = self._queues[installation] = Queue(those, limits or those[0].limits, now)
        return queue


def withheld(grant: SlotGrant, before: Slot, most: int) -> SlotGrant:
    """Return what is said to one that could have a slot, and could do nothing with it now: what was before.

    `most` is how many slots there are.
    """
    if not grant.granted:
        return grant
    if before.waiting_since is None:
        return SlotGrant(False, 1, limit=most)
    return SlotGrant(False, before.queue_position or 1, before.bound, before.limit or most, before.holders)


def _counted(preview: Preview, limits_of: Callable[[Preview], SlotLimits]) -> Standing | None:
    """Return how a Preview stands that holds a slot or waits for one; None of one that does neither."""
    slot = preview.status.slot
    if preview.deleting:
        return None
    # One whose last pass failed may wait for a repository that GitHub does not show. If it kept its place,
    # everybody behind it would wait with it: it is overtaken.
    waits = slot.waiting_since is not None and not preview.status.last_error
    return standing_of(preview, limits_of(preview)) if slot.held or waits else None
