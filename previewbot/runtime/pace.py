"""How often an installation is listed, and how soon what no webhook told of is found by that.

The settings say how often it should be; GitHub's budget says how often it can be. Whoever installs the App in
twenty thousand repositories slows their own listing down, and nobody else's.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from prometheus_client import CollectorRegistry, Gauge

from previewbot.clients.github.spending import Hours, Spent
from previewbot.errors import RemoteError

log = logging.getLogger(__name__)

SHARE = 0.25
"""Of an hour's requests, and of its points, what the listing may take: the rest is for looks and commands."""

SENT_A_MINUTE = 450
"""Half of the requests that GitHub takes in a minute, be they counted or not
(https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits)."""

_HOUR = 3600.0


def interval(wish: float, spent: Spent, hours: Hours) -> float:
    """Return the seconds from the begin of a listing that took so much to the begin of the next."""
    needed = [wish, spent.sent / SENT_A_MINUTE * 60.0]
    for cost, quota in ((spent.counted, hours.requests), (spent.points, hours.points)):
        if quota is not None and quota.limit > 0:
            needed.append(_HOUR * cost / (SHARE * quota.limit))
    return max(needed)


@dataclass
class _Listed:
    """When an installation was listed to its end the last time, when it is due, and how soon it finds."""

    began: datetime | None = None
    due: datetime | None = None
    within: float | None = None
    stopped: str = ""


class Pace:
    """One for the process: metrics are registered once. `wish` is the settings' interval, in seconds; `note`
    takes what the platform team should see to though we are ready."""

    def __init__(
        self,
        wish: float,
        *,
        note: Callable[[str], None] = lambda words: None,
        metrics: CollectorRegistry | None = None,
    ) -> None:
        self._wish = wish
        self._note = note
        self._listed: dict[int, _Listed] = {}
        self._told = ""
        self._within = Gauge(
            "previewbot_listing_found_within_seconds",
            "How soon a pull request is found of which no webhook told: the time between the last two whole "
            "listings, and how long the last one took; of the slowest installation",
            registry=metrics,
        )
        self._stopped = Gauge(
            "previewbot_listing_stopped",
            "Installations whose listing a limit of GitHub's stopped; the log and /readyz say until when",
            registry=metrics,
        )

    def is_due(self, installation_id: int, now: datetime) -> bool:
        """Return whether an installation is to be listed now."""
        due = self._listed.get(installation_id, _Listed()).due
        # Half of the wish, since it is listed in steps of that: a second too early would cost a whole one.
        return due is None or now + timedelta(seconds=self._wish / 2) >= due

    def listed(
        self, installation_id: int, began: datetime, ended: datetime, spent: Spent, hours: Hours
    ) -> None:
        """Note that an installation was listed to its end."""
        before = self._listed.get(installation_id, _Listed())
        wait = interval(self._wish, spent, hours)
        due = began + timedelta(seconds=wait) if wait > self._wish else None
        within = None
        if before.began is not None:
            within = (began - before.began + (ended - began)).total_seconds()
        self._listed[installation_id] = _Listed(began, due, within)
        if due is not None and before.due is None:
            about = {"installation": installation_id, "seconds": round(wait), "wished": self._wish}
            about |= {"requests": spent.counted, "points": spent.points}
            log.warning("an installation is listed more seldom: GitHub's budget is small for it", extra=about)

    def stopped(self, installation_id: int, error: RemoteError, now: datetime) -> None:
        """Note that a limit stopped a listing; what it did not come to is not found until that is over."""
        listed = self._listed.setdefault(installation_id, _Listed())
        until = now + timedelta(seconds=error.after or 0.0)
        listed.stopped = f"until {until.astimezone(UTC):%H:%M} UTC ({error.message})"

    def keep(self, installations: set[int]) -> None:
        """Forget all other installations: the App was removed there."""
        self._listed = {each: found for each, found in self._listed.items() if each in installations}

    def forget(self) -> None:
        """Say nothing more of it: who only stands by lists nothing."""
        self._listed = {}
        self.tell()

    def tell(self) -> None:
        """Say how it is: to `/readyz`, which stays ready since a new process would fare no better, as
        metrics, and in the log if that has changed."""
        withins = [each.within for each in self._listed.values() if each.within is not None]
        stopped = {which: each.stopped for which, each in self._listed.items() if each.stopped}
        self._within.set(max(withins, default=0.0))
        self._stopped.set(len(stopped))
        slow = max(withins, default=0.0) > 2 * self._wish + 60
        words = [
            f"GitHub's limit stopped the listing of installation {which} {why}"
            for which, why in sorted(stopped.items())
        ]
        minutes = max(1, math.ceil(max(withins, default=0.0) / 60))
        found = f"what no webhook told of is found within {minutes} min" if withins else ""
        self._note("; ".join([*words, *([found] if slow else [])]))
        told = "; ".join(filter(None, [*words, found]))
        if told != self._told:
            self._told = told
            if told:
                log.info("the listing", extra={"told": told, "stopped": len(stopped)})
