"""Who gets a slot, and what one waits for that gets none: rules without I/O.

A slot is a place for one preview. Who holds one keeps it, whatever the limits become.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from previewbot.api import Holders, Preview, Slot, SlotBound
from previewbot.api.slot import COUNTED
from previewbot.rules.slot_limits import SlotLimits
from previewbot.rules.slot_line import Held, Line, Party, Waiting, party_of

NUMBERS_TOLD = 10
"""How many pull requests a comment names."""


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


def slot_for(
    me: Preview, others: Iterable[Preview], limits_of: Callable[[Preview], SlotLimits], now: datetime
) -> SlotGrant:
    """Return whether `me` gets a slot: who holds one keeps it, else it is those who are first in line."""
    # Also when a limit was lowered since: nothing that runs is ended because of that.
    if me.status.slot.held:
        return SlotGrant(granted=True)
    holding, queued = _holding_and_queued(me, others)
    held, mine, limits = Held.by(holding), party_of(me), limits_of(me)
    free = max(0, limits.previews - held.all)
    position, bound = 0, held.bound_of(mine, limits)
    if bound is None:
        # As many as there are free slots get one each. Whoever is among them takes it in a pass of its own.
        position, bound = Line((me, *queued), limits_of, held, now).position_of(me, free + COUNTED)
    if bound is None and position <= free:
        return SlotGrant(granted=True)
    position = position - free if position else 0
    if bound is not None and _is_far_back(bound, mine, me, queued):
        position = COUNTED + 1
    bound = bound or SlotBound.PREVIEWS
    # Who holds the slots changes with each that is given back. Of hundreds that wait each comment would be
    # written again each time, until GitHub takes nothing that we write any more.
    holders = Holders() if position > COUNTED else _holders(bound, mine, holding)
    return SlotGrant(False, position, bound, limits.of(bound), holders)


def withheld(grant: SlotGrant, before: Slot, most: int) -> SlotGrant:
    """Return what is said to one that could have a slot, and could do nothing with it now: what was before.

    `most` is how many slots there are.
    """
    if not grant.granted:
        return grant
    if before.waiting_since is None:
        return SlotGrant(False, 1, limit=most)
    return SlotGrant(False, before.queue_position or 1, before.bound, before.limit or most, before.holders)


def _holding_and_queued(
    me: Preview, others: Iterable[Preview]
) -> tuple[list[tuple[Party, Preview]], list[Preview]]:
    """Return who of the others holds a slot, and who waits for one."""
    # What another App looks after, or one of another GitHub that happens to have the same number, is another
    # installation's of previewbot, with limits of its own.
    name, ours = me.name, (me.spec.app_id, me.spec.github_host)
    holding, queued = [], []
    for other in others:
        if other.name == name or other.deleting or (other.spec.app_id, other.spec.github_host) != ours:
            continue
        if other.status.slot.held:
            holding.append((party_of(other), other))
        # One whose last pass failed may wait for a repository that GitHub does not show. If it kept its
        # place, everybody behind it would wait with it: it is overtaken.
        elif other.status.slot.waiting_since is not None and not other.status.last_error:
            queued.append(other)
    return holding, queued


def _is_far_back(bound: SlotBound, mine: Party, me: Preview, queued: Iterable[Preview]) -> bool:
    """Return whether more than are counted have waited longer, and count towards the same bound."""
    since = Waiting.of(me)
    longer = (one for one in queued if Waiting.of(one) < since and _counts(bound, mine, party_of(one)))
    return next(islice(longer, COUNTED, None), None) is not None


def _holders(bound: SlotBound, mine: Party, holding: Iterable[tuple[Party, Preview]]) -> Holders:
    """Return who holds the slots that count towards a bound of mine."""
    counted = [(party, preview) for party, preview in holding if _counts(bound, mine, party)]
    here = sorted(preview.spec.number for party, preview in counted if party.repository == mine.repository)
    return Holders(tuple(here[:NUMBERS_TOLD]), len(here), len(counted) - len(here))


def _counts(bound: SlotBound, mine: Party, party: Party) -> bool:
    """Return whether what somebody holds counts towards a bound of mine."""
    same_repository = party.repository == mine.repository
    return {
        SlotBound.PREVIEWS: True,
        SlotBound.REPOSITORY: same_repository,
        SlotBound.AUTHOR: party.author == mine.author,
        SlotBound.AUTHOR_HERE: same_repository and party.author == mine.author,
        SlotBound.AGENT: party.agent == mine.agent,
        SlotBound.AGENT_HERE: same_repository and party.agent == mine.agent,
    }[bound]
