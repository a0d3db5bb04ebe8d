"""Ports of 127.0.0.1 that stay those of whoever asked for them, also while nobody listens there.

A process that is killed and started again finds its port free: meanwhile no other world of this machine, in
this process or another, has been given it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path

_FIRST, _BLOCK, _BLOCKS = 20_000, 100, 120
"""Below those that the system gives to outgoing connections: one of those could be taken by any request."""


class Ports:
    """Hands out ports from blocks that this process holds until it ends, each once before any twice.

    A block is a locked file in `directory`; the lock goes with the process, however it ends.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._held: list[int] = []
        self._left: list[int] = []

    def next(self) -> int:
        """Return a port on which nobody listens now; raises OSError if there is none."""
        for _ in range(2 * _BLOCK * _BLOCKS):
            self._left = self._left or self._next_block() or [p for first in self._held for p in _of(first)]
            if not self._left:
                break
            port = self._left.pop()
            with socket.socket() as probe, contextlib.suppress(OSError):
                # Somebody who knows nothing of these blocks may listen there.
                probe.bind(("127.0.0.1", port))
                return port
        raise OSError("all ports of the demo are taken: too many of them run on this machine")

    def _next_block(self) -> list[int]:
        """Return the ports of a block that nobody held before; none if each is held."""
        self._directory.mkdir(exist_ok=True)
        for block in random.sample(range(_BLOCKS), _BLOCKS):
            # Never closed: the kernel lets go of it when the process is gone.
            lock = os.open(self._directory / str(block), os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(lock)
                continue
            self._held.append(_FIRST + block * _BLOCK)
            return _of(self._held[-1])
        return []


def _of(first: int) -> list[int]:
    return list(range(first, first + _BLOCK))


_OURS = Ports(Path(tempfile.gettempdir()) / f"previewbot-ports-{os.getuid()}")
"""One for the process, since the ports are: whoever makes a second one may get the same ports again."""


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody has, and nobody else gets while this process lives."""
    return _OURS.next()
