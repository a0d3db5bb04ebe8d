"""Faults for tests: what happens before and after the k-th request that changes something."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

_READS = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Call:
    """A request to one of the fakes; `number` counts the changing ones from 1 (0 for a read)."""

    server: str
    method: str
    path: str
    number: int


Hook = Callable[[Call], Awaitable[web.StreamResponse | None]]


async def _nothing(_: Call) -> web.StreamResponse | None:
    return None


class Faults:
    """Asks `before` and `after` around every request; a response from one of them is sent instead.

    What `before` answers never takes effect; what `after` answers has taken effect. `counts` says which calls
    are numbered, besides not being reads.
    """

    def __init__(self) -> None:
        self.before: Hook = _nothing
        self.after: Hook = _nothing
        self.counts: Callable[[str, str, str], bool] = lambda server, method, path: True
        self.mutating = 0

    async def around(
        self, server: str, method: str, path: str, do: Callable[[], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Do a request with the hooks around it."""
        number = 0
        if method not in _READS and self.counts(server, method, path):
            self.mutating += 1
            number = self.mutating
        call = Call(server, method, path, number)
        instead = await self.before(call)
        if instead is not None:
            return instead
        response = await do()
        return await self.after(call) or response
