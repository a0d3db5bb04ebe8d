"""How a request is sent in a person's name: by urllib3, with limits of time and size, errors in our words.

One attempt, and no redirect is followed, since a token is sent along.
"""

from __future__ import annotations

import re
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import urllib3

from previewbot.clients.github.people_answers import message_in
from previewbot.clients.tls import client_context
from previewbot.errors import UNTRUSTED, NoAnswer, TooLarge, TryLater, from_status
from previewbot.rules.proxies import Proxies, Proxy, refusal
from previewbot.rules.rate_limits import rate_limit_wait, retry_after

_MOST_BYTES = 256 * 1024
"""Of an answer: a repository has some 30 KiB, a comment up to 64 KiB twice."""

_CONNECTIONS = 16
_NOT_SENT = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.LocationParseError,
)
"""Errors of before anything was sent."""

_TUNNEL = re.compile(r"Tunnel connection failed: ([0-9]{3})")


class PeopleSending:
    """Sends requests to GitHub, each within `budget` seconds; safe to use from several threads.

    It trusts the CAs of `ca_file` besides the system's.
    """

    def __init__(
        self,
        *,
        user_agent: str,
        now: Callable[[], datetime],
        budget: float,
        ca_file: Path | None,
        proxies: Proxies,
    ) -> None:
        self._user_agent, self._now, self._budget = user_agent, now, budget
        self._proxies = proxies
        self._connections = _Connections(ca_file)

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes | None,
        known: frozenset[int] = frozenset(),
    ) -> tuple[int, bytes]:
        """Send a request; return the status and the body of what succeeded, or has a `known` status.

        Raises RemoteError; NoAnswer where the request may have been carried out although nothing says so.
        """
        what, deadline = f"{method} {url}", time.monotonic() + self._budget
        proxy = self._proxies.of(url)
        try:
            connections = self._connections.of(proxy)
        except OSError as error:
            words = f"GitHub cannot be reached (github.ca_file cannot be read: {type(error).__name__})"
            raise TryLater(what, message=words) from error
        try:
            answer = connections.request(
                method,
                url,
                body=content,
                headers={**headers, "User-Agent": self._user_agent},
                timeout=urllib3.Timeout(total=self._budget),
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
            status, said = answer.status, answer.headers
            body = _beginning(what, answer, deadline)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _no_answer(what, error, proxy) from error
        if proxy is not None and status == 407:
            raise TryLater(what, message=f"GitHub cannot be reached ({refusal(proxy, status)})")
        if 200 <= status < 300:
            return status, body
        message = message_in(body)
        by_name = {name.lower(): value for name, value in said.items()}
        # First: a limit answers 403 too, and is no word on what somebody may.
        wait = rate_limit_wait(status, by_name, message, self._now().timestamp())
        if wait is not None:
            raise TryLater(what, status=status, message=message, after=wait)
        if status in known:
            return status, body
        if 300 <= status < 400:
            raise TryLater(what, status=status, message="GitHub leads somewhere else, which is not followed")
        raise from_status(what, status, message, retry_after(by_name))


class _Connections:
    """Connections to GitHub, directly and through proxies."""

    def __init__(self, ca_file: Path | None) -> None:
        self._ca_file = ca_file
        self._making = threading.Lock()
        self._changed: int | None = None
        self._pools: dict[Proxy | None, urllib3.PoolManager] = {}

    def of(self, proxy: Proxy | None) -> urllib3.PoolManager:
        """Return the connections through a proxy; raises OSError for certificates that cannot be read."""
        with self._making:
            # A mounted file changes under a running process when the certificate is renewed.
            changed = None if self._ca_file is None else self._ca_file.stat().st_mtime_ns
            if changed != self._changed:
                self._pools.clear()
                self._changed = changed
            if proxy not in self._pools:
                self._pools[proxy] = self._made(proxy)
            return self._pools[proxy]

    def _made(self, proxy: Proxy | None) -> urllib3.PoolManager:
        context: ssl.SSLContext = client_context()
        if self._ca_file is not None:
            context.load_verify_locations(cafile=self._ca_file)
        options: dict[str, Any] = {"ssl_context": context, "maxsize": _CONNECTIONS}
        if proxy is None:
            return urllib3.PoolManager(**options)
        login = {"Proxy-Authorization": proxy.authorization} if proxy.authorization else {}
        return urllib3.ProxyManager(proxy.url, proxy_headers=login, proxy_ssl_context=context, **options)


def _beginning(what: str, answer: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
    """Return all of an answer; raises TooLarge, and NoAnswer for one that comes drop by drop."""
    body = bytearray()
    while piece := answer.read1(64 * 1024):
        body += piece
        late = time.monotonic() > deadline
        if late or len(body) > _MOST_BYTES:
            # The connection goes with what was not read.
            answer.close()
            if late:
                raise NoAnswer(what, message="GitHub cannot be reached (the answer takes too long)")
            raise TooLarge(what, status=answer.status, message="GitHub's answer is too large")
    answer.release_conn()
    return bytes(body)


def _no_answer(what: str, error: Exception, proxy: Proxy | None) -> TryLater:
    if isinstance(error, urllib3.exceptions.ProxyError) and proxy is not None:
        status = _TUNNEL.search(str(error))
        told = refusal(proxy, int(status[1]) if status else None)
        return TryLater(what, message=f"GitHub cannot be reached ({told})")
    if isinstance(error, urllib3.exceptions.SSLError):
        return TryLater(what, message=f"GitHub cannot be reached ({UNTRUSTED})")
    kind = TryLater if isinstance(error, _NOT_SENT) else NoAnswer
    return kind(what, message=f"GitHub cannot be reached ({type(error).__name__})")
