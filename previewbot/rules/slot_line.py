"""The line of those that wait for a slot.

Whoever's repository, then whose author holds fewest comes first, and of those the oldest; what its own limit
keeps waiting lets the others pass. "Fewest first" alone would never end for one whose repository holds some,
while others that hold fewer come and go: so whoever got nothing there for so long that all slots must have
changed hands, and more than once, comes before all.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple, Self

from previewbot.api import Preview, SlotBound
from previewbot.api.github import Account
from previewbot.rules.agents import is_agents_account
from previewbot.rules.slot_limits import SlotLimits

_ACCOUNTS_KEPT = 10_000
_NEVER = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)


class Party(NamedTuple):
    """For whom a preview counts: its repository by number, its author, its agent by name.

    An author is known by the number of the account, by its name where there is none, and empty while GitHub
    has not told it.
    """

    repository: int
    author: int | str
    agent: str
    is_agents_account: bool

    def in_repository(self) -> tuple[int, str]:
        """Return its repository and its agent."""
        return self.repository, self.agent

    def of_author(self) -> tuple[int | str, str]:
        """Return its author and its agent."""
        return self.author, self.agent


def party_of(preview: Preview) -> Party:
    """Return for whom a preview counts; all of it the controller wrote, or it never changes."""
    repository, observed = preview.spec.repository_id, preview.status.observed
    number, name, agent = observed.author_id, observed.author, observed.agent.name if observed.agent else ""
    # An agent with an account of its own works there for everybody. That account is no author to be bound:
    # two pull requests of Copilot's would be all that a whole company may have. `per_agent` is for it.
    own = bool(agent) and _is_agents_account(number, name)
    return Party(repository, number or name.lower(), agent, own)


# Asked about every preview in each pass that waits for a slot, and a comparison with all agents is long.
@lru_cache(maxsize=_ACCOUNTS_KEPT)
def _is_agents_account(number: int, name: str) -> bool:
    return is_agents_account(Account(number, name))


class Waiting(NamedTuple):
    """One that waits: since when, and its name."""

    since: datetime
    name: str

    @classmethod
    def of(cls, preview: Preview) -> Self:
        """Return how a preview waits; one that does not wait yet comes last."""
        return cls(preview.status.slot.waiting_since or _LAST, preview.name)


@dataclass
class Held:
    """How many slots everybody holds, and when each author got the last one in a repository."""

    all: int = 0
    repository: Counter[int] = field(default_factory=Counter)
    author: Counter[int | str] = field(default_factory=Counter)
    author_here: Counter[tuple[int, int | str]] = field(default_factory=Counter)
    agent: Counter[str] = field(default_factory=Counter)
    agent_here: Counter[tuple[int, str]] = field(default_factory=Counter)
    last: dict[tuple[int, int | str], datetime] = field(default_factory=dict)

    @classmethod
    def by(cls, holding: Iterable[tuple[Party, Preview]]) -> Self:
        """Return what these hold."""
        held = cls()
        for party, preview in holding:
            held.add(party, preview.status.slot.held_since)
        return held

    def add(self, party: Party, since: datetime | None) -> None:
        """Count one more; where nobody knows since when it is held, that was long ago."""
        here = (party.repository, party.author)
        self.all += 1
        self.repository[party.repository] += 1
        if party.author:
            self.author[party.author] += 1
            self.author_here[here] += 1
        if party.agent:
            self.agent[party.agent] += 1
            self.agent_here[party.repository, party.agent] += 1
        if since is not None:
            self.last[here] = max(since, self.last.get(here, since))

    def bound_of(self, party: Party, limits: SlotLimits) -> SlotBound | None:
        """Return which of its own limits a preview of theirs would exceed, the narrowest first."""
        repository, author, agent, is_no_author = party
        here = [(SlotBound.REPOSITORY, limits.repository, self.repository[repository])]
        if author and not is_no_author:
            here.append((SlotBound.AUTHOR_HERE, limits.author_here, self.author_here[repository, author]))
            here.append((SlotBound.AUTHOR, limits.author, self.author[author]))
        if agent:
            here.append((SlotBound.AGENT_HERE, limits.agent_here, self.agent_here[repository, agent]))
            here.append((SlotBound.AGENT, limits.agent, self.agent[agent]))
        return next((bound for bound, limit, held in here if limit is not None and held >= limit), None)

    def was_passed_over(self, party: Party, since: datetime, longest: datetime) -> bool:
        """Return whether somebody waits from `longest` on at least, and their author got nothing there since.

        That goes by author and repository. Else each of a hundred that wait for so long would count.
        """
        return since <= longest and self.last.get((party.repository, party.author), since) <= longest


_Rank = tuple[int, int, int, Waiting]
"""A smaller one comes first: 0 for who was passed over; what its repository and its author hold; since when
it waits."""


def _before(now: datetime, patience: timedelta | None) -> datetime:
    """Return from when on somebody must wait to be passed over for too long; never, where no time says so."""
    return now - patience if patience is not None and patience < now - _NEVER else _NEVER


class Line:
    """Those that wait, as they would get one slot after the other; `held` is counted on."""

    def __init__(
        self,
        waiting: Iterable[Preview],
        limits_of: Callable[[Preview], SlotLimits],
        held: Held,
        now: datetime,
    ) -> None:
        self._groups: dict[Party, list[Waiting]] = {}
        self._limits: dict[int, SlotLimits] = {}
        self._longest: dict[int, datetime] = {}
        self._held, self._now = held, now
        for preview in waiting:
            party = party_of(preview)
            if party.repository not in self._limits:
                limits = self._limits[party.repository] = limits_of(preview)
                self._longest[party.repository] = _before(now, limits.patience)
            self._groups.setdefault(party, []).append(Waiting.of(preview))
        for group in self._groups.values():
            group.sort(reverse=True)

    def position_of(self, preview: Preview, most: int) -> tuple[int, SlotBound | None]:
        """Return as which one a preview in line gets its slot, `most` + 1 if later; or the bound before it.

        Those before it may take the last slot that its repository, its author or its agent may have.
        """
        mine, me = party_of(preview), Waiting.of(preview)
        heap = [(self._rank(party), party) for party in self._first(mine, most)]
        heapq.heapify(heap)
        for position in range(1, most + 1):
            bound = self._bound_of(mine)
            if bound is not None:
                return 0, bound
            party = self._next(heap)
            group = self._groups[party]
            if group.pop() == me:
                return position, None
            self._held.add(party, self._now)
            if group:
                heapq.heappush(heap, (self._rank(party), party))
        return most + 1, None

    def _next(self, heap: list[tuple[_Rank, Party]]) -> Party:
        """Take whose turn it is out of the heap; somebody is in it who is not bound."""
        while True:
            rank, party = heapq.heappop(heap)
            if self._bound_of(party) is not None:
                continue
            # What others got meanwhile can only have made a rank worse. So the best of those that are noted,
            # if it is still true, is the best of all.
            now = self._rank(party)
            if now == rank:
                return party
            heapq.heappush(heap, (now, party))

    def _first(self, mine: Party, most: int) -> set[Party]:
        """Return all among whom the first `most` are, and `mine`.

        Else one author who waits in thousands of repositories, or a repository in which thousands wait, would
        be ranked anew as a whole with each slot that goes there.
        """
        # Those of one repository and agent go in the order of their authors. As many slots as `most` change
        # as many authors, so among twice as many there is always one who is unchanged, and before all that
        # are left away. It is the same with one author's repositories.
        enough = 2 * most + 1
        parties = [party for party in self._groups if self._bound_of(party) is None]
        alike: tuple[Callable[[Party], object], ...] = (Party.in_repository, Party.of_author)
        for key in alike:
            some: dict[object, list[Party]] = {}
            for party in parties:
                some.setdefault(key(party), []).append(party)
            parties = []
            for those in some.values():
                parties += heapq.nsmallest(enough, those, self._rank) if len(those) > enough else those
        return {*parties, mine}

    def _bound_of(self, party: Party) -> SlotBound | None:
        return self._held.bound_of(party, self._limits[party.repository])

    def _rank(self, party: Party) -> _Rank:
        first, held = self._groups[party][-1], self._held
        if held.was_passed_over(party, first.since, self._longest[party.repository]):
            return 0, 0, 0, first
        return 1, held.repository[party.repository], held.author[party.author], first
