"""Requests to GitHub: headers, conditional requests, and errors in our own words.

Rate limits follow https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api: the
primary one is 403 or 429 with `x-ratelimit-remaining: 0`, the secondary one 403 or 429 with `retry-after`.
Both become `TryLater`; nothing sleeps here.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator, MutableMapping
from datetime import datetime
from typing import Any

import aiohttp
from gidgethub import HTTPException
from gidgethub.aiohttp import GitHubAPI

from previewbot.errors import RemoteError, TryLater, from_status

API_VERSION = "2022-11-28"
PAGE_SIZE = 100
_MAX_PAGES = 50
_CACHE_ENTRIES = 500
_SECONDARY_WAIT = 60.0

CacheEntry = tuple[str | None, str | None, Any, str | None]


class BoundedCache(MutableMapping[str, CacheEntry]):
    """The answers of conditional requests; the least recently used go first."""

    def __init__(self, entries: int = _CACHE_ENTRIES) -> None:
        self._entries = entries
        self._items: OrderedDict[str, CacheEntry] = OrderedDict()

    def __getitem__(self, key: str) -> CacheEntry:
        self._items.move_to_end(key)
        return self._items[key]

    def __setitem__(self, key: str, value: CacheEntry) -> None:
        self._items[key] = value
        self._items.move_to_end(key)
        while len(self._items) > self._entries:
            self._items.popitem(last=False)

    def __delitem__(self, key: str) -> None:
        del self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)


class Transport:
    """Sends requests for one identity (an installation, or the App itself) and remembers its answers."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        api_url: str,
        user_agent: str,
        now: Callable[[], datetime],
    ) -> None:
        self._now = now
        self._api = GitHubAPI(session, user_agent, cache=BoundedCache(), base_url=api_url.rstrip("/"))
        self._blocked_until = 0.0

    async def request(
        self, method: str, url: str, *, data: Any = b"", token: str | None = None, jwt: str | None = None
    ) -> tuple[Any, str | None]:
        """Send one request; return the decoded answer and the address of the next page, if there is one.

        Raises a RemoteError for anything but success. After a primary rate limit nothing is sent until
        GitHub's own reset time.
        """
        what = f"{method} {url}"
        wait = self._blocked_until - self._now().timestamp()
        if wait > 0:
            raise TryLater(what, status=403, message="rate limit", after=wait)
        try:
            answer, more, _ = await self._api._make_request(
                method,
                url,
                {},
                data,
                "application/vnd.github+json",
                jwt=jwt,
                oauth_token=token,
                extra_headers={"x-github-api-version": API_VERSION},
            )
        except HTTPException as error:
            raise self._in_our_words(what, error) from error
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise TryLater(what, message=type(error).__name__) from error
        return answer, more

    async def pages(
        self, url: str, *, token: str | None = None, jwt: str | None = None, key: str | None = None
    ) -> AsyncIterator[Any]:
        """Yield the items of all pages; `key` names the list inside an object."""
        separator = "&" if "?" in url else "?"
        next_url: str | None = f"{url}{separator}per_page={PAGE_SIZE}"
        for _ in range(_MAX_PAGES):
            if next_url is None:
                return
            answer, next_url = await self.request("GET", next_url, token=token, jwt=jwt)
            for item in answer[key] if key else answer:
                yield item

    def _in_our_words(self, what: str, error: HTTPException) -> RemoteError:
        status, headers = int(error.status_code), error.headers or {}
        message = str(error)
        if status in (403, 429):
            if headers.get("x-ratelimit-remaining") == "0" and headers.get("x-ratelimit-reset"):
                self._blocked_until = float(headers["x-ratelimit-reset"])
                after = max(1.0, self._blocked_until - self._now().timestamp())
                return TryLater(what, status=status, message="rate limit", after=after)
            if headers.get("retry-after"):
                return TryLater(
                    what,
                    status=status,
                    message="secondary rate limit",
                    after=_seconds(headers["retry-after"]),
                )
            if status == 429 or "secondary rate limit" in message:
                return TryLater(what, status=status, message="secondary rate limit", after=_SECONDARY_WAIT)
        return from_status(what, status, message)


def _seconds(text: str) -> float:
    return float(text) if text.isascii() and text.isdigit() else _SECONDARY_WAIT
