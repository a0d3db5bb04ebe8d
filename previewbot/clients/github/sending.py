"""How an installation's requests are sent: with its token, a page after the other, sparing or not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from previewbot.clients.github.cutting import Rule
from previewbot.clients.github.graphql_answers import Answer
from previewbot.clients.github.tokens import Tokens
from previewbot.clients.github.transport import Transport
from previewbot.errors import TooLarge, Unauthorized

_T = TypeVar("_T")


@dataclass(frozen=True)
class Sending:
    """Sends for one installation; `sparing` is the share of the hour's requests that it leaves to others.

    What is `optional` leaves a part of each minute's writes to others, and a limit that it meets is its own.

    Every method raises the RemoteError that GitHub's answer means.
    """

    transport: Transport
    tokens: Tokens
    sparing: float = 0.0
    optional: bool = False

    async def ask(self, query: str, variables: Mapping[str, Any], rule: Rule) -> Answer:
        """Ask GitHub's GraphQL; `rule` says what is kept of `data`."""

        async def ask(token: str) -> Answer:
            return await self.transport.graphql.ask(query, variables, rule, token=token, sparing=self.sparing)

        return await self._call_with_token(ask)

    async def items(
        self,
        url: str,
        rule: Rule,
        item_from: Callable[[Any], _T],
        key: str | None = None,
        most: int | None = None,
    ) -> list[_T]:
        """Return the items of all pages of a list, or of the `most` first; `key` is its name in an object."""

        async def read(token: str) -> list[_T]:
            pages = self.transport.pages(url, rule, token=token, key=key, sparing=self.sparing, most=most)
            # Item by item: a page is gone from memory when the next one comes.
            return [item_from(item) async for item in pages]

        return await self._call_with_token(read)

    async def as_many_as_can_be_read(
        self, url: str, rule: Rule, item_from: Callable[[Any], _T]
    ) -> tuple[list[_T], bool]:
        """Return the items of a list that GitHub itself may cut off, and whether these are all of them.

        Whoever pushes chooses what is in it. It must not be an error for ever, and what a cut-off list means
        is known.
        """

        async def read(token: str) -> tuple[list[_T], bool]:
            items: list[_T] = []
            try:
                pages = self.transport.pages(url, rule, token=token, sparing=self.sparing)
                async for item in pages:
                    items.append(item_from(item))
            except TooLarge:
                return items, False
            return items, True

        return await self._call_with_token(read)

    async def send(self, method: str, url: str, rule: Rule, data: Any = b"") -> Any:
        """Return what `rule` keeps of the answer to one request."""

        async def send(token: str) -> Any:
            answer, _ = await self.transport.request(
                method, url, rule, data=data, token=token, sparing=self.sparing, optional=self.optional
            )
            return answer

        return await self._call_with_token(send)

    async def _call_with_token(self, call: Callable[[str], Awaitable[_T]]) -> _T:
        """Call with a token; one that GitHub no longer takes (revoked, say) is renewed once."""
        token = await self.tokens.current()
        try:
            return await call(token.value)
        except Unauthorized:
            # Only this very token is dropped: of eight callers that were refused at once, one asks for a new
            # one and the others take it.
            self.tokens.drop(token)
        return await call((await self.tokens.current()).value)
