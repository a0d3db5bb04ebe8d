"""The line of those that wait for a slot.

Whoever's repository, then whose author holds fewest comes first, and of those the oldest; what its own limit
keeps waiting lets the others pass. "Fewest first" alone would never end for one whose repository holds some,
while others that hold fewer come and go: so whoever got nothing there for so long that all slots must have
changed hands, and more than once, comes before all.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Self

from previewbot.api import Preview, SlotBound
from previewbot.config.agents import SignalKind
from previewbot.rules.slot_limits import SlotLimits

_OF_AN_APP = "[bot]"
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
    is_no_author: bool

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
    own = observed.agent is not None and observed.agent.kind == SignalKind.ACCOUNT
    # So is any App's account, of which all repositories have the same: Dependabot's, Renovate's, that of
    # GitHub Actions. Only a bot's login may have brackets; people's are letters, digits and hyphens
    # (https://docs.github.com/en/rest/users/users), and the controller wrote it down from GitHub's answer.
    return Party(repository, number or name.lower(), agent, own or name.endswith(_OF_AN_APP))


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

    def copy(self) -> Self:
        """Return the same counts, to go on counting from."""
        return replace(
            self,
            repository=self.repository.copy(),
            author=self.author.copy(),
            author_here=self.author_here.copy(),
            agent=self.agent.copy(),
            agent_here=self.agent_here.copy(),
            last=self.last.copy(),
        )

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

    def without(self, party: Party) -> Self:
        """Return the same counts with one less; when somebody got a slot last stays as it was."""
        left = self.copy()
        left.all -= 1
        left.repository[party.repository] -= 1
        if party.author:
            left.author[party.author] -= 1
            left.author_here[party.repository, party.author] -= 1
        if party.agent:
            left.agent[party.agent] -= 1
            left.agent_here[party.repository, party.agent] -= 1
        return left

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


class Candidate(NamedTuple):
    """One that waits, for whom it counts, and within which limits."""

    party: Party
    waiting: Waiting
    limits: SlotLimits


class Turn(NamedTuple):
    """Whose turn it is at one position of the line."""

    rank: _Rank
    party: Party
    waiting: Waiting


class Line:
    """Those that wait, in the order in which the first `most` would get one slot after the other.

    `held` is what everybody holds before that. The order is computed once, however many ask for their place.
    """

    def __init__(self, waiting: Iterable[Candidate], held: Held, most: int, now: datetime) -> None:
        self._groups: dict[Party, list[Waiting]] = {}
        self._limits: dict[int, SlotLimits] = {}
        self._longest: dict[int, datetime] = {}
        self._held, self._now, self._most = held, now, most
        for party, one, limits in waiting:
            if party.repository not in self._limits:
                self._limits[party.repository] = limits
                self._longest[party.repository] = _before(now, limits.patience)
            self._groups.setdefault(party, []).append(one)
        for group in self._groups.values():
            group.sort()
        self.turns = self._turns()

    def position_of(self, me: Candidate, *, in_line: bool) -> tuple[int, SlotBound | None]:
        """Return as which one somebody gets its slot, `most` + 1 if later; or the bound before it.

        Those before it may take the last slot that its repository, its author or its agent may have. Who is
        not in the line yet (`in_line`) gets the place that it would have there.
        """
        # Whoever is not among the first changes nothing of the turns before its own. So the place of a new
        # one is found by following the turns as they are, and the line is not ranked anew for it.
        mine, waiting, limits = me
        held, longest = self._held.copy(), _before(self._now, limits.patience)
        before = bisect_left(self._groups.get(mine, []), waiting)
        for position in range(1, self._most + 1):
            bound = held.bound_of(mine, limits)
            if bound is not None:
                return 0, bound
            turn = self.turns[position - 1] if position <= len(self.turns) else None
            if turn is not None and turn.waiting == waiting:
                return position, None
            if not in_line and not before:
                rank = _rank(held, mine, waiting, longest)
                if turn is None or rank < turn.rank:
                    return position, None
            if turn is None:
                break
            before -= turn.party == mine
            held.add(turn.party, self._now)
        return self._most + 1, None

    def _turns(self) -> tuple[Turn, ...]:
        held, taken, turns = self._held.copy(), Counter[Party](), list[Turn]()

        def rank(party: Party) -> _Rank:
            first = self._groups[party][taken[party]]
            return _rank(held, party, first, self._longest[party.repository])

        def is_bound(party: Party) -> bool:
            return held.bound_of(party, self._limits[party.repository]) is not None

        heap = [(rank(party), party) for party in self._first(rank, is_bound)]
        heapq.heapify(heap)
        while heap and len(turns) < self._most:
            noted, party = heapq.heappop(heap)
            if is_bound(party):
                continue
            # What others got meanwhile can only have made a rank worse. So the best of those that are noted,
            # if it is still true, is the best of all.
            now = rank(party)
            if now != noted:
                heapq.heappush(heap, (now, party))
                continue
            turns.append(Turn(now, party, self._groups[party][taken[party]]))
            taken[party] += 1
            held.add(party, self._now)
            if taken[party] < len(self._groups[party]):
                heapq.heappush(heap, (rank(party), party))
        return tuple(turns)

    def _first(self, rank: Callable[[Party], _Rank], is_bound: Callable[[Party], bool]) -> list[Party]:
        """Return all among whom the first `most` are.

        Else one author who waits in thousands of repositories, or a repository in which thousands wait, would
        be ranked anew as a whole with each slot that goes there.
        """
        # Those of one repository and agent go in the order of their authors. As many slots as `most` change
        # as many authors, so among twice as many there is always one who is unchanged, and before all that
        # are left away. It is the same with one author's repositories.
        enough = 2 * self._most + 1
        parties = [party for party in self._groups if not is_bound(party)]
        alike: tuple[Callable[[Party], object], ...] = (Party.in_repository, Party.of_author)
        for key in alike:
            some: dict[object, list[Party]] = {}
            for party in parties:
                some.setdefault(key(party), []).append(party)
            parties = []
            for those in some.values():
                parties += heapq.nsmallest(enough, those, rank) if len(those) > enough else those
        return parties


def _rank(held: Held, party: Party, first: Waiting, longest: datetime) -> _Rank:
    if held.was_passed_over(party, first.since, longest):
        return 0, 0, 0, first
    return 1, held.repository[party.repository], held.author[party.author], first
