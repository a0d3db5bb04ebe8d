"""Installation access tokens: kept until shortly before they end, asked for one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from previewbot.clients.github.parse import Token

BEFORE_THE_END = timedelta(minutes=5)
"""A token lives an hour
(https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-an-installation-access-token-for-a-github-app);
a new one is asked for this long before, so that none ends under a request."""


class Tokens:
    """The current token of one installation; `new` asks GitHub for one."""

    def __init__(self, new: Callable[[], Awaitable[Token]], now: Callable[[], datetime]) -> None:
        self._new = new
        self._now = now
        self._token: Token | None = None
        self._renewing = asyncio.Lock()

    async def current(self) -> Token:
        """Return a token that holds for minutes yet; of many callers one asks GitHub, the others wait for it.

        Raises the RemoteError of asking.
        """
        # Whoever comes while one asks waits here, and finds the new token when it is its turn.
        async with self._renewing:
            if self._token is None or self._now() >= self._token.expires_at - BEFORE_THE_END:
                self._token = await self._new()
            return self._token

    def drop(self, token: Token) -> None:
        """Forget a token that GitHub refuses, unless another has taken its place already."""
        # By identity: another caller may have put a new token here since this one was refused.
        if self._token is token:
            self._token = None
