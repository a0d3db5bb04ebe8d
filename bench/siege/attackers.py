"""Strangers at the door: many connections to one address, from a process of their own."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import resource
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_PIECE = b"x" * 65_536
_REQUEST = "POST /webhook HTTP/1.1\r\nHost: previewbot\r\nContent-Length: {}\r\n{}\r\n"
_WELL_FORMED = (
    "Content-Type: application/json\r\nX-GitHub-Event: push\r\nX-GitHub-Delivery: siege\r\n"
    "X-Hub-Signature-256: sha256=" + "0" * 64 + "\r\n"
)
_IDLE = b"GET /nothing HTTP/1.1\r\nHost: previewbot\r\n\r\n"


@dataclass(frozen=True)
class Attack:
    """`connections` at once; each sends `sent` of the `size` bytes that it announced, and then waits.

    `signed`: with a signature that is well-formed, and wrong. With a size of 0 a connection asks for a page
    that is not there and stays open. One that is closed is opened again, `again` of them a second.
    """

    name: str
    connections: int
    size: int = 0
    sent: int = 0
    signed: bool = False
    again: float = 50.0


@contextmanager
def besieging(attack: Attack, port: int) -> Iterator[None]:
    """Let the attack go on until the end of the block."""
    # Not forked: a fork would share the event loop, and all that the world has open.
    context = multiprocessing.get_context("spawn")
    attacker = context.Process(target=_run, args=(attack, port), daemon=True)
    attacker.start()
    try:
        yield
    finally:
        attacker.terminate()
        attacker.join()


def _run(attack: Attack, port: int) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    asyncio.run(_attack(attack, port))


async def _attack(attack: Attack, port: int) -> None:
    turns = _Turns(attack.connections, attack.again)
    await asyncio.gather(*(_stranger(attack, port, turns.next) for _ in range(attack.connections)))


class _Turns:
    """Lets the first connections open at once, and those that come back one by one."""

    def __init__(self, at_once: int, again: float) -> None:
        self._left = at_once
        self._pause = 1 / again
        self._free_at = 0.0

    async def next(self) -> None:
        """Wait for the next turn."""
        if self._left > 0:
            self._left -= 1
            return
        self._free_at = max(self._free_at, time.monotonic()) + self._pause
        await asyncio.sleep(self._free_at - time.monotonic())


async def _stranger(attack: Attack, port: int, turn: Callable[[], Awaitable[None]]) -> None:
    while True:
        await turn()
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                await _send(attack, writer)
                while await reader.read(65_536):
                    pass
            finally:
                writer.close()


async def _send(attack: Attack, writer: asyncio.StreamWriter) -> None:
    if not attack.size:
        writer.write(_IDLE)
        return
    writer.write(_REQUEST.format(attack.size, _WELL_FORMED if attack.signed else "").encode())
    left = attack.sent
    while left > 0:
        writer.write(_PIECE[:left])
        left -= len(_PIECE)
        # What is refused in the middle of its body is not read to the end: the send buffer fills, and this
        # waits until the connection is closed.
        await writer.drain()
