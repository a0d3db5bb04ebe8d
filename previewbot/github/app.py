"""The App: who installed it, and a client for each installation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import aiohttp
from gidgethub.apps import get_jwt

from previewbot.errors import Unauthorized
from previewbot.github.installation import InstallationClient, Token
from previewbot.github.parse import moment, repository_from
from previewbot.github.transport import Transport
from previewbot.model import Installation, Repository

_JWT_LIFETIME_SECONDS = 540


class GitHub:
    """Acts as the App (https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app)."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        api_url: str,
        app_id: int,
        private_key: str,
        user_agent: str,
        now: Callable[[], datetime],
    ) -> None:
        self._session = session
        self._api_url = api_url
        self._app_id = app_id
        self._private_key = private_key
        self._user_agent = user_agent
        self._now = now
        self._transport = self._new_transport()
        self._installations: dict[int, InstallationClient] = {}

    def installation(self, installation_id: int) -> InstallationClient:
        """Return the client of an installation; its token and cache are kept with it."""
        if installation_id not in self._installations:
            self._installations[installation_id] = InstallationClient(
                self._new_transport(), lambda: self._token(installation_id), self._now
            )
        return self._installations[installation_id]

    async def installations(self) -> list[Installation]:
        """Return all installations of the App."""
        return [
            Installation(id=item["id"], suspended=item.get("suspended_at") is not None)
            async for item in self._transport.pages("/app/installations", jwt=self._jwt())
        ]

    async def installation_of(self, repository: str) -> int:
        """Return the installation that covers a repository; raises NotFound if there is none (any more)."""
        answer, _ = await self._transport.request("GET", f"/repos/{repository}/installation", jwt=self._jwt())
        return int(answer["id"])

    async def repositories(self, installation_id: int) -> list[Repository]:
        """Return the repositories that an installation covers."""
        items = await self.installation(installation_id).items("/installation/repositories", "repositories")
        return [repository_from(item) for item in items]

    async def _token(self, installation_id: int) -> Token:
        url = f"/app/installations/{installation_id}/access_tokens"
        try:
            answer, _ = await self._transport.request("POST", url, data={}, jwt=self._jwt())
        except Unauthorized as error:
            message = "GitHub does not accept the App's private key"
            raise Unauthorized(error.what, status=401, message=message) from error
        return Token(answer["token"], moment(answer["expires_at"]))

    def _jwt(self) -> str:
        return get_jwt(
            app_id=str(self._app_id), private_key=self._private_key, expiration=_JWT_LIFETIME_SECONDS
        )

    def _new_transport(self) -> Transport:
        return Transport(self._session, api_url=self._api_url, user_agent=self._user_agent, now=self._now)
