"""Requests to GitHub: headers, limits of time and size, redirects, conditional requests, errors in our words.

Of every answer only that gets past here which its rule (`kept`) keeps; answers that GitHub refuses with are
short, and kept whole up to a limit.

Nothing sleeps here: a limit or a passing fault becomes `TryLater`, and the pass that met it is queued again.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextvars import ContextVar
from datetime import datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import aiohttp
from gidgethub import HTTPException
from gidgethub.aiohttp import GitHubAPI

from previewbot.clients.answers import MOST_OF_A_REFUSAL, PIECE, beginning
from previewbot.clients.github import parse
from previewbot.clients.github.addresses import API_VERSION, check_path
from previewbot.clients.github.cache import PAGE_SIZE, BoundedCache
from previewbot.clients.github.cutting import Cutting, Rule, TooMuch
from previewbot.clients.github.graphql import RESOURCE, GraphQL
from previewbot.clients.github.limits import Limits
from previewbot.clients.github.moved import leads_to_another_issue
from previewbot.clients.github.spending import Hours, note
from previewbot.clients.github.their_clock import TheirClock
from previewbot.clients.origins import origin
from previewbot.clients.outgoing import reason
from previewbot.errors import UNREADABLE, RemoteError, TooLarge, TryLater, from_status
from previewbot.rules.app_rights import with_what_is_lacking
from previewbot.rules.rate_limits import retry_after

MAX_PAGES = 100
"""Strangers cannot make a list of a pull request's that is longer: GitHub shows 3,000 files, and takes 2,500
comments (`Commenting is disabled on issues with more than 2500 comments`,
https://github.com/cockpit-project/cockpit/issues/8417). Of open pull requests 10,000 can be listed."""

_ACCEPT = "application/vnd.github+json"
_TIMEOUT = aiohttp.ClientTimeout(total=30, connect=10)
_REDIRECTS = frozenset({301, 302, 307, 308})
_MAX_REDIRECTS = 3

Trusted = Callable[[], ssl.SSLContext | bool]

_rule: ContextVar[Rule] = ContextVar("rule")
"""How the answer is cut that is being asked for: gidgethub passes nothing of ours on to `_Api._request`."""


class _Api(GitHubAPI):
    """gidgethub with limits of time and size, and with redirects that keep method, body and credentials.

    A renamed repository redirects; GitHub asks for the same request at the new address
    (https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects),
    whereas aiohttp would turn a redirected POST into a GET. Credentials never leave the origin.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        requester: str,
        *,
        base_url: str,
        reading: asyncio.Lock,
        limits: Mapping[str, Limits],
        heard: Callable[[Mapping[str, str]], None],
        trusted: Trusted,
    ) -> None:
        super().__init__(session, requester, cache=BoundedCache(), base_url=base_url)
        self._trusted = trusted
        self._reading = reading
        self._limits = limits
        self._heard = heard

    async def _request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
    ) -> tuple[int, Mapping[str, str], bytes]:
        for hop in range(_MAX_REDIRECTS + 1):
            # Redirects are followed by hand, one by one. aiohttp would turn a POST into a GET, and a comment
            # would never be written after a repository was renamed.
            async with self._session.request(
                method,
                url,
                headers=headers,
                data=body,
                timeout=_TIMEOUT,
                allow_redirects=False,
                ssl=self._trusted(),
            ) as response:
                body_kept = await _read(f"{method} {url}", response, self._reading)
                answer = response.status, response.headers, body_kept
            target = urljoin(url, answer[1].get("location", ""))
            if answer[0] not in _REDIRECTS or hop == _MAX_REDIRECTS or origin(target) != origin(url):
                break
            if leads_to_another_issue(url, target):
                break
            url = target
        # Of each answer, also of one that nothing has changed (304).
        resource = answer[1].get("x-ratelimit-resource", "")
        self._limits.get(resource, self._limits[""]).answered(answer[1])
        note(answer[0], graphql=resource == RESOURCE)
        self._heard(answer[1])
        return answer

    async def send(
        self, url: str, headers: Mapping[str, str], body: bytes, rule: Rule
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Post a body; return the answer's status and headers, and what is kept of it."""
        _rule.set(rule)
        return await self._request("POST", url, headers, body)


async def _read(what: str, response: aiohttp.ClientResponse, reading: asyncio.Lock) -> bytes:
    """Return what is kept of an answer; raises TooLarge, and ValueError if it is no JSON."""
    if response.status >= 300:
        said, all_of_it = await beginning(response, MOST_OF_A_REFUSAL)
        # The status tells what to do. It must not get lost over what a proxy writes below it.
        return said if all_of_it else b""
    cutting = Cutting(_rule.get())
    try:
        async for piece in response.content.iter_chunked(PIECE):
            # One piece of one answer, and then whoever else waits has a turn: the Lease must be renewed while
            # all workers read at once, and what was received already is handed out without a pause.
            async with reading:
                cutting.feed(piece)
                await asyncio.sleep(0)
    except TooMuch as error:
        message = f"GitHub's answer is too large: {error}"
        raise TooLarge(what, status=response.status, message=message) from error
    return cutting.end()


class Transport:
    """Sends requests for one identity (an installation, or the App itself) and remembers its answers.

    `reading` is held by whoever parses a piece of an answer; all of a process share it. `heard` is told the
    headers of each answer. `trusted` says whose certificates count, and may raise a RemoteError.
    `optional_a_minute` is the number of writes in a minute from which on what is optional waits.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        api_url: str,
        user_agent: str,
        now: Callable[[], datetime],
        fence: Callable[[], None],
        reading: asyncio.Lock,
        optional_a_minute: int,
        heard: Callable[[Mapping[str, str]], None] = lambda headers: None,
        trusted: Trusted = lambda: True,
    ) -> None:
        self._now = now
        self._fence = fence
        self._origin = origin(api_url)
        self._limits, self._of_graphql = Limits(optional_a_minute), Limits()
        self._heard = heard
        self.clock = TheirClock()
        self._api = _Api(
            session,
            user_agent,
            base_url=api_url.rstrip("/"),
            reading=reading,
            limits={"": self._limits, RESOURCE: self._of_graphql},
            heard=self._note,
            trusted=trusted,
        )
        self.graphql = GraphQL(
            self._api.send,
            api_url=api_url,
            user_agent=user_agent,
            now=now,
            limits=self._of_graphql,
            rest=self._limits,
        )

    @property
    def hours(self) -> Hours:
        """What was last heard of the hours that this identity has."""
        return Hours(self._limits.quota, self._of_graphql.quota)

    async def request(
        self,
        method: str,
        url: str,
        rule: Rule,
        *,
        data: Any = b"",
        token: str | None = None,
        jwt: str | None = None,
        sparing: float = 0.0,
        optional: bool = False,
    ) -> tuple[Any, str | None]:
        """Send one request; return what `rule` keeps of the answer, and the address of the next page, if any.

        Raises a RemoteError for anything but success (TooLarge for an answer past our limits), and what the
        fence raises. What a limit of GitHub's stops is not sent; nor what is `sparing` once little is left of
        the hour (`Limits`)
        (https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#handle-rate-limit-errors-appropriately).
        """
        what = f"{method} {url}"
        self._check(what, url)
        self.check_limits(method, url, sparing=sparing, optional=optional)
        # The last moment before something changes. A process that was frozen for a minute wakes up here, and
        # must not write for a lease that somebody else holds by now.
        if method != "GET":
            self._fence()
            self._limits.wrote(self._now().timestamp())
        _rule.set(rule)
        try:
            answer, next_url, _ = await self._api._make_request(
                method,
                url,
                {},
                data,
                _ACCEPT,
                jwt=jwt,
                oauth_token=token,
                extra_headers={"x-github-api-version": API_VERSION},
            )
        except HTTPException as error:
            raise self._in_our_words(method, url, error, optional=optional) from error
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
            # Nobody knows whether a write got through before the connection broke. So creations are announced
            # in the status first, and looked for by the next pass before they are repeated.
            raise TryLater(what, message=f"GitHub cannot be reached ({reason(error)})") from error
        except (ValueError, KeyError, TypeError) as error:
            # gidgethub could not make sense of the answer: cut off, not JSON, or not GitHub's shape.
            raise TryLater(what, message=UNREADABLE) from error
        return answer, next_url

    async def pages(
        self,
        url: str,
        rule: Rule,
        *,
        token: str | None = None,
        jwt: str | None = None,
        key: str | None = None,
        sparing: float = 0.0,
        most: int | None = None,
    ) -> AsyncIterator[Any]:
        """Yield what `rule` keeps of the items of all pages; `key` names the list inside an object.

        Pages are found by the Link header alone. Raises RemoteError past MAX_PAGES: half a list would be
        taken for the whole. With `most` it ends after so many pages, for whoever goes on there later.
        """
        next_url: str | None = f"{url}{'&' if '?' in url else '?'}per_page={PAGE_SIZE}"
        for _ in range(most or MAX_PAGES):
            answer, next_url = await self.request(
                "GET", next_url or url, rule, token=token, jwt=jwt, sparing=sparing
            )
            for item in parse.listing(answer, key):
                yield item
            if next_url is None:
                return
        if most is not None:
            return
        raise RemoteError(f"GET {url}", message=f"more than {MAX_PAGES} pages")

    def _note(self, headers: Mapping[str, str]) -> None:
        self.clock.note(headers, self._now())
        self._heard(headers)

    def _check(self, what: str, url: str) -> None:
        check_path(what, url)
        # The address of the next page comes from GitHub's answer, and our token is sent along. So it is only
        # followed on the server that the settings name.
        if urlsplit(url).netloc and origin(url) != self._origin:
            raise RemoteError(what, message="the next page lies on another server: no credentials for it")

    def check_limits(self, method: str, url: str, *, sparing: float = 0.0, optional: bool = False) -> None:
        """Raise TryLater if such a request would not be sent now."""
        now = self._now().timestamp()
        self._limits.check(f"{method} {url}", method, url, now, sparing=sparing, optional=optional)

    def _in_our_words(self, method: str, url: str, error: HTTPException, *, optional: bool) -> RemoteError:
        what, status, headers, message = f"{method} {url}", int(error.status_code), error.headers, str(error)
        # What it stops is not sent until then: GitHub may ban an App that goes on while it is limited.
        now = self._now().timestamp()
        wait = self._limits.refused(method, url, status, headers, message, now, optional=optional)
        if wait is not None:
            return TryLater(what, status=status, message=message, after=wait)
        if status == 403:
            message = with_what_is_lacking(message, headers.get("x-accepted-github-permissions", ""))
        return from_status(what, status, message, retry_after(headers))
