"""GitHub's rate limits: whether a refusal is one, what must not be sent meanwhile, and what is left of the
hour.

What of an answer is a limit, and how long it asks us to wait: `rules/rate_limits.py`.
"""

from __future__ import annotations

import random
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from previewbot.errors import NotSent, QuotaKept
from previewbot.rules.rate_limits import number, rate_limit_wait, within_bounds

KEPT_SHARE = 0.2
"""Of the requests of an hour, the share that is kept for pull requests with sessions and for commands."""

AGENTS_SHARE = 0.1
"""What of that share the pull requests of agents leave: they are what previews are for, and must not wait an
hour because people and strangers have used up the rest."""

_MINUTE = 60.0
_AGAIN = 600.0
"""What is optional and meets a limit so soon after the last one is over meets the same: an hour's, say."""
_LONGEST_PAUSE = 900.0
_SPREAD = 60.0
"""Seconds after the reset over which those come back who had to wait for it."""

_REPOSITORY = re.compile(r"/repos/([^/?]+/[^/?]+)")


@dataclass(frozen=True)
class Quota:
    """What an answer said of the hour: how many requests it has, how many are left, and when it ends
    (epoch seconds)."""

    limit: float
    remaining: float
    reset: float

    def has_less_than(self, share: float, now: float) -> bool:
        """Return whether less than this share of the hour is left; of one that is over nothing is known."""
        return self.reset > now and self.remaining < self.limit * share


def quota_from(headers: Mapping[str, str]) -> Quota | None:
    """Return what an answer's headers say of the hour, or None where they do not (a server without limits).

    `headers` must be found by their lower-case names
    (https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#checking-the-status-of-your-rate-limit).
    """
    names = ("limit", "remaining", "reset")
    limit, remaining, reset = (number(headers.get(f"x-ratelimit-{name}")) for name in names)
    if limit is None or remaining is None or reset is None:
        return None
    return Quota(limit, remaining, reset)


@dataclass
class Limits:
    """What GitHub lets one identity send now. All moments (`now`) are epoch seconds.

    GitHub limits what creates content beside all other requests
    (https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits),
    and whoever may comment somewhere can bring it about. So a limit that a write met stops writes only, in
    its repository first, and in all where a second one meets it meanwhile. A limit that a read met, or an
    hour that is used up, stops everything. What is optional never stops what is not: it leaves a part of each
    minute to it, and a limit that it met stops what is optional alone, each time for twice as long where it
    meets one again and again: what becomes free of an hour that is used up is for comments.

    `optional_a_minute` is the number of writes in a minute from which on what is optional waits.
    """

    optional_a_minute: int = 40
    quota: Quota | None = None
    _all: float = 0.0
    _writes: float = 0.0
    _writes_in: dict[str, float] = field(default_factory=dict)
    _optional: float = 0.0
    _pause: float = 0.0
    _written: deque[float] = field(default_factory=deque)

    def answered(self, headers: Mapping[str, str]) -> None:
        """Note what an answer says of the hour."""
        self.quota = quota_from(headers) or self.quota

    def wrote(self, now: float) -> None:
        """Note that something is written."""
        self._forget_but_the_minute_before(now)
        self._written.append(now)

    def refused(
        self,
        method: str,
        url: str,
        status: int,
        headers: Mapping[str, str],
        message: str,
        now: float,
        *,
        optional: bool = False,
    ) -> float | None:
        """Note a refusal; return the seconds to wait if it is a limit, else None."""
        wait = rate_limit_wait(status, headers, message, now)
        if wait is None:
            return None
        until = now + wait
        repository = _repository_of(url)
        if method == "GET" or not repository or headers.get("x-ratelimit-remaining") == "0":
            self._all = max(self._all, until)
            return wait
        if optional:
            return self._pause_what_is_optional(wait, now)
        held = {name: end for name, end in self._writes_in.items() if end > now}
        if any(name != repository for name in held):
            # Another repository has met it and it holds there still: it is no matter of this one.
            self._writes = max(self._writes, until)
        self._writes_in = {**held, repository: max(held.get(repository, 0.0), until)}
        return wait

    def check(
        self, what: str, method: str, url: str, now: float, *, sparing: float = 0.0, optional: bool = False
    ) -> None:
        """Raise NotSent if this must not be sent now, and QuotaKept if it is only for others.

        `sparing` is the share of the hour that is left to others; an `optional` write leaves others a part of
        the minute.
        """
        until = self._all
        if method != "GET":
            until = max(until, self._writes, self._writes_in.get(_repository_of(url), 0.0))
            until = max(until, self._optional) if optional else until
        if until > now:
            raise NotSent(what, status=429, message="GitHub's rate limit still holds", after=until - now)
        if method != "GET" and optional and (room := self._room_in(now)) > 0:
            message = "what is left of this minute's writes is kept for comments and answers"
            raise QuotaKept(what, status=429, message=message, after=room)
        quota = self.quota
        if quota is not None and quota.has_less_than(sparing, now):
            # Not all at once when the hour ends: they would use up the next one together.
            after = within_bounds(quota.reset - now) + random.uniform(0.0, _SPREAD)
            message = "what is left of this hour's requests is kept for previews that run"
            raise QuotaKept(what, status=429, message=message, after=after)

    def _pause_what_is_optional(self, wait: float, now: float) -> float:
        if now >= self._optional:
            longer = min(2 * self._pause, _LONGEST_PAUSE) if now - self._optional < _AGAIN else 0.0
            wait = self._pause = max(wait, longer)
        # Else it was under way when another met it: the same limit, which is not met again.
        self._optional = max(self._optional, now + wait)
        return self._optional - now

    def _room_in(self, now: float) -> float:
        """Return in how many seconds a minute has room for what is optional; 0 if this one has."""
        self._forget_but_the_minute_before(now)
        if len(self._written) < self.optional_a_minute:
            return 0.0
        return self._written[-self.optional_a_minute] + _MINUTE - now

    def _forget_but_the_minute_before(self, now: float) -> None:
        # What lies ahead was written before the clock was set back: nobody waits until it has caught up.
        while self._written and not now - _MINUTE < self._written[0] <= now:
            self._written.popleft()


def _repository_of(url: str) -> str:
    """Return the repository in an address, as GitHub compares names; "" where there is none."""
    found = _REPOSITORY.search(url)
    return found[1].lower() if found else ""
