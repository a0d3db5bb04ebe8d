"""Who is asking: the App with a JSON Web Token, an installation with its access token, or a person.

https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import jwt
from aiohttp import web

from previewbot_demo.github.answers import ApiError
from previewbot_demo.github.model import App, Installation
from previewbot_demo.github.store import Clock, Store
from previewbot_demo.github.users import UserTokens

_LONGEST = 600
_SKEW = 60
_TOKEN_LENGTH = 520


@dataclass(frozen=True)
class Token:
    """An installation access token."""

    value: str
    installation_id: int
    expires_at: datetime


@dataclass
class Quota:
    """Requests of one identity in this hour."""

    used: int = 0
    reset: int = 0


@dataclass
class Limits:
    """The primary rate limit (requests per hour), and the secondary one: seconds to wait, while it holds."""

    hourly: int = 5000
    secondary: int | None = None
    quotas: dict[str, Quota] = field(default_factory=dict)
    resource: str = "core"

    def quota(self, identity: str, now: float) -> Quota:
        """Return an identity's quota, a new one each hour."""
        quota = self.quotas.setdefault(identity, Quota())
        if now >= quota.reset:
            self.quotas[identity] = quota = Quota(0, int(now) + 3600)
        return quota

    def headers(self, quota: Quota) -> dict[str, str]:
        """Return the rate limit's headers."""
        remaining = max(0, self.hourly - quota.used)
        numbers = {"limit": self.hourly, "remaining": remaining, "reset": quota.reset, "used": quota.used}
        return {f"X-RateLimit-{name.title()}": str(n) for name, n in numbers.items()} | {
            "X-RateLimit-Resource": self.resource
        }

    def refuse(self, quota: Quota) -> None:
        """Raise the refusal of whichever limit is reached.

        https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
        """
        if self.secondary is not None:
            message = (
                "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
            )
            raise ApiError(403, message, headers={"Retry-After": str(self.secondary)})
        if quota.used >= self.hourly:
            raise ApiError(403, "API rate limit exceeded for installation.")


class Doorkeeper:
    """Checks tokens and makes them."""

    def __init__(
        self, store: Store, app: App, public_key: str, clock: Clock, client_secret: str = ""
    ) -> None:
        self._store = store
        self._app = app
        self._key = public_key
        self._clock = clock
        self._tokens: dict[str, Token] = {}
        self.lifetime = timedelta(hours=1)
        self.users = UserTokens(app, clock, client_secret)

    @property
    def permissions(self) -> Mapping[str, str]:
        """What the App may do."""
        return self._app.permissions

    def require_app(self, request: web.BaseRequest) -> None:
        """Check the App's JSON Web Token: signature, issuer, and that it lives for 10 minutes at most."""
        claims = self._claims(_bearer(request))
        now = self._clock().timestamp()
        expires, issued = claims.get("exp"), claims.get("iat")
        if not isinstance(expires, int) or expires <= now:
            raise ApiError(
                401, "'Expiration time' claim ('exp') must be a numeric value representing the future time"
            )
        if expires > now + _LONGEST + _SKEW:
            raise ApiError(401, "'Expiration time' claim ('exp') is too far in the future")
        if not isinstance(issued, int) or issued > now:
            raise ApiError(
                401, "'Issued at' claim ('iat') must be an Integer representing a time in the past"
            )
        if str(claims.get("iss")) != str(self._app.id):
            raise ApiError(404, "Integration not found")

    def require_installation(self, request: web.BaseRequest) -> Installation:
        """Return the installation whose token this is."""
        token = self._tokens.get(_bearer(request))
        if token is None or token.expires_at <= self._clock():
            raise ApiError(401, "Bad credentials")
        installation = self._store.state.installations.get(token.installation_id)
        if installation is None:
            raise ApiError(401, "Bad credentials")
        if installation.suspended_at:
            raise ApiError(403, "This installation has been suspended")
        return installation

    def new_token(self, installation: Installation) -> Token:
        """Return a new access token of an installation."""
        if installation.suspended_at:
            raise ApiError(403, "This installation has been suspended")
        expires = self._clock().replace(microsecond=0) + self.lifetime
        token = Token(_token_value(self._app.id), installation.id, expires)
        self._tokens[token.value] = token
        return token

    def identity(self, request: web.BaseRequest) -> str:
        """Return whose rate limit a request counts towards."""
        token = self._tokens.get(request.headers.get("Authorization", "").partition(" ")[2].strip())
        if token is not None:
            return f"installation {token.installation_id}"
        person = self.users.owner(request)
        return "app" if person is None else f"user {person.id}"

    def revoke_all(self) -> None:
        """Make every token worthless, as GitHub does when somebody revokes them."""
        self._tokens.clear()

    def _claims(self, text: str) -> dict[str, Any]:
        try:
            options: Any = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}
            return dict(jwt.decode(text, self._key, algorithms=["RS256"], options=options))
        except jwt.InvalidTokenError as error:
            raise ApiError(401, "A JSON web token could not be decoded") from error


def _token_value(app_id: int) -> str:
    """Return an installation token of 2026: `ghs_`, the App's number, and a JSON Web Token.

    Some 520 characters, with two dots
    (https://github.blog/changelog/2026-05-15-github-app-installation-tokens-per-request-override-header/).
    """
    beginning = f"ghs_{app_id}_{_part(36)}.{_part(136)}."
    return beginning + _part(_TOKEN_LENGTH - len(beginning))


def _part(length: int) -> str:
    return secrets.token_urlsafe(length)[:length]


def _bearer(request: web.BaseRequest) -> str:
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    if not value:
        raise ApiError(401, "Requires authentication")
    return value.strip() if kind.lower() in ("bearer", "token") else ""
