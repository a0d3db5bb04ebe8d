"""Who holds the slots of one installation and who waits for them, at one moment; the answers for all."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from previewbot.api import Holders, Preview, SlotBound
from previewbot.api.slot import COUNTED
from previewbot.rules.eviction import Sleeper, asleep_since, giving_way, is_leaving
from previewbot.rules.slot_limits import SlotLimits
from previewbot.rules.slot_line import Candidate, Held, Line, Party, Waiting, party_of

NUMBERS_TOLD = 10
"""How many pull requests a comment names."""

_HOLDS = timedelta(seconds=30)
"""How long an order counts that only the time changes; what it goes by are days (`SlotLimits.patience`)."""

Installation = tuple[int, str]
"""An App and its GitHub. What another App looks after, or one of another GitHub that happens to have the same
number, is another installation's of previewbot, with limits of its own."""


@dataclass(frozen=True)
class SlotGrant:
    """Whether a preview gets a slot; if not, its position in line (from 1), and which bound it waits for.

    Position 0: its own limit is reached, so that a free slot would not help. Behind more than `COUNTED`
    others there are no `holders`, and the position is one more, whichever bound it is.
    """

    granted: bool
    position: int = 0
    bound: SlotBound = SlotBound.PREVIEWS
    limit: int = 0
    holders: Holders = field(default_factory=Holders)


class Standing(NamedTuple):
    """Everything of a Preview that the line goes by; of one that waits, whether it sleeps is nothing."""

    installation: Installation
    number: int
    held: bool
    held_since: datetime | None
    party: Party
    waiting: Waiting
    limits: SlotLimits
    asleep_since: datetime | None = None
    leaving: bool = False

    @property
    def candidate(self) -> Candidate:
        """The same as one that waits."""
        return Candidate(self.party, self.waiting, self.limits)


def installation_of(preview: Preview) -> Installation:
    """Return whose installation of previewbot looks after a Preview."""
    return preview.spec.app_id, preview.spec.github_host


def standing_of(preview: Preview, limits: SlotLimits) -> Standing:
    """Return how a Preview stands, within its repository's limits."""
    slot = preview.status.slot
    installation, number = installation_of(preview), preview.spec.number
    held_since = slot.held_since if slot.held else None
    return Standing(
        installation,
        number,
        slot.held,
        held_since,
        party_of(preview),
        Waiting.of(preview),
        limits,
        asleep_since(preview.status) if slot.held else None,
        is_leaving(preview.status) if slot.held else False,
    )


class Queue:
    """Those that hold a slot and those that wait for one; `limits` has how many slots there are."""

    def __init__(self, standings: Iterable[Standing], limits: SlotLimits, now: datetime) -> None:
        self._holding: list[Standing] = []
        self._queued: dict[str, Standing] = {}
        self._held, self._now, self._previews = Held(), now, limits.previews
        self._evicts = limits.evicts_idle
        for one in standings:
            if one.held:
                self._holding.append(one)
                self._held.add(one.party, one.held_since)
            else:
                self._queued[one.waiting.name] = one
        self._free = max(0, self._previews - self._held.all)

    def counts(self, limits: SlotLimits | None, now: datetime) -> bool:
        """Return whether this is still how things stand, if nobody's standing changed."""
        same = limits is None or limits.previews == self._previews
        return same and self._now <= now < self._now + _HOLDS

    def grant(self, me: Standing) -> SlotGrant:
        """Return whether one gets a slot that holds none."""
        position, bound = 0, self._held.bound_of(me.party, me.limits)
        if bound is None:
            # As many as there are free slots get one each. Whoever is among them takes it in a pass of its
            # own.
            in_line = me.waiting.name in self._queued
            position, bound = self._line.position_of(me.candidate, in_line=in_line)
        if bound is None and position <= self._free:
            return SlotGrant(granted=True)
        position = position - self._free if position else 0
        if bound is not None and self._is_far_back(bound, me):
            position = COUNTED + 1
        bound = bound or SlotBound.PREVIEWS
        # Who holds the slots changes with each that is given back. Of hundreds that wait each comment would
        # be written again each time, until GitHub takes nothing that we write any more.
        holders = Holders() if position > COUNTED else self._holders(bound, me.party)
        return SlotGrant(False, position, bound, me.limits.of(bound), holders)

    def first(self) -> set[str]:
        """Return the names of those that get a slot, and of those whose position is told."""
        return {turn.waiting.name for turn in self._line.turns}

    def first_for(self, party: Party) -> set[str]:
        """Return the names of those that wait longest of each kind that somebody's slot counts for."""
        keys = [(bound, _key(bound, party)) for bound in SlotBound]
        return {one.name for key in keys for one in self._longest.get(key, ())}

    @cached_property
    def giving_way(self) -> frozenset[str]:
        """The names of those that sleep and give their slots to others that wait."""
        if not self._evicts or not self._queued:
            return frozenset()
        staying = Held()
        for one in self._holding:
            if not one.leaving:
                staying.add(one.party, one.held_since)
        sleepers = [
            Sleeper(one.asleep_since, one.waiting.name, one.party)
            for one in self._holding
            if one.asleep_since is not None and not one.leaving
        ]
        candidates = [one.candidate for one in self._queued.values()]
        return giving_way(candidates, sleepers, staying, self._previews, self._now)

    @cached_property
    def _line(self) -> Line:
        candidates = (one.candidate for one in self._queued.values())
        return Line(candidates, self._held, self._free + COUNTED, self._now)

    @cached_property
    def _longest(self) -> dict[tuple[SlotBound, object], list[Waiting]]:
        """Who waits longest of those that count towards the same bound; nobody needs to know of more.

        One more than can be told that it is not far back: whoever asks does not count itself.
        """
        kinds: dict[tuple[SlotBound, object], list[Waiting]] = {}
        for one in self._queued.values():
            for bound in SlotBound:
                kinds.setdefault((bound, _key(bound, one.party)), []).append(one.waiting)
        return {key: heapq.nsmallest(COUNTED + 2, those) for key, those in kinds.items()}

    def _is_far_back(self, bound: SlotBound, me: Standing) -> bool:
        """Return whether more than are counted have waited longer, and count towards the same bound."""
        alike = self._longest.get((bound, _key(bound, me.party)), ())
        return sum(one < me.waiting and one.name != me.waiting.name for one in alike) > COUNTED

    def _holders(self, bound: SlotBound, mine: Party) -> Holders:
        """Return who holds the slots that count towards a bound of mine."""
        key = _key(bound, mine)
        counted = [one for one in self._holding if _key(bound, one.party) == key]
        here = sorted(one.number for one in counted if one.party.repository == mine.repository)
        return Holders(tuple(here[:NUMBERS_TOLD]), len(here), len(counted) - len(here))


def _key(bound: SlotBound, party: Party) -> object:
    """Return what previews have in common that count towards the same limit."""
    return {
        SlotBound.PREVIEWS: None,
        SlotBound.REPOSITORY: party.repository,
        SlotBound.AUTHOR: party.author,
        SlotBound.AUTHOR_HERE: (party.repository, party.author),
        SlotBound.AGENT: party.agent,
        SlotBound.AGENT_HERE: (party.repository, party.agent),
    }[bound]
