"""Finds where a link's name leads, or, where that is not known, its Gateway's; in threads of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Sequence

from aiohttp.abc import AbstractResolver, ResolveResult

Addresses = list[tuple[socket.AddressFamily, str]]
LookUp = Callable[[str, int], Addresses]
"""Returns the addresses of a name; raises OSError if it has none."""


def addresses_of(name: str, port: int) -> Addresses:
    """Return a name's addresses as the system knows them; raises OSError if it has none.

    Names below `localhost` are this machine, as for every browser: not each system knows that
    (https://www.rfc-editor.org/rfc/rfc6761#section-6.3).
    """
    if name.lower().endswith(".localhost"):
        return [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
    found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return [(family, str(address[0])) for family, _, _, _, address in found]


class NamesInThreads:
    """Looks names up in threads of its own.

    Those of asyncio are few, and others need them: a domain whose name server is silent, and which many links
    are in, must not keep GitHub from being found. They are daemons, since nobody can end a look-up: one that
    hangs must not hold up the end of the process.
    """

    def __init__(self, look_up: LookUp, most: int) -> None:
        self._look_up = look_up
        self._room = asyncio.Semaphore(most)

    async def __call__(self, name: str, port: int) -> Addresses:
        """Return a name's addresses; raises OSError if it has none."""
        # Waited for, as long as the question has time: the checks of one preview alone may be more than there
        # are threads, and what is not answered for once is not asked again.
        await self._room.acquire()
        loop = asyncio.get_running_loop()
        found: asyncio.Future[Addresses] = loop.create_future()

        def deliver(addresses: Addresses | None, error: OSError | None) -> None:
            self._room.release()
            if found.cancelled():
                return
            if error is not None:
                found.set_exception(error)
            else:
                found.set_result(addresses or [])

        def run() -> None:
            addresses, failed = None, None
            try:
                addresses = self._look_up(name, port)
            except OSError as error:
                failed = error
            except UnicodeError:
                failed = socket.gaierror(socket.EAI_NONAME, "no name")
            try:
                loop.call_soon_threadsafe(deliver, addresses, failed)
            except RuntimeError:
                # The loop has ended meanwhile, and nobody waits any more.
                return

        threading.Thread(target=run, name="previewbot-link-names", daemon=True).start()
        return await found


class LinkResolver(AbstractResolver):
    """Finds a link's host, or where the Gateway is if its name is not known here.

    The name in TLS and in `Host` stays the link's own.
    """

    def __init__(self, look_up: NamesInThreads, instead: Sequence[str]) -> None:
        self._look_up = look_up
        self._instead = instead

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of a host; raises OSError if there are none."""
        failed: OSError = socket.gaierror(socket.EAI_NONAME, "no name")
        for name in (host, *self._instead):
            try:
                found = await self._look_up(name, port)
            except TimeoutError:
                raise
            except OSError as error:
                failed = error
                continue
            return [_resolved(host, port, family, address) for family, address in found]
        raise failed

    async def close(self) -> None:
        """Nothing is kept open."""


def _resolved(host: str, port: int, family: socket.AddressFamily, address: str) -> ResolveResult:
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=flags)
