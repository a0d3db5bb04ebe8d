"""Which previews that sleep give their slots to others that wait: `limits.evict: idle`, without I/O.

One that waits takes at most one slot from a sleeper, and only where that alone lets it in. What is on its way
out already counts as a free slot, so that no two sleepers go for the same one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from previewbot.api import Phase, Reason, Status
from previewbot.rules.slot_line import Candidate, Held, Line, Party

RESTED = timedelta(minutes=10)
"""How long a preview sleeps at least before it gives way: who was just sent its link may be on the way, and
one that starts asleep was never looked at."""

_KNOWN_LATE = timedelta(seconds=31)
"""An answer about the line may be half a minute old (`rules/slot_queue.py`), and a second more."""

MOST_AT_ONCE = 20
"""How many give way at the same time; when they are gone the next may."""


@dataclass(frozen=True)
class Sleeper:
    """One that holds a slot and sleeps since then."""

    since: datetime
    name: str
    party: Party


def asleep_since(status: Status) -> datetime | None:
    """Return since when all of a preview sleeps; None where something does not, or is about to change."""
    head, times = status.observed.head_sha, list[datetime]()
    if status.lifecycle.ended is not None or not status.services:
        return None
    for service in status.services:
        # An older commit sleeps on while the image of a new one is built: that will be looked at.
        asleep = service.phase is Phase.IDLE and service.reason is not Reason.WAKING
        if not asleep or service.since is None or service.serving_sha != head:
            return None
        times.append(service.since)
    return max(times)


def until_rested(status: Status, now: datetime) -> float | None:
    """Return in how many seconds what sleeps is to be asked whether it gives way; None if no time says so.

    Once it has slept for long enough, whoever begins to wait has it looked at.
    """
    since = asleep_since(status)
    seconds = (since + RESTED + _KNOWN_LATE - now).total_seconds() if since is not None else 0.0
    return seconds if seconds > 0 else None


def is_leaving(status: Status) -> bool:
    """Return whether its slot is free soon: it is being removed, or is to be.

    Where that stalls the operator does not answer: more that go would not go either. What may not be looked
    at is not on its way: its slot stays taken.
    """
    ends = status.lifecycle.ended is not None or status.phase is Phase.STOPPING
    return ends and status.reason is not Reason.REMOVAL_FORBIDDEN


def giving_way(
    waiting: Sequence[Candidate],
    sleepers: Iterable[Sleeper],
    staying: Held,
    previews: int,
    now: datetime,
) -> frozenset[str]:
    """Return the names of those that give way now.

    Whose repository, then whose author holds most comes first, as who holds fewest comes first in the line;
    of these who has slept for longest. Else a flood of one repository would end what sleeps in all others.

    `staying` is what all hold that are not on their way out, the `sleepers` included. `previews` is how many
    slots there are.
    """
    rested = [sleeper for sleeper in sleepers if now - sleeper.since >= RESTED]
    free = previews - staying.all
    # Of a limit that was lowered since nobody gets anything before several are gone: nothing is ended for it.
    if not rested or not waiting or free < 0:
        return frozenset()
    turns = Line(waiting, staying, free + MOST_AT_ONCE, now).turns
    held = staying.copy()
    for turn in turns[:free]:
        held.add(turn.party, now)
    chosen = list[Sleeper]()
    for turn in turns[free : free + len(rested)]:
        gone = min(rested, key=lambda one: _order(one, held))
        rested.remove(gone)
        chosen.append(gone)
        held = held.without(gone.party)
        held.add(turn.party, now)
    served = {turn.waiting.name for turn in turns}
    bound = _by_party(each for each in waiting if each.waiting.name not in served)
    for gone in sorted(rested, key=lambda one: _order(one, held)):
        if len(chosen) >= MOST_AT_ONCE:
            break
        fewer = held.without(gone.party)
        taker = next(
            (each[0] for each in bound.values() if _is_let_in(each[0], gone.party, held, fewer)), None
        )
        if taker is not None and fewer.all < previews:
            chosen.append(gone)
            fewer.add(taker.party, now)
            held = fewer
            bound[taker.party].pop()
            bound = {party: those for party, those in bound.items() if those}
    return frozenset(each.name for each in chosen)


def _order(one: Sleeper, held: Held) -> tuple[int, int, datetime, str]:
    party = one.party
    return -held.repository[party.repository], -held.author[party.author], one.since, one.name


def _by_party(left: Iterable[Candidate]) -> dict[Party, list[Candidate]]:
    """Return those for whom the same counts together: which of them gets a slot makes no difference here."""
    found: dict[Party, list[Candidate]] = {}
    for each in left:
        found.setdefault(each.party, []).append(each)
    return found


def _is_let_in(one: Candidate, gone: Party, held: Held, fewer: Held) -> bool:
    """Return whether a limit of its own keeps one waiting, and no longer once that sleeper is gone."""
    party = one.party
    same = party.repository == gone.repository or (bool(party.author) and party.author == gone.author)
    if not (same or (bool(party.agent) and party.agent == gone.agent)):
        return False
    return held.bound_of(party, one.limits) is not None and fewer.bound_of(party, one.limits) is None
