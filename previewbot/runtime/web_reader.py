"""Reads requests from a connection: within a time, within a size, and no further than somebody asks for.

gunicorn's parser and its bodies read through its `SocketUnreader`. This one counts what it receives, so that
the limits hold for all of a request, whichever part of gunicorn reads it.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from socket import MSG_PEEK
from typing import Any

from gevent.socket import socket
from gunicorn.http.message import Request
from gunicorn.http.unreader import SocketUnreader
from werkzeug.exceptions import (
    ClientDisconnected,
    RequestEntityTooLarge,
    RequestHeaderFieldsTooLarge,
    RequestTimeout,
)

from previewbot.runtime.web_connections import Connection, Connections, Waits
from previewbot.runtime.web_turns import Turns
from previewbot.webhook.intake import BODY_LIMIT

REQUEST_SECONDS = 10.0
"""A request must have come in whole so long after its first byte: GitHub itself gives up after ten seconds
(https://docs.github.com/en/webhooks/using-webhooks/handling-failed-webhook-deliveries)."""
_REST_LIMIT = BODY_LIMIT + 64 * 1024
"""How much is received of a request beside its header, in bytes: the last part is for what divides a body
into chunks.

Of chunks of one byte each, six times a body's limit would be received, and be taken apart one by one for
seconds.
"""
_TOO_LONG = (
    "address and headers of this request have more than {most} bytes together. In a browser these are mostly "
    "cookies of many applications below one domain: clear those of this domain, and open the address again"
)
_PIECE = 8 * 1024
_BODY_PIECE = 64 * 1024


class Reader(SocketUnreader):  # type: ignore[misc]
    """What gunicorn reads a connection's requests through."""

    # gunicorn would read ahead a megabyte of a body.
    max_body_chunk = _BODY_PIECE

    def __init__(
        self, sock: socket, connection: Connection, connections: Connections, turns: Turns | None
    ) -> None:
        super().__init__(sock, _PIECE)
        self._connection = connection
        self._connections = connections
        self._turns = turns
        self._until = 0.0
        self._in_header = True
        self._received = 0
        self._of_turn = 0

    def next_request(self, idle_seconds: float) -> bool:
        """Wait for the first byte of a request, return whether one came, and begin to count."""
        self._connections.now(self._connection, Waits.IDLE)
        self.sock.settimeout(idle_seconds)
        first = self.take_buffered()
        try:
            with self._connection.waiting():
                # Not received yet: until it is its turn, the kernel holds it.
                if not (first or self.sock.recv(1, MSG_PEEK)):
                    return False
        except TimeoutError:
            return False
        # It waits for us, so it does not give way: whoever asks on many connections at once would push out
        # all others just by that.
        self._connections.now(self._connection, Waits.WORKING)
        if self._turns is not None:
            self._turns.take()
        self._until = time.monotonic() + REQUEST_SECONDS
        self._in_header, self._received, self._of_turn = True, 0, 0
        self._connections.now(self._connection, Waits.RECEIVING)
        first = first or self.sock.recv(_PIECE)
        self.unread(first)
        self._count(first)
        return True

    def header_is_in(self) -> None:
        """Note that what comes from now on is the body."""
        self._in_header = False

    def chunk(self, size_hint: int | None = None) -> bytes:
        """Receive more of a request, at most the piece that is asked for.

        Raises HTTPException: 408 when the time is up, 413 when it is too much, 503 when others need the room,
        400 when the other side leaves within a body, 431 when a header is longer than it may be.
        """
        most = self._connections.limits.header
        if self._in_header and self._received >= most:
            raise RequestHeaderFieldsTooLarge(_TOO_LONG.format(most=most))
        if self._received >= most + _REST_LIMIT:
            raise RequestEntityTooLarge(f"larger than {most + _REST_LIMIT} bytes in chunks")
        with self._in_time():
            piece: bytes = super().chunk(size_hint)
        if not piece and not self._in_header:
            raise ClientDisconnected("the body was cut off")
        self._count(piece)
        if self._received - self._of_turn > _BODY_PIECE:
            # To take thousands of tiny chunks apart is work too.
            self._of_turn = self._received
            if self._turns is not None:
                self._turns.take()
                # If it gave way meanwhile, the work can be spared.
                self._connection.check()
        return piece

    def ask_to_go_on(self) -> None:
        """Tell whoever waits for it to send the body; raises what `chunk` raises."""
        with self._in_time():
            self.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    @contextmanager
    def _in_time(self) -> Iterator[None]:
        left = self._until - time.monotonic()
        if left <= 0:
            raise _too_slow()
        self.sock.settimeout(left)
        try:
            with self._connection.waiting():
                yield
        except TimeoutError:
            raise _too_slow() from None

    def _count(self, piece: bytes) -> None:
        self._received += len(piece)
        self._connections.hold(self._connection, len(piece))


class Body(io.RawIOBase):
    """The body of a request for the application, as `wsgi.input`: read when the application asks for it.

    `whole` says whether all of it was read, so that the next request can follow on the connection.
    """

    def __init__(
        self, request: Request, reader: Reader, connection: Connection, connections: Connections
    ) -> None:
        self._body = request.body
        self._reader = reader
        self._connection = connection
        self._connections = connections
        # gunicorn would ask the sender to go on before the application has said whether it wants the body
        # (https://www.rfc-editor.org/rfc/rfc9110#section-10.1.1).
        self._asks = request._expected_100_continue
        request._expected_100_continue = False
        self.whole = not _has_body(request)
        if self.whole:
            connections.now(connection, Waits.WORKING)

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read as much as there is room for, less only at the end; raises what `Reader.chunk` raises."""
        if self._asks:
            self._asks = False
            self._reader.ask_to_go_on()
        piece = self._body.read(len(buffer))
        buffer[: len(piece)] = piece
        if len(piece) < len(buffer) and not self.whole:
            self.whole = True
            self._connections.now(self._connection, Waits.WORKING)
        return len(piece)


def _has_body(request: Request) -> bool:
    headers = dict(request.headers)
    return "TRANSFER-ENCODING" in headers or int(headers.get("CONTENT-LENGTH", 0)) > 0


def _too_slow() -> RequestTimeout:
    return RequestTimeout(f"the request did not come in within {REQUEST_SECONDS:.0f} s")
