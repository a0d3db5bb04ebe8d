"""One request to a registry, within bounds of time and size; secrets stay with the host they are for."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import aiohttp

from previewbot.clients.answers import beginning
from previewbot.clients.origins import origin
from previewbot.clients.outgoing import reason, untrusted
from previewbot.clients.registry.answers import Answer
from previewbot.clients.registry.problems import Untrusted
from previewbot.clients.tls import Trust
from previewbot.errors import Invalid, TryLater

_USER_AGENT = "previewbot"
_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 5


@dataclass(frozen=True)
class Limits:
    """How long to wait, for one answer and for a whole look; how much to read of an answer, and of a list."""

    connect_seconds: float = 5.0
    answer_seconds: float = 15.0
    lookup_seconds: float = 45.0
    body: int = 4 * 1024 * 1024
    tags: int = 1000


@dataclass(frozen=True)
class RegistryRequest:
    """A request; `what` is what errors call it, `form` makes it a POST that is not redirected."""

    what: str
    url: str
    method: str = "GET"
    accept: str = "*/*"
    authorization: str = field(default="", repr=False)
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict, repr=False)
    redirects: int = _MOST_REDIRECTS


class Transport:
    """Asks over one HTTP session."""

    def __init__(self, session: aiohttp.ClientSession, limits: Limits) -> None:
        self._session = session
        self._limits = limits
        self._trust = Trust()

    async def send(self, request: RegistryRequest, ca_file: Path | None) -> Answer:
        """Return the answer, whatever its status; raises TryLater without one, Invalid if it is too large.

        Redirects are followed here and not by aiohttp: never from TLS to none, and without the Authorization
        once another host is concerned.
        """
        try:
            return await self._follow(request, self._tls(request.what, ca_file))
        except aiohttp.ClientConnectorCertificateError as error:
            raise Untrusted(request.what, message=untrusted(error)) from error
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise TryLater(request.what, message=_reason(error)) from error

    async def _follow(self, request: RegistryRequest, tls: ssl.SSLContext | bool) -> Answer:
        url = request.url
        # Without compression: a few kilobytes could unpack to gigabytes, and digests are of the plain bytes.
        headers = {"Accept": request.accept, "User-Agent": _USER_AGENT, "Accept-Encoding": "identity"}
        if request.authorization:
            headers["Authorization"] = request.authorization
        for _ in range(request.redirects + 1):
            answer = await self._once(request, url, headers, tls)
            location = answer.headers.get("Location", "")
            if answer.status not in _REDIRECTS or not location or not request.redirects:
                return replace(
                    answer, foreign=origin(url) != origin(request.url), redirected=url != request.url
                )
            url = _next(request.what, url, location)
            if origin(url) != origin(request.url):
                # It is not put back if a later redirect returns to the first host: the host in between chose
                # where to send us.
                headers.pop("Authorization", None)
        raise TryLater(request.what, message="it redirects without end")

    async def _once(
        self, request: RegistryRequest, url: str, headers: dict[str, str], tls: ssl.SSLContext | bool
    ) -> Answer:
        timeout = aiohttp.ClientTimeout(
            total=self._limits.answer_seconds, connect=self._limits.connect_seconds
        )
        async with self._session.request(
            "POST" if request.form else request.method,
            url,
            headers=headers,
            params=request.query or None,
            data=request.form or None,
            timeout=timeout,
            allow_redirects=False,
            ssl=tls,
        ) as response:
            body = await self._read(request.what, response)
            challenges = tuple(response.headers.getall("WWW-Authenticate", ()))
            return Answer(response.status, response.headers, challenges, body)

    async def _read(self, what: str, response: aiohttp.ClientResponse) -> bytes:
        body, all_of_it = await beginning(response, self._limits.body)
        if not all_of_it:
            message = f"its answer is larger than {self._limits.body} bytes"
            raise Invalid(what, status=response.status, message=message)
        return body

    def _tls(self, what: str, path: Path | None) -> ssl.SSLContext | bool:
        try:
            return self._trust.with_file(path)
        except OSError as error:
            message = f"{path}, its ca_file, cannot be read as certificates"
            raise TryLater(what, message=message) from error


def _next(what: str, url: str, location: str) -> str:
    found = urljoin(url, location)
    before, after = urlsplit(url).scheme, urlsplit(found).scheme
    # From TLS to none, whoever is on the way could answer with an image of their own.
    if after not in ("http", "https") or (before, after) == ("https", "http"):
        raise TryLater(what, message=f"it redirects from {before} to {after}")
    return found


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it does not answer in time"
    return reason(error)
