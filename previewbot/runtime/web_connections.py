"""The connections of one address of web, and who gives way when there are too many or too much is held.

Nobody is asked for a password before he may connect, so whatever one connection takes, a stranger takes as
often as he likes. To turn away newcomers would turn away GitHub; so a newcomer always gets in, and whoever
has kept us waiting for longest, or holds most, makes room. A delivery comes in within milliseconds: to push
one out, a stranger would have to fill everything anew within these. Who waits for us never makes room.

All of it runs in one thread, and nothing here waits, so no lock is needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from itertools import chain
from operator import attrgetter
from typing import Any

import gevent
from werkzeug.exceptions import ServiceUnavailable

_RETRY_AFTER_SECONDS = 60


class Waits(Enum):
    """What a connection waits for."""

    IDLE = "for a request"
    RECEIVING = "for the rest of a request"
    WORKING = "for us"
    SENDING = "for somebody to read our answer"


class GaveWay(ConnectionAbortedError):
    """The connection was needed for somebody else; there is nobody who waits for an answer on it."""


@dataclass(eq=False)
class Connection:
    """A connection, and the greenlet that serves it."""

    serves: Any = field(default_factory=gevent.getcurrent)
    waits: Waits = Waits.IDLE
    held: int = 0
    """How many bytes of an unfinished request were received."""
    gives_way: Exception | None = None
    """What is raised at the next wait for the other side."""
    _interruptible: bool = False

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Mark that nothing but waiting for the other side happens, so that it may be interrupted.

        Raises what it gives way with, if it was told to before.
        """
        self.check()
        self._interruptible = True
        try:
            yield
        finally:
            self._interruptible = False

    def check(self) -> None:
        """Raise what it gives way with, if it was told to."""
        if self.gives_way is not None:
            raise self._taken()

    def interrupt(self, error: Exception) -> None:
        """Raise an error where it waits for the other side, now or the next time."""
        self.gives_way = error
        if self.serves is gevent.getcurrent():
            raise self._taken()
        gevent.get_hub().loop.run_callback(self._throw)

    def _throw(self) -> None:
        # It may have gone on since. Anywhere but in such a wait, an error would end something half-done.
        if self._interruptible and self.gives_way is not None:
            self.serves.throw(self._taken())

    def _taken(self) -> Exception:
        error, self.gives_way = self.gives_way, None
        assert error is not None
        return error


@dataclass(frozen=True)
class Limits:
    """How many connections there may be, how many of them with a request that is not there in whole, and as
    many with an answer that is not taken, how many bytes of such requests are held, and how many bytes the
    header of one may have, with its first line."""

    connections: int
    unfinished: int
    held: int
    header: int = 32 * 1024


class Connections:
    """The connections of an address, within its limits."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._held = 0
        # Each in the order in which they began to wait for that: dicts keep it.
        self._by_state: dict[Waits, dict[Connection, None]] = {waits: {} for waits in Waits}

    def __len__(self) -> int:
        return sum(map(len, self._by_state.values()))

    @property
    def held(self) -> int:
        """How many bytes of unfinished requests are held."""
        return self._held

    @property
    def too_many(self) -> bool:
        """Whether there are more than there may be, since nobody could make room."""
        return len(self) > self.limits.connections

    def add(self, connection: Connection) -> None:
        """Add a new connection; others make room for it, unless all of them wait for us."""
        while len(self) >= self.limits.connections:
            # Idle ones lose nothing. Then those who do not take our answer, then those who do not go on.
            oldest = next(chain(*(self._by_state[waits] for waits in _GIVE_WAY)), None)
            if oldest is None:
                break
            self._give_way(oldest)
        self._by_state[connection.waits][connection] = None

    def remove(self, connection: Connection) -> None:
        """Forget a connection, which may have been forgotten already."""
        self._by_state[connection.waits].pop(connection, None)
        self._release(connection)

    def now(self, connection: Connection, waits: Waits) -> None:
        """Note what a connection waits for from now on.

        What it holds counts no more once its request is there in whole. Raises if it has to give way itself.
        """
        known = connection in self._by_state[connection.waits]
        if waits is Waits.WORKING:
            # If it was to give way, it was quicker: it stays, and counts again.
            connection.gives_way = None
            known = True
        self._by_state[connection.waits].pop(connection, None)
        connection.waits = waits
        if known:
            self._by_state[waits][connection] = None
        if waits is not Waits.RECEIVING:
            self._release(connection)
        if waits in _UNFINISHED and len(self._by_state[waits]) > self.limits.unfinished:
            self._give_way(next(iter(self._by_state[waits])))

    def hold(self, connection: Connection, count: int) -> None:
        """Note that so many bytes more were received.

        Whoever holds most gives way if that is too much, with an answer; of those who hold the same, who has
        been sending for longest. If that is this connection itself, it is raised here.
        """
        if connection not in self._by_state[Waits.RECEIVING]:
            # It gives way, and learns of it when it waits for more.
            return
        connection.held += count
        self._held += count
        while self._held > self.limits.held:
            # So whoever holds no more than his share (64 KiB, and most deliveries have less) stays, however
            # slowly he sends and however much others do.
            self._give_way(max(self._by_state[Waits.RECEIVING], key=attrgetter("held")))

    def end_idle(self) -> None:
        """End those that wait for a request: no more are answered."""
        for connection in list(self._by_state[Waits.IDLE]):
            self._give_way(connection)

    def _give_way(self, connection: Connection) -> None:
        receiving = connection.waits is Waits.RECEIVING
        self.remove(connection)
        connection.interrupt(_no_room() if receiving else GaveWay())

    def _release(self, connection: Connection) -> None:
        self._held -= connection.held
        connection.held = 0


_UNFINISHED = (Waits.RECEIVING, Waits.SENDING)
_GIVE_WAY = (Waits.IDLE, Waits.SENDING, Waits.RECEIVING)


def _no_room() -> ServiceUnavailable:
    words = "others send too much at this moment: previewbot will find it later"
    return ServiceUnavailable(words, retry_after=_RETRY_AFTER_SECONDS)
