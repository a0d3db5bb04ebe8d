"""What pages ask GitHub as the person who has signed in, with their own token: sync, because Flask is.

One attempt, and ten seconds in all: somebody sits in front of it, and can press again. No redirect is
followed, since a token is sent along. Where a write may have got through although no answer says so, NoAnswer
is raised, and every other TryLater where it has not.

The messages of OAuth are few enough to be written out. oauthlib, which kubernetes brings, wants a variable of
the environment before it takes an address without TLS, such as the demo's, and goes by others in what it
takes for an error.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

import urllib3

from previewbot.clients.github.addresses import API_VERSION, check_path
from previewbot.clients.github.people_answers import (
    Account,
    RepositoryAccess,
    Token,
    Written,
    access_in,
    account_in,
    message_in,
    token_in,
    written_in,
)
from previewbot.clients.tls import client_context
from previewbot.config.server import GitHubSettings
from previewbot.errors import UNREADABLE, UNTRUSTED, NoAnswer, TooLarge, TryLater, Unauthorized, from_status
from previewbot.rules.proxies import DIRECTLY, Proxies, Proxy, refusal
from previewbot.rules.rate_limits import rate_limit_wait, retry_after

BUDGET_SECONDS = 10.0
"""For all of one request."""

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

_T = TypeVar("_T")
_NONE = frozenset({403, 404, 451})
"""May not read it, it is not there, or may not be shown by law: nobody is told which."""


class SessionOver(Unauthorized):
    """GitHub takes a person's token no more: it has expired, or they have revoked it."""


class PeopleClient:
    """Asks and writes as people; safe to use from several threads.

    `client_secret` returns the App's, and raises SettingsError; it is asked anew each time. Every method
    raises RemoteError if GitHub does not do it, and SessionOver if it does not take the person's token.
    """

    def __init__(
        self,
        github: GitHubSettings,
        client_id: str,
        client_secret: Callable[[], str],
        *,
        user_agent: str,
        now: Callable[[], datetime],
        proxies: Proxies = DIRECTLY,
        budget: float = BUDGET_SECONDS,
    ) -> None:
        self._api_url, self._web_url = github.api_url.rstrip("/"), github.web_url.rstrip("/")
        self._client_id, self._client_secret = client_id, client_secret
        self._user_agent, self._now, self._budget = user_agent, now, budget
        self._connections = _Connections(github.ca_file, proxies)

    def authorize_url(self, *, state: str, verifier: str, redirect_uri: str) -> str:
        """Return where a person lets the App act for them; GitHub leads them back to `redirect_uri`.

        `verifier` is the secret of this one sign-in, of which GitHub gets the hash
        (https://www.rfc-editor.org/rfc/rfc7636#section-4.2).
        """
        hashed = hashlib.sha256(verifier.encode("ascii")).digest()
        asked = {
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "state": state,
            "code_challenge": base64.urlsafe_b64encode(hashed).rstrip(b"=").decode("ascii"),
            "code_challenge_method": "S256",
        }
        return f"{self._web_url}/login/oauth/authorize?{urlencode(asked)}"

    def exchange(self, code: str, verifier: str, redirect_uri: str) -> Token:
        """Return the token that GitHub gives for a code; raises SignInRefused too, and SettingsError.

        https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app
        """
        form = {
            "client_id": self._client_id,
            "client_secret": self._client_secret(),
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": redirect_uri,
        }
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        url = f"{self._web_url}/login/oauth/access_token"
        status, body = self._send("POST", url, headers, urlencode(form).encode())
        return _read(f"POST {url}", status, body, token_in)

    def who(self, token: str) -> Account:
        """Return whose a token is."""
        return _read("GET /user", *self._as_person("GET", "/user", token), account_in)

    def repository(self, token: str, repository_id: int) -> RepositoryAccess | None:
        """Return a repository and what a person may there; None if they may not read it, or it is not there.

        https://docs.github.com/en/rest/repos/repos#get-a-repository; by its number, as all lists have them.
        """
        path = f"/repositories/{repository_id}"
        status, body = self._as_person("GET", path, token, known=_NONE)
        if status in _NONE:
            return None
        return _read(f"GET {path}", status, body, lambda found: access_in(found, repository_id))

    def comment(self, token: str, full_name: str, number: int, body: str) -> Written:
        """Write a comment in a pull request as a person; raises Forbidden where they may not
        (https://docs.github.com/en/rest/issues/comments#create-an-issue-comment)."""
        path = f"/repos/{full_name}/issues/{number}/comments"
        content = json.dumps({"body": body}).encode()
        try:
            answer = self._as_person("POST", path, token, content)
        except TryLater as error:
            if error.status >= 500:
                # What stands before GitHub answers so where what is behind it took too long, too.
                raise NoAnswer(error.what, status=error.status, message=error.message) from error
            raise
        return _read(f"POST {path}", *answer, written_in)

    def revoke(self, token: str) -> None:
        """Have GitHub take a token no more; raises SettingsError too.

        https://docs.github.com/en/rest/apps/oauth-applications#delete-an-app-token
        """
        path = f"/applications/{self._client_id}/token"
        login = f"{self._client_id}:{self._client_secret()}".encode()
        authorization = f"Basic {base64.b64encode(login).decode('ascii')}"
        content = json.dumps({"access_token": token}).encode()
        # 404 and 422: it counts no more, and there is nothing to take back.
        self._api("DELETE", path, authorization, content, known=frozenset({404, 422}))

    def _as_person(
        self,
        method: str,
        path: str,
        token: str,
        content: bytes | None = None,
        known: frozenset[int] = frozenset(),
    ) -> tuple[int, bytes]:
        try:
            return self._api(method, path, f"Bearer {token}", content, known)
        except Unauthorized as error:
            raise SessionOver(error.what, status=error.status, message=error.message) from error

    def _api(
        self, method: str, path: str, authorization: str, content: bytes | None, known: frozenset[int]
    ) -> tuple[int, bytes]:
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": authorization,
            "X-GitHub-Api-Version": API_VERSION,
        }
        if content is not None:
            headers["Content-Type"] = "application/json"
        check_path(f"{method} {path}", path)
        return self._send(method, f"{self._api_url}{path}", headers, content, known)

    def _send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes | None,
        known: frozenset[int] = frozenset(),
    ) -> tuple[int, bytes]:
        """Send a request; return the status and the body of what succeeded, or has a `known` status."""
        what, deadline = f"{method} {url}", time.monotonic() + self._budget
        proxy = self._connections.proxy_of(url)
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
    """Connections to GitHub, directly and through proxies; they trust the CAs that the settings name too."""

    def __init__(self, ca_file: Path | None, proxies: Proxies) -> None:
        self._ca_file, self._proxies = ca_file, proxies
        self._making = threading.Lock()
        self._changed: int | None = None
        self._pools: dict[Proxy | None, urllib3.PoolManager] = {}

    def proxy_of(self, url: str) -> Proxy | None:
        """Return the proxy that a request goes through."""
        return self._proxies.of(url)

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


def _read(what: str, status: int, body: bytes, parse: Callable[[bytes], _T]) -> _T:
    try:
        return parse(body)
    except ValueError as error:
        raise NoAnswer(what, status=status, message=UNREADABLE) from error
