"""What the day cost: requests by their kind and hour, writes to the API server, and how late what was lost
was found."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from previewbot_demo.github.charges import Charged

HOUR = 3_600.0
_MINUTE = 60.0
AFTER_A_RESTART = 600.0
"""Seconds in which a restart is paid for: until everything was looked at once."""

LISTING, CONFIGURATION, PULL_REQUEST = "listing", "configuration", "pull request"
COMMENTS, BUILDS, OTHER = "comments read", "what CI says", "other"
WRITTEN, DEPLOYMENTS, CHECK = "comments written", "deployments", "our check"
KINDS = (LISTING, CONFIGURATION, PULL_REQUEST, COMMENTS, BUILDS, WRITTEN, DEPLOYMENTS, CHECK, OTHER)
"""What counts towards an installation's hour of REST requests."""

UNCHANGED, POINTS, AS_THE_APP, REFUSED = "304, free", "GraphQL points", "as the App", "refused"
CONTENT = "writes that make content"
"""What GitHub limits beside the hour: every write in a repository, as far as it tells."""

A_MINUTE, A_MINUTE_OF_GRAPHQL = "a minute's points", "a minute's points of GraphQL"
"""What an installation's minute is charged: 1 for a read, be it counted or not, and 5 for a write."""

_ONE = re.compile(r"/[0-9a-f]{40}|/r\d+|/\d+|/person-\d+")
"""What tells two of a kind apart in an address."""

_KINDS: Sequence[tuple[str, str]] = (
    # By what only our own questions ask for: others' checks and workflows are read at the same addresses.
    (r"^(POST|PATCH) .*/check-runs|/check-runs\?.*check_name=", CHECK),
    (r"/repos/[^/]+/[^/]+/deployments\b|/actions/runs\?.*status=action_required", DEPLOYMENTS),
    (r"^(POST|PATCH|DELETE) ", WRITTEN),
    (r"/installation/repositories\b|/pulls(\?|$)", LISTING),
    (r"/contents/|/branches/", CONFIGURATION),
    (r"/comments\b|/reviews\b|/permission\b", COMMENTS),
    (r"/pulls/\d+|/git/commits/", PULL_REQUEST),
    (r"/check-runs\b|/actions/", BUILDS),
)


def kind_of(charged: Charged) -> str:
    """Return what a request was for."""
    if charged.why:
        return REFUSED
    if charged.resource == "graphql":
        return POINTS
    if charged.status == 304:
        return UNCHANGED
    if charged.identity == "app":
        return AS_THE_APP
    asked = f"{charged.method} {charged.path}" + (f"?{charged.query}" if charged.query else "")
    return next((kind for pattern, kind in _KINDS if re.search(pattern, asked)), OTHER)


@dataclass
class Ledger:
    """Counts while the day goes on; all moments are seconds since its beginning.

    `calls` by hour and kind, and `minutes` by minute and limit; `paths` what was asked for.
    """

    begun: float
    calls: Counter[tuple[int, str]] = field(default_factory=Counter)
    minutes: Counter[tuple[int, str]] = field(default_factory=Counter)
    paths: Counter[tuple[str, str]] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    api_writes: Counter[tuple[int, str]] = field(default_factory=Counter)
    restarts: list[float] = field(default_factory=list)
    after_restart: Counter[str] = field(default_factory=Counter)
    listings: int = 0
    lost: dict[tuple[str, int], list[float]] = field(default_factory=dict)
    waits: list[float] = field(default_factory=list)

    def charge(self, charged: Charged) -> None:
        """Count a request."""
        at, kind = charged.at - self.begun, kind_of(charged)
        amount = charged.points if kind == POINTS else 1
        self.calls[int(at // HOUR), kind] += amount
        self.paths[kind, f"{charged.method} {_ONE.sub('/…', charged.path)}"] += amount
        if charged.identity != "app":
            self._charge_minute(charged, at)
        self.listings += charged.path.endswith("/app/installations")
        if charged.why:
            self.refused[charged.why] += 1
        if self._is_after_a_restart(at):
            self.after_restart[kind] += amount

    def _charge_minute(self, charged: Charged, at: float) -> None:
        limit = A_MINUTE_OF_GRAPHQL if charged.resource == "graphql" else A_MINUTE
        self.minutes[int(at // _MINUTE), limit] += charged.weight
        if charged.makes_content:
            self.minutes[int(at // _MINUTE), CONTENT] += 1
            self.calls[int(at // HOUR), CONTENT] += 1

    def see(self, repository: str, number: int, as_of: float, at: float) -> None:
        """Count as found what was lost of a pull request up to a moment of which a look has told."""
        lost = self.lost.pop((repository, number), [])
        self.waits += [at - moment for moment in lost if moment < as_of + 1]
        left = [moment for moment in lost if moment >= as_of + 1]
        if left:
            self.lost[repository, number] = left

    def write(self, what: str, at: float) -> None:
        """Count a write to the API server."""
        self.api_writes[int(at // HOUR), what] += 1
        if self._is_after_a_restart(at):
            self.after_restart["API writes"] += 1

    def lose(self, repository: str, number: int, at: float) -> None:
        """Note that a webhook got lost that somebody waits for."""
        self.lost.setdefault((repository, number), []).append(at)

    def restart(self, at: float) -> None:
        """Note that the controller begins anew."""
        self.restarts.append(at)

    def never_found(self, before: float) -> int:
        """Return how many were lost before a moment and not found until now."""
        return sum(at < before for moments in self.lost.values() for at in moments)

    def hours_of(self, kind: str, hours: int) -> list[int]:
        """Return the number of a kind in each hour."""
        return [self.calls[hour, kind] for hour in range(hours)]

    def fullest_minute(self, limit: str) -> int:
        """Return the most that a minute was charged."""
        return max((number for (_, of), number in self.minutes.items() if of == limit), default=0)

    def rest(self, hours: int) -> list[int]:
        """Return what each hour counted towards the installation's REST budget."""
        return [sum(self.calls[hour, kind] for kind in KINDS) for hour in range(hours)]

    def writes(self, hours: int) -> list[int]:
        """Return the writes to the API server in each hour."""
        return [sum(n for (h, _), n in self.api_writes.items() if h == hour) for hour in range(hours)]

    def _is_after_a_restart(self, at: float) -> bool:
        # The first start is none: everything is new then.
        return any(0 <= at - began < AFTER_A_RESTART for began in self.restarts[1:])


def percentile(values: Iterable[float], share: float) -> float:
    """Return the least of these that is at least as large as this share of them; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
