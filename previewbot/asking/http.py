"""GETs of one server with one secret: conditional, bounded, and never sent anywhere else."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Generic, TypeVar
from urllib.parse import urljoin

import aiohttp
from pydantic import ValidationError
from yarl import URL

from previewbot.clients.answers import MOST_OF_A_REFUSAL, beginning
from previewbot.clients.origins import origin
from previewbot.clients.outgoing import reason
from previewbot.errors import RemoteError, TooLarge, TryLater, from_status
from previewbot.rules.rate_limits import rate_limit_wait, retry_after

T = TypeVar("T")

_TIMEOUT = aiohttp.ClientTimeout(total=30, connect=10)
_REDIRECTS = frozenset({301, 302, 307, 308})
_MOST_REDIRECTS = 3
_LARGEST = 64 * 1024 * 1024
"""Bytes of an answer: a page of a hundred comments of 65,536 characters has some 30 MiB at the worst."""


_MOST_REMEMBERED = 500


@dataclass(frozen=True)
class Answer(Generic[T]):
    """What was kept of an answer, where the list goes on ("" if it does not), and when it was given."""

    kept: T
    next_url: str = ""
    date: str = ""


class Asker:
    """Asks one server, whose address everything lies below, and remembers what it answered.

    `secret` goes to that server alone: not along a redirect, and not to a next page that lies elsewhere.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        base_url: str,
        secret: str,
        whom: str,
        headers: Mapping[str, str],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._session, self._base, self._whom, self._now = session, base_url.rstrip("/"), whom, now
        self._headers = {**headers, "Authorization": f"Bearer {secret}"}
        self._remembered: dict[str, tuple[str, Answer[Any]]] = {}

    async def get(self, path: str, keep: Callable[[Any], T]) -> Answer[T]:
        """Return what `keep` makes of the JSON at a path (or of the next page of a list).

        What has not changed since it was asked for is not sent again, and costs nothing of GitHub's hour
        (https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#use-conditional-requests-if-appropriate).
        Raises RemoteError; `keep` may raise ValidationError for an answer of another shape.
        """
        url = self._base + path if path.startswith("/") else path
        known = self._remembered.get(url)
        asked = f"GET {url}"
        try:
            status, headers, body = await self._sent(asked, url, known[0] if known else "")
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
            raise TryLater(asked, message=f"it cannot be reached ({reason(error)})") from error
        except ValueError as error:
            # Of a redirect or a next page: all other addresses are ours.
            raise RemoteError(asked, message=f"{self._whom} leads to an address that is none") from error
        if status == 304 and known:
            self._remember(url, *known)
            return replace(known[1], date=headers.get("Date", ""))
        if status != 200:
            raise self._refusal(asked, status, headers, body)
        try:
            kept = keep(json.loads(body))
        except (ValueError, RecursionError, ValidationError) as error:
            raise TryLater(asked, message="its answer cannot be read") from error
        answer = Answer(kept, _next(headers), headers.get("Date", ""))
        if etag := headers.get("ETag"):
            self._remember(url, etag, answer)
        return answer

    def _remember(self, url: str, etag: str, answer: Answer[Any]) -> None:
        # An agent's server runs for days, and asks about one commit after the other: the oldest goes.
        self._remembered.pop(url, None)
        self._remembered[url] = (etag, answer)
        if len(self._remembered) > _MOST_REMEMBERED:
            del self._remembered[next(iter(self._remembered))]

    async def _sent(self, asked: str, url: str, etag: str) -> tuple[int, Mapping[str, str], bytes]:
        conditional = {"If-None-Match": etag} if etag else {}
        for _ in range(_MOST_REDIRECTS + 1):
            if origin(url) != origin(self._base):
                message = f"{self._whom} leads to another server, to which the token is not sent"
                raise RemoteError(asked, message=message)
            # One by one and by hand: aiohttp would send the token along to a subdomain's or another port.
            async with self._session.get(
                URL(url, encoded=True),
                headers={**self._headers, **conditional},
                allow_redirects=False,
                timeout=_TIMEOUT,
            ) as response:
                limit = _LARGEST if response.status == 200 else MOST_OF_A_REFUSAL
                body, whole = await beginning(response, limit)
                status, headers = response.status, response.headers.copy()
            if status == 200 and not whole:
                raise TooLarge(asked, status=status, message="its answer is too large")
            if status not in _REDIRECTS:
                return status, headers, body
            url = urljoin(url, headers.get("Location", ""))
        raise RemoteError(asked, status=status, message=f"{self._whom} leads in circles")

    def _refusal(self, asked: str, status: int, headers: Mapping[str, str], body: bytes) -> RemoteError:
        message = _message(body)
        wait = rate_limit_wait(status, headers, message, self._now())
        if wait is not None:
            return TryLater(asked, status=status, message=f"its rate limit is reached ({status})", after=wait)
        return from_status(asked, status, message or f"it answered {status}", retry_after(headers))


def moment_of(date: str) -> datetime | None:
    """Return the moment of a Date header, None where that is none."""
    try:
        return parsedate_to_datetime(date).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _next(headers: Mapping[str, str]) -> str:
    """Return the address of the next page, by the Link header."""
    for part in headers.get("Link", "").split(","):
        address, _, relation = part.partition(";")
        if 'rel="next"' in relation:
            return address.strip().removeprefix("<").removesuffix(">")
    return ""


def _message(body: bytes) -> str:
    try:
        message = json.loads(body)["message"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""
    return message if isinstance(message, str) else ""
