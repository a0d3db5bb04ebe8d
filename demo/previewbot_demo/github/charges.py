"""What GitHub charges for a request, and whom it refuses: the fake's budget, as GitHub documents it.

What is charged is `charge_rules.RULES`; a refusal names its rule. Left out: the 90 s of CPU time in 60 s,
since what a fake's answer takes says nothing of GitHub's; and lower limits of single endpoints, which GitHub
does not publish.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web

from previewbot_demo.github.points import Cost, cost_of
from previewbot_demo.github.store import Clock

_MINUTE, _HOUR = 60.0, 3_600.0
_AT_ONCE = 100
POINTS_A_MINUTE, GRAPHQL_A_MINUTE = 900, 2_000
CONTENT_A_MINUTE, CONTENT_AN_HOUR = 80, 500
"""The secondary limits (`charge_rules.RULES`)."""

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_TOO_FAST = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
_USED_UP = "API rate limit exceeded for installation."


@dataclass(frozen=True)
class Charged:
    """A request as it was charged: of whom, of which budget, how much of the hour; `status` 0 as refused.

    `weight` counts towards the minute's limit; `makes_content`: towards those of what is written.
    """

    at: float
    identity: str
    resource: str
    method: str
    path: str
    status: int
    points: int
    why: str = ""
    query: str = ""
    weight: int = 0
    makes_content: bool = False


@dataclass(frozen=True)
class Size:
    """How large an installation is: the hours grow with it."""

    repositories: int = 1
    users: int = 1
    enterprise_cloud: bool = False

    def hourly(self, resource: str) -> int:
        """Return the requests (`core`) or points (`graphql`) of an hour."""
        if self.enterprise_cloud:
            return 10_000 if resource == "graphql" else 15_000
        more = max(0, self.repositories - 20) + max(0, self.users - 20)
        return min(5_000 + 50 * more, 12_500)


@dataclass
class _Hour:
    limit: int = 0
    used: int = 0
    ends: float = 0.0


@dataclass
class _Account:
    """What one identity has used."""

    hours: dict[str, _Hour] = field(default_factory=dict)
    minutes: dict[str, deque[tuple[float, int]]] = field(default_factory=dict)
    content: deque[float] = field(default_factory=deque)
    under_way: int = 0

    def spent_in_a_minute(self, resource: str, now: float) -> int:
        spent = self.minutes.setdefault(resource, deque())
        while spent and spent[0][0] <= now - _MINUTE:
            spent.popleft()
        return sum(points for _, points in spent)


@dataclass(frozen=True)
class _Asked:
    resource: str
    weight: int
    points: int
    makes_content: bool = False
    wrong: str = ""


class Charges:
    """Stands in front of a fake GitHub's API; `size` says how large an installation is, by its number.

    `heard` is told of each request as it was charged; `thinking` is awaited for each, as long as GitHub takes
    for an answer.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        size: Callable[[int], Size] = lambda installation: Size(),
        heard: Callable[[Charged], None] = lambda charged: None,
        thinking: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._clock = clock
        self.size = size
        self.heard = heard
        self.thinking = thinking
        self._accounts: dict[str, _Account] = {}

    def spend(self, identity: str, resource: str, amount: int) -> int:
        """Use up so much of an identity's hour at once; return what is used of it."""
        account = self._accounts.setdefault(identity, _Account())
        hour = self._hour(account, identity, resource, self._clock().timestamp())
        hour.used = min(hour.limit, hour.used + amount)
        return hour.used

    def hurry(self, identity: str, resource: str, weight: int) -> None:
        """Use up so many points of an identity's minute at once."""
        account = self._accounts.setdefault(identity, _Account())
        account.minutes.setdefault(resource, deque()).append((self._clock().timestamp(), weight))

    def write(self, identity: str, number: int) -> None:
        """Let an identity have made so much content just now."""
        account = self._accounts.setdefault(identity, _Account())
        account.content.extend([self._clock().timestamp()] * number)

    async def around(
        self,
        request: web.BaseRequest,
        identity: str,
        answer: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        """Return the answer to a request, or its refusal, with what it cost in the headers."""
        if "Authorization" not in request.headers:
            identity = "nobody"
        account = self._accounts.setdefault(identity, _Account())
        asked, now = await _asked(request), self._clock().timestamp()
        hour = self._hour(account, identity, asked.resource, now)
        refusal, why = _refusal(account, hour, asked, now)
        cost = 0
        sent: web.StreamResponse
        if refusal is not None:
            sent = refusal
        else:
            _note(account, asked, now)
            sent = await self._answered(account, request, answer)
            # A conditional request that finds nothing new is free, for whoever says who they are.
            unchanged = sent.status == 304 and identity != "nobody"
            cost = 0 if unchanged else asked.points
            hour = self._hour(account, identity, asked.resource, self._clock().timestamp())
            hour.used = min(hour.limit, hour.used + cost)
        sent.headers.update(_headers(asked.resource, hour))
        told = (self._clock().timestamp(), identity, asked.resource, request.method, request.path)
        weighs = (0, False) if why else (asked.weight, asked.makes_content)
        self.heard(Charged(*told, 0 if why else sent.status, cost, why, request.query_string, *weighs))
        return sent

    async def _answered(
        self,
        account: _Account,
        request: web.BaseRequest,
        answer: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        account.under_way += 1
        try:
            if self.thinking is not None:
                await self.thinking()
            return await answer(request)
        finally:
            account.under_way -= 1

    def _hour(self, account: _Account, identity: str, resource: str, now: float) -> _Hour:
        """Return an identity's hour, a new one when the last is over; it begins with its first request."""
        hour = account.hours.get(resource)
        if hour is None or now >= hour.ends:
            hour = account.hours[resource] = _Hour(self._limit(identity, resource), 0, int(now) + _HOUR)
        return hour

    def _limit(self, identity: str, resource: str) -> int:
        if identity == "nobody":
            return 60
        kind, _, number = identity.partition(" ")
        return self.size(int(number)).hourly(resource) if kind == "installation" else Size().hourly(resource)


async def _asked(request: web.BaseRequest) -> _Asked:
    if not request.path.endswith("/graphql"):
        reads = request.method in _READS
        # A token is made by a POST as well, but is nothing that anybody reads.
        content = not reads and "/repos/" in request.path and request.method != "DELETE"
        return _Asked("core", 1 if reads else 5, 1, makes_content=content)
    cost = await _cost(request)
    return _Asked("graphql", 5 if cost.mutates else 1, cost.points, cost.mutates, cost.wrong)


async def _cost(request: web.BaseRequest) -> Cost:
    try:
        asked = json.loads(await request.read())
        return cost_of(asked["query"], asked.get("variables") or {})
    except (ValueError, KeyError, TypeError, AttributeError):
        return Cost(1, 0)


def _refusal(account: _Account, hour: _Hour, asked: _Asked, now: float) -> tuple[web.Response | None, str]:
    """Return the answer to what is over a limit, and the name of the rule."""
    graphql = asked.resource == "graphql"
    most, rule = (GRAPHQL_A_MINUTE, "a minute of GraphQL") if graphql else (POINTS_A_MINUTE, "a minute")
    if account.under_way >= _AT_ONCE:
        return _too_fast(_MINUTE), "at once"
    if account.spent_in_a_minute(asked.resource, now) + asked.weight > most:
        return _too_fast(_MINUTE), rule
    if asked.makes_content:
        while account.content and account.content[0] <= now - _HOUR:
            account.content.popleft()
        if len(account.content) >= CONTENT_AN_HOUR:
            return _too_fast(account.content[0] + _HOUR - now), "content an hour"
        if sum(at > now - _MINUTE for at in account.content) >= CONTENT_A_MINUTE:
            return _too_fast(_MINUTE), "content"
    if hour.used >= hour.limit:
        if graphql:
            # An hour that is used up is told with 200 there.
            return web.json_response({"errors": [{"type": "RATE_LIMITED", "message": _USED_UP}]}), "used up"
        return web.json_response({"message": _USED_UP}, status=403), "used up"
    if asked.wrong:
        wrong = {"type": "MAX_NODE_LIMIT_EXCEEDED", "message": asked.wrong}
        return web.json_response({"errors": [wrong]}), "nodes"
    return None, ""


def _too_fast(seconds: float) -> web.Response:
    headers = {"Retry-After": str(max(1, int(seconds)))}
    return web.json_response({"message": _TOO_FAST}, status=403, headers=headers)


def _note(account: _Account, asked: _Asked, now: float) -> None:
    account.minutes[asked.resource].append((now, asked.weight))
    if asked.makes_content:
        account.content.append(now)


def _headers(resource: str, hour: _Hour) -> dict[str, str]:
    numbers = {
        "Limit": hour.limit,
        "Remaining": hour.limit - hour.used,
        "Reset": int(hour.ends),
        "Used": hour.used,
    }
    return {f"X-RateLimit-{name}": str(n) for name, n in numbers.items()} | {"X-RateLimit-Resource": resource}
