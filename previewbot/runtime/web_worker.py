"""gunicorn's gevent worker, bounded: who may connect for how long, and how a connection ends.

Differences to gunicorn's own, each for a stranger who would otherwise stop web:

* A connection waits within limits (`web_reader`), and gives way to others (`web_connections`).
* Before the next request on a connection, gunicorn reads what is left of a body to its end, however far that
  is (`gunicorn.http.parser.Parser.finish_body`). Here the connection ends with the answer.
* Each address has an application and limits of its own, so that a probe is answered whatever happens at the
  other.
* A worker that is told to end, by whichever signal, finishes requests and does not wait for idle connections.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import gevent
from gevent.pool import Pool
from gevent.server import StreamServer
from gunicorn import util
from gunicorn.http import wsgi
from gunicorn.http.message import Request
from gunicorn.workers.ggevent import GeventWorker
from werkzeug.exceptions import HTTPException

from previewbot.runtime.web_connections import Connection, Connections, Limits, Waits
from previewbot.runtime.web_reader import REQUEST_SECONDS, Body, Reader
from previewbot.runtime.web_turns import Turns

LINGER_SECONDS = 1.0
"""How long somebody who still sends has to read the answer, before the connection is closed on him."""
KERNEL_BYTES = 16 * 1024
"""How much the kernel holds of a connection in each direction; it counts twice that, for its own part.

That is memory of the container too. By itself the kernel takes up to 4 MiB of answers that nobody reads, as
long as the connection is there, and 32 MiB of what was sent (https://man7.org/linux/man-pages/man7/tcp.7.html).
"""
_MOST_LINGER = 128
_MOST_ENDING = 2 * _MOST_LINGER
"""How many connections there may be beyond the limit: some are just ending, and when all others wait for us,
nobody makes room. Whoever comes then waits in the kernel's queue, which is fairer than to be turned away."""
_LOOK_SECONDS = 0.2

WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]


@dataclass(frozen=True)
class Address:
    """An address to listen on (HOST:PORT), what answers there, and how much may be going on there.

    `at_once` is how many requests are answered before others are looked after; None for all of them.
    """

    bind: str
    app: WsgiApp
    limits: Limits
    at_once: int | None = None


class Worker(GeventWorker):  # type: ignore[misc]
    """Serves the `addresses` of its application, which are gunicorn's `bind` in the same order."""

    def run(self) -> None:
        """Serve until told to end; what is under way then has gunicorn's `graceful_timeout` to finish."""
        # gunicorn warns of each header that is no HTTP, with all of it: up to 32 KiB for every stranger.
        self.log.error_log.setLevel(logging.ERROR)
        listeners = [
            Listener(address, sock.getsockname(), self)
            for address, sock in zip(self.app.addresses, self.sockets, strict=True)
        ]
        servers = []
        for sock, listener in zip(self.sockets, listeners, strict=True):
            sock.setblocking(True)
            # Connections have those of the socket that they came in by.
            for buffer in (socket.SO_RCVBUF, socket.SO_SNDBUF):
                sock.setsockopt(socket.SOL_SOCKET, buffer, KERNEL_BYTES)
            servers.append(StreamServer(sock, listener.handle, spawn=Pool(listener.most)))
            servers[-1].start()
        self._until(float("inf"), lambda: not self.alive)
        for server, listener in zip(servers, listeners, strict=True):
            server.close()
            listener.connections.end_idle()
        until = time.monotonic() + self.cfg.graceful_timeout
        self._until(until, lambda: not any(len(listener.connections) for listener in listeners))

    def handle_quit(self, sig: int, frame: Any) -> None:
        """Take SIGINT and SIGQUIT as SIGTERM: what is under way is finished.

        gunicorn's own ends the process from a greenlet, 0.1 s later: in the middle of an answer, or, if `run`
        has ended by itself by then, within Python's own end, which gevent tells with a stack trace.
        """
        self.handle_exit(sig, frame)

    def _until(self, until: float, so: Callable[[], bool]) -> None:
        while not so() and time.monotonic() < until:
            # Else the process that started this one takes it for dead.
            self.notify()
            gevent.sleep(_LOOK_SECONDS)


class Listener:
    """Serves the connections to one address, which the kernel calls `name`, while the worker is alive."""

    def __init__(self, address: Address, name: Any, worker: Any) -> None:
        self._worker = worker
        self._app = address.app
        self._name = name
        self._lingering = 0
        self._turns = Turns(address.at_once) if address.at_once else None
        self.connections = Connections(address.limits)
        self.most = address.limits.connections + _MOST_ENDING

    def handle(self, sock: Any, peer: Any) -> None:
        """Serve a connection; the server closes it afterwards."""
        connection = Connection()
        self.connections.add(connection)
        try:
            unread = self._serve(sock, peer, connection)
        except OSError:
            # The other side left, or takes no answer, or gave way.
            return
        finally:
            self.connections.remove(connection)
        if unread:
            self._let_read(sock)

    def _serve(self, sock: Any, peer: Any, connection: Connection) -> bool:
        """Answer requests; return whether the other side may still be sending when no more are answered."""
        worker = self._worker
        reader = Reader(sock, connection, self.connections, self._turns)
        request = None
        try:
            while worker.alive and reader.next_request(worker.cfg.keepalive):
                request = None
                request = Request(worker.cfg, reader, peer)
                reader.header_is_in()
                body = request.body = Body(request, reader, connection, self.connections)
                goes_on = self._answer(request, sock, peer, connection)
                if not body.whole or not goes_on:
                    return not body.whole
        except OSError:
            raise
        except HTTPException as error:
            util.write_error(sock, error.code, error.name, error.description or "")
            return True
        except Exception as error:
            # A header that is no HTTP, with an answer of gunicorn's.
            worker.handle_error(request, sock, peer, error)
            return True
        return False

    def _answer(self, request: Any, sock: Any, peer: Any, connection: Connection) -> bool:
        """Have the application answer; return whether another request may follow."""
        response, environ = wsgi.create(request, sock, peer, self._name, self._worker.cfg)
        pieces = self._app(environ, response.start_response)
        # As PEP 3333 has it, which calls what need not be there.
        with contextlib.ExitStack() as ending:
            if hasattr(pieces, "close"):
                ending.callback(pieces.close)
            if not request.body.whole or not self._worker.alive or self.connections.too_many:
                response.force_close()
            self.connections.now(connection, Waits.SENDING)
            sock.settimeout(REQUEST_SECONDS)
            with connection.waiting():
                for piece in pieces:
                    response.write(piece)
                response.close()
        return not response.should_close()

    def _let_read(self, sock: Any) -> None:
        """Leave the other side some time to read the answer, and read nothing more of what it sends.

        A connection that is closed with something unread is reset, and its answer may be lost with it
        (https://www.rfc-editor.org/rfc/rfc9112#section-9.6). How many are left open is bounded: what they
        send fills buffers of the kernel.
        """
        if self._lingering >= _MOST_LINGER:
            return
        self._lingering += 1
        try:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_WR)
                gevent.sleep(LINGER_SECONDS)
        finally:
            self._lingering -= 1
