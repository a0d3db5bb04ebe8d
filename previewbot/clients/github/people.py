"""What pages ask GitHub as the person who has signed in, with their own token: sync, because Flask is.

One attempt, and ten seconds in all: somebody sits in front of it, and can press again. Where a write may have
got through although no answer says so, NoAnswer is raised, and every other TryLater where it has not.

The messages of OAuth are few enough to be written out. oauthlib, which kubernetes brings, wants a variable of
the environment before it takes an address without TLS, such as the demo's, and goes by others in what it
takes for an error.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar
from urllib.parse import urlencode

from previewbot.clients.github.addresses import API_VERSION, check_path
from previewbot.clients.github.people_answers import (
    Account,
    RepositoryAccess,
    Token,
    Written,
    access_in,
    account_in,
    token_in,
    written_in,
)
from previewbot.clients.github.people_sending import PeopleSending
from previewbot.config.server import GitHubSettings
from previewbot.errors import UNREADABLE, NoAnswer, TryLater, Unauthorized
from previewbot.rules.proxies import DIRECTLY, Proxies

BUDGET_SECONDS = 10.0
"""For all of one request."""

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
        self._sending = PeopleSending(
            user_agent=user_agent, now=now, budget=budget, ca_file=github.ca_file, proxies=proxies
        )

    def authorize_url(self, *, state: str, verifier: str, redirect_uri: str) -> str:
        """Return where a person lets the App act for them; GitHub leads them back to `redirect_uri`.

        `verifier` is the secret of this one sign-in, of which GitHub gets the hash
        (https://www.rfc-editor.org/rfc/rfc7636#section-4.2). A server that does not know of it yet, as an
        older Enterprise Server may not, passes over it (https://www.rfc-editor.org/rfc/rfc6749#section-3.1);
        the state and the client secret hold there alone.
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
        status, body = self._sending.send("POST", url, headers, urlencode(form).encode())
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
        return self._sending.send(method, f"{self._api_url}{path}", headers, content, known)


def _read(what: str, status: int, body: bytes, parse: Callable[[bytes], _T]) -> _T:
    try:
        return parse(body)
    except ValueError as error:
        raise NoAnswer(what, status=status, message=UNREADABLE) from error
