"""What people's own tokens open: user access tokens of the App, and the endpoints that take them.

https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/authenticating-with-a-github-app-on-behalf-of-a-user
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

from aiohttp import web

from previewbot_demo.github.answers import Answer, ApiError, Call, invalid, not_found
from previewbot_demo.github.model import Account, App, Repository
from previewbot_demo.github.repositories import Repositories
from previewbot_demo.github.shapes import client_id_of, permissions_of
from previewbot_demo.github.store import Clock

LIFETIME = timedelta(hours=8)
_TOKEN_LENGTH = 500
"""Characters; GitHub says that tokens may become as long."""


@dataclass(frozen=True)
class UserToken:
    """A user access token."""

    value: str
    owner: Account
    expires_at: datetime


class UserTokens:
    """The tokens that people have given the App, which proves itself with `secret` where it acts for none."""

    def __init__(self, app: App, clock: Clock, secret: str = "") -> None:
        self._clock, self.secret = clock, secret
        self.client_id = client_id_of(app)
        self._tokens: dict[str, UserToken] = {}

    def new(self, owner: Account) -> UserToken:
        """Return a new token of somebody."""
        beginning = "ghu_"
        value = beginning + secrets.token_urlsafe(_TOKEN_LENGTH)[: _TOKEN_LENGTH - len(beginning)]
        token = UserToken(value, owner, self._clock() + LIFETIME)
        self._tokens[value] = token
        return token

    def owner(self, request: web.BaseRequest) -> Account | None:
        """Return whose token a request shows, None if it shows none of a person's that counts."""
        shown = request.headers.get("Authorization", "").partition(" ")[2].strip()
        token = self._tokens.get(shown)
        return token.owner if token is not None and token.expires_at > self._clock() else None

    def revoke(self, value: str) -> bool:
        """Make a token worthless; return whether it was one."""
        return self._tokens.pop(value, None) is not None

    def revoke_all(self) -> None:
        """Make every token worthless, as when people take back what they gave."""
        self._tokens.clear()

    def proves(self, client_id: str, secret: str) -> bool:
        """Return whether it is the App that says so."""
        ours = hmac.compare_digest(secret.encode(), self.secret.encode())
        return client_id == self.client_id and bool(self.secret) and ours

    def require_client(self, request: web.BaseRequest) -> None:
        """Check the App's client ID and secret, which are sent as for HTTP's basic authentication."""
        kind, _, value = request.headers.get("Authorization", "").partition(" ")
        try:
            name, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            name, secret = "", ""
        if kind.lower() != "basic" or not self.proves(name, secret):
            raise ApiError(401, "Bad credentials")


class UserEndpoints:
    """Answers calls that are made with somebody's token, or that are about one."""

    def __init__(self, github: Repositories, tokens: UserTokens) -> None:
        self._github, self._tokens = github, tokens

    def authenticated_user(self, call: Call) -> Answer:
        """`GET /user`."""
        assert call.person is not None
        return Answer(self._github.shapes.public_user(call.person, self._github.find().created_at))

    def repository(self, call: Call) -> Answer:
        """`GET /repos/{owner}/{repo}`, also as `/repositories/{id}`."""
        shape = self._github.shapes.repository(call.state, call.repo)
        if call.person is None:
            return Answer(shape)
        return Answer(shape | {"permissions": permissions_of(role_of(call.person, call.repo))})

    def delete_token(self, call: Call) -> Answer:
        """`DELETE /applications/{client_id}/token`."""
        value = call.body.get("access_token")
        if not isinstance(value, str):
            raise invalid("Validation Failed", {"resource": "OauthAccess", "code": "missing_field"})
        if call.args["client_id"] != self._tokens.client_id or not self._tokens.revoke(value):
            raise not_found()
        return Answer(None, status=HTTPStatus.NO_CONTENT)


def role_of(person: Account, repository: Repository) -> str:
    """Return what somebody is to a repository; `none` where they may not even read it."""
    return repository.collaborators.get(person.login, "none" if repository.private else "read")
