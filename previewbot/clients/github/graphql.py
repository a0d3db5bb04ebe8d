"""Questions to GitHub's GraphQL: reads, although sent with POST, and with an hourly budget of their own."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

import aiohttp
from gidgethub.sansio import create_headers

from previewbot.clients.github.cutting import Rule
from previewbot.clients.github.graphql_answers import (
    Answer,
    RateLimited,
    address_of,
    message_in,
    read,
    rule_of,
)
from previewbot.clients.github.limits import Limits
from previewbot.clients.outgoing import reason
from previewbot.errors import UNREADABLE, RemoteError, TryLater, from_status
from previewbot.rules.rate_limits import retry_after

RESOURCE = "graphql"
"""What `x-ratelimit-resource` calls the budget of these questions
(https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api)."""

MOST_IDS = 100
"""The most nodes that one question may name (`nodes(ids:)`)."""

Send = Callable[[str, Mapping[str, str], bytes, Rule], Awaitable[tuple[int, Mapping[str, str], bytes]]]
"""Posts a body to an address; returns status, headers and what the rule keeps of the answer."""


class GraphQL:
    """Asks for one identity. `limits` are those of GraphQL, `rest` those of its other requests: each has its
    own hour, but whoever goes too fast is stopped in both.
    """

    def __init__(
        self,
        send: Send,
        *,
        api_url: str,
        user_agent: str,
        now: Callable[[], datetime],
        limits: Limits,
        rest: Limits,
    ) -> None:
        self._send = send
        self._url = address_of(api_url)
        self._user_agent = user_agent
        self._now = now
        self._limits, self._rest = limits, rest

    async def ask(
        self, query: str, variables: Mapping[str, Any], rule: Rule, *, token: str, sparing: float = 0.0
    ) -> Answer:
        """Ask one question; `rule` says what is kept of `data`. Raises RemoteError as REST's requests do.

        It changes nothing, so the fence is not asked, and what stops writes does not stop it.
        """
        what = f"POST {self._url}"
        self._limits.check(what, "GET", self._url, self._now().timestamp(), sparing=sparing)
        headers = create_headers(self._user_agent, accept="application/json", oauth_token=token)
        headers["content-type"] = "application/json; charset=utf-8"
        body = json.dumps({"query": query, "variables": variables}).encode()
        try:
            status, said, kept = await self._send(self._url, headers, body, rule_of(rule))
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
            raise TryLater(what, message=f"GitHub cannot be reached ({reason(error)})") from error
        except ValueError as error:
            raise TryLater(what, message=UNREADABLE) from error
        if status != HTTPStatus.OK:
            raise self._refused(what, status, said, message_in(kept))
        try:
            return read(what, kept)
        except RateLimited as limit:
            # An hour that is used up is told with 200, and so may be whoever goes too fast.
            raise self._refused(what, HTTPStatus.TOO_MANY_REQUESTS, said, str(limit)) from limit

    def _refused(self, what: str, status: int, headers: Mapping[str, str], message: str) -> RemoteError:
        now = self._now().timestamp()
        wait = self._limits.refused("GET", self._url, status, headers, message, now)
        if wait is None:
            return from_status(what, status, message, retry_after(headers))
        if headers.get("x-ratelimit-remaining") != "0":
            # A secondary limit counts all requests together: to go on with REST may have the App banned.
            self._rest.refused("GET", self._url, status, headers, message, now)
        return TryLater(what, status=status, message=message, after=wait)
