"""The App: who installed it, and a client for each installation."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import cast

import aiohttp
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from gidgethub.apps import get_jwt

from previewbot.api.github import AppFacts, AppIdentity, Delivery, Hook, Installation, Repository
from previewbot.clients.github import kept, parse
from previewbot.clients.github.fields import number
from previewbot.clients.github.installation import InstallationClient
from previewbot.clients.github.parse import Token
from previewbot.clients.github.tokens import Tokens
from previewbot.clients.github.transport import Transport
from previewbot.clients.tls import Trust
from previewbot.config.agents import AgentTable
from previewbot.config.server import GitHubSettings
from previewbot.errors import NotFound, RemoteError, SettingsError, TryLater, Unauthorized

_JWT_SECONDS = 9 * 60
"""GitHub takes ten minutes at most, and clocks differ."""


class GitHub:
    """Acts as the App (https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app).

    `agents` says by what agents are recognised: of descriptions and commits nothing else is kept. `now` must
    know its zone; `fence` is called before each request that changes something, and may raise;
    `heard` is told the headers of each answer. Raises SettingsError at once if `private_key` is not an RSA
    key in PEM form, or the settings' `ca_file`, whose certificates are trusted besides the system's, cannot
    be read.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        settings: GitHubSettings,
        private_key: str,
        agents: AgentTable,
        *,
        user_agent: str,
        now: Callable[[], datetime],
        fence: Callable[[], None] = lambda: None,
        heard: Callable[[Mapping[str, str]], None] = lambda headers: None,
    ) -> None:
        self._session = session
        self._api_url = settings.api_url
        self._app_id = settings.app_id
        self._optional_a_minute = max(1, settings.writes_a_minute // 2)
        self._agents = agents
        self._key = rsa_key(private_key)
        self._user_agent = user_agent
        self._now = now
        self._fence = fence
        self._heard = heard
        self._trust, self._ca_file = Trust(), settings.ca_file
        try:
            self._trusted()
        except RemoteError as error:
            raise SettingsError((error.message,)) from error
        self._reading = asyncio.Lock()
        self._transport = self._new_transport()
        self._installations: dict[int, InstallationClient] = {}
        self._identity: AppIdentity | None = None
        self._asking = asyncio.Lock()

    def installation(self, installation_id: int) -> InstallationClient:
        """Return the client of an installation; its token, cache and rate limit are kept with it."""

        async def new_token() -> Token:
            return await self._new_token(installation_id)

        # Never shared between installations: a remembered answer about a private repository must not be given
        # to one that may not read it.
        if installation_id not in self._installations:
            self._installations[installation_id] = InstallationClient(
                self._new_transport(), Tokens(new_token, self._now), self._agents
            )
        return self._installations[installation_id]

    async def facts(self) -> AppFacts:
        """Return what GitHub says of the App; the first thing that shows a key that is not its own.

        https://docs.github.com/en/rest/apps/apps#get-the-authenticated-app
        """
        answer, _ = await self._transport.request("GET", "/app", kept.APP, jwt=self._jwt())
        return parse.app_from(answer)

    async def confirm(self) -> None:
        """Ask GitHub whether it knows the App at all; raises Unauthorized if it does not.

        Of an App id that is nobody's it says 404, as it does of an installation that is gone: only this tells
        the two apart.
        """
        try:
            await self.facts()
        except (NotFound, Unauthorized) as error:
            message = f"GitHub does not know the App {self._app_id}, or not with this private key"
            raise Unauthorized(error.what, status=401, message=f"{message}: {error.message}") from error

    async def hook(self) -> Hook:
        """Return where the App's webhook leads; never its secret, which GitHub does not tell either."""
        answer, _ = await self._transport.request("GET", "/app/hook/config", kept.HOOK, jwt=self._jwt())
        return parse.hook_from(answer)

    async def deliveries(self) -> list[Delivery]:
        """Return the newest deliveries of the webhook, a hundred at most, newest first.

        GitHub keeps those of three days
        (https://docs.github.com/en/rest/apps/webhooks#list-deliveries-for-an-app-webhook).
        """
        url = "/app/hook/deliveries?per_page=100"
        answer, _ = await self._transport.request("GET", url, kept.DELIVERIES, jwt=self._jwt())
        return [parse.delivery_from(item) for item in parse.listing(answer, None)]

    async def installations(self) -> list[Installation]:
        """Return all installations of the App."""
        pages = self._transport.pages("/app/installations", kept.INSTALLATIONS, jwt=self._jwt())
        return [parse.installation_from(item) async for item in pages]

    async def installation_of(self, repository: str) -> int:
        """Return the installation that covers a repository; raises NotFound if there is none (any more)."""
        url = f"/repos/{repository}/installation"
        answer, _ = await self._transport.request("GET", url, kept.INSTALLATION, jwt=self._jwt())
        return number(answer, "id")

    async def is_suspended(self, installation_id: int) -> bool:
        """Return whether an installation is suspended: the App may not act for it until that is lifted.

        https://docs.github.com/en/rest/apps/apps#get-an-installation-for-the-authenticated-app
        """
        url = f"/app/installations/{installation_id}"
        answer, _ = await self._transport.request("GET", url, kept.INSTALLATION, jwt=self._jwt())
        return parse.installation_from(answer).suspended

    async def repositories(self, installation_id: int, *, first: bool = False) -> list[Repository]:
        """Return the repositories that an installation covers, for the listing: it can wait.

        The `first` time less is left to others: without them nothing of an installation is listed.
        """
        client = self.installation(installation_id)
        return await (client.for_agents() if first else client.sparing()).repositories()

    async def identity(self, installation_id: int) -> AppIdentity:
        """Return who the author of our own comments is; asked once, with the token of any installation.

        The bot account is found by its login, which GitHub makes of the App's slug; its number stays when the
        App is renamed. Raises TryLater while it cannot be read, whatever the reason: until it is known, no
        comment can be told to be ours.
        """
        async with self._asking:
            if self._identity is None:
                try:
                    self._identity = await self._read_identity(self.installation(installation_id))
                except TryLater:
                    raise
                except RemoteError as error:
                    # Not as it is: a 404 would be taken for that of a repository, and a 403 for good.
                    message = f"previewbot's own account cannot be read: {error.message}"
                    raise TryLater(error.what, status=error.status, message=message) from error
            return self._identity

    async def _read_identity(self, client: InstallationClient) -> AppIdentity:
        # https://docs.github.com/en/rest/apps/apps#get-the-authenticated-app, as the App; and
        # https://docs.github.com/en/rest/users/users#get-a-user, which takes no JSON Web Token.
        bot = await client.account(f"{(await self.facts()).slug}[bot]")
        return AppIdentity(app_id=self._app_id, bot_id=bot.id)

    async def _new_token(self, installation_id: int) -> Token:
        url = f"/app/installations/{installation_id}/access_tokens"
        try:
            # Asked with the App's own transport: a rate limit of the installation does not keep us from
            # renewing its token.
            answer, _ = await self._transport.request("POST", url, kept.TOKEN, data={}, jwt=self._jwt())
        except Unauthorized as error:
            message = f"GitHub does not accept the App's id and private key: {error.message}"
            raise Unauthorized(error.what, status=401, message=message) from error
        return parse.token_from(answer)

    def _jwt(self) -> str:
        # Signed for each use: gidgethub keeps one by a monotonic clock, which stands still in suspend.
        # The key was read when we began: to read it from its text takes 150 ms, in which nobody else has a
        # turn. PyJWT takes it as it is, and gidgethub passes it on.
        key = cast(bytes, self._key)
        return get_jwt(app_id=str(self._app_id), private_key=key, expiration=_JWT_SECONDS)

    def _new_transport(self) -> Transport:
        return Transport(
            self._session,
            api_url=self._api_url,
            user_agent=self._user_agent,
            now=self._now,
            fence=self._fence,
            reading=self._reading,
            optional_a_minute=self._optional_a_minute,
            heard=self._heard,
            trusted=self._trusted,
        )

    def _trusted(self) -> ssl.SSLContext | bool:
        """Return whose certificates count for GitHub's; raises TryLater while the file cannot be read."""
        try:
            return self._trust.with_file(self._ca_file)
        except OSError as error:
            message = f"github.ca_file: {self._ca_file} cannot be read as certificates"
            raise TryLater("GitHub", message=message) from error


def rsa_key(pem: str) -> RSAPrivateKey:
    """Return the key in a PEM file; raises SettingsError unless it is an RSA key, as GitHub gives it."""
    with contextlib.suppress(ValueError, TypeError, UnsupportedAlgorithm):
        key = load_pem_private_key(pem.encode(), password=None)
        if isinstance(key, RSAPrivateKey):
            return key
    raise SettingsError(("The App's private key is not an RSA private key in PEM form, as GitHub gives it.",))
