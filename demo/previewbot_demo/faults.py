"""Faults for tests: what happens before and after the k-th request that changes something."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from aiohttp import web

_READS = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Call:
    """A request from `agent` to one of the fakes; `number` counts the changing ones from 1 (0 for others)."""

    server: str
    method: str
    path: str
    agent: str
    number: int = 0

    @property
    def changes(self) -> bool:
        """Whether it may change something."""
        return self.method not in _READS


Hook = Callable[[Call], Awaitable[web.StreamResponse | None]]


async def _nothing(_: Call) -> web.StreamResponse | None:
    return None


class Faults:
    """Asks `before` and `after` around every request; a response from one of them is sent instead.

    What `before` answers never takes effect; what `after` answers has taken effect. `counts` says which calls
    are numbered, of those that change something.
    """

    def __init__(self) -> None:
        self.before: Hook = _nothing
        self.after: Hook = _nothing
        self.counts: Callable[[Call], bool] = lambda call: True
        self.mutating = 0

    async def around(
        self, server: str, request: web.Request, do: Callable[[], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Do a request with the hooks around it."""
        call = Call(server, request.method, request.path, request.headers.get("User-Agent", ""))
        if call.changes and self.counts(call):
            self.mutating += 1
            call = replace(call, number=self.mutating)
        instead = await self.before(call)
        if instead is not None:
            return instead
        response = await do()
        return await self.after(call) or response
