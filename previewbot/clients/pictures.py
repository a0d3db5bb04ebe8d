"""Asks `previewbot pictures`: the controller wishes for pictures, pages fetches one.

It is in the cluster and never behind a proxy. What it answers is bounded in time and size: its browser runs
what pull requests made, so it is not trusted further than that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import aiohttp

from previewbot.clients.answers import beginning
from previewbot.errors import Invalid, NoAnswer, TryLater, from_status
from previewbot.rules.pictures import MOST_OF_A_STANDING, Standing, Wish, standing_from, wish_object
from previewbot.rules.pictures_health import Health, health_from

_SECONDS = 2.0
"""For a whole question: a worker that is busy answers at once, too."""

Token = Callable[[], bytes]
"""Returns the secret that is shared with the worker; raises SettingsError."""


class UnknownName(TryLater):
    """No address is known for the host of `pictures.url`."""


class Album(Protocol):
    """Whom the controller asks for pictures: `PicturesClient`."""

    def secret(self) -> bytes:
        """Return the secret that is shared with the worker; raises SettingsError."""

    async def wish(self, name: str, wish: Wish) -> Standing:
        """Wish for pictures of a Preview; return how they stand. Raises RemoteError."""

    async def forget(self, name: str) -> None:
        """Say that nobody wants to see a Preview any more; raises RemoteError."""


class PicturesClient:
    """Asks the worker at `url`, one connection for each question, as they are few."""

    def __init__(self, url: str, token: Token, *, user_agent: str) -> None:
        self.url, self._token, self._user_agent = url.rstrip("/"), token, user_agent

    def secret(self) -> bytes:
        """Return the secret that is shared with the worker; raises SettingsError."""
        return self._token()

    async def wish(self, name: str, wish: Wish) -> Standing:
        """Wish for pictures of a Preview; return how they stand.

        Raises RemoteError: Invalid and its like concern this Preview, TryLater and Unauthorized all of them.
        """
        content = await self._ask("PUT", f"/previews/{name}", wish_object(wish))
        standing = standing_from(content)
        if standing is None:
            # Not one that is away: what it answers for another Preview need not be like that.
            what = f"PUT {self.url}/previews/{name}"
            raise Invalid(what, message="the worker of pictures does not answer as it should")
        return standing

    async def forget(self, name: str) -> None:
        """Say that nobody wants to see a Preview any more; raises RemoteError."""
        await self._ask("DELETE", f"/previews/{name}", None)

    async def health(self) -> Health | None:
        """Return how the worker stands; None if what answers is none. Raises RemoteError: UnknownName,
        NoAnswer, Unauthorized for another secret, and others."""
        return health_from(await self._ask("GET", "/", None))

    async def _ask(self, method: str, path: str, values: object) -> bytes:
        what = f"{method} {self.url}{path}"
        headers = {"Authorization": f"Bearer {self._token().decode()}", "User-Agent": self._user_agent}
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_SECONDS)) as session,
                session.request(
                    method,
                    f"{self.url}{path}",
                    json=values,
                    headers=headers,
                    allow_redirects=False,
                ) as response,
            ):
                content, _ = await beginning(response, MOST_OF_A_STANDING)
                if response.status >= 300:
                    said = content.decode("utf-8", "replace")[:200]
                    raise from_status(what, response.status, said)
                return content
        except aiohttp.ClientConnectorDNSError as error:
            raise UnknownName(what, message="no address is known for the worker of pictures") from error
        except TimeoutError as error:
            raise NoAnswer(what, message="the worker of pictures does not answer in time") from error
        except (aiohttp.ClientError, OSError) as error:
            words = f"the worker of pictures does not answer ({type(error).__name__})"
            raise TryLater(what, message=words) from error
