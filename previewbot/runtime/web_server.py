"""gunicorn around the application: one process, threads."""

from __future__ import annotations

import errno
import socket
import time
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.workers.gthread import TConn, ThreadWorker

THREADS = 16
_GRACEFUL_SECONDS = 15
# Longer than gateways keep an idle connection (nginx and AWS 60 s, Traefik 90 s, Google 600 s): else one
# may send a delivery into a connection that is just being closed here, and answer 502.
_KEEPALIVE_SECONDS = 620


_REQUEST_SECONDS = 20.0
"""A request must have come in whole within this time; GitHub itself gives up after ten seconds."""


class _Hurried:
    """A connection that is given so long to send a request.

    gunicorn's threads wait for ever for the rest of one: sixteen connections that send half a request, and
    web would take no delivery any more.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._until = 0.0

    def hurry(self, seconds: float) -> None:
        """Begin to count."""
        self._until = time.monotonic() + seconds

    def recv(self, *args: int) -> bytes:
        """Receive; raises ConnectionResetError when the time is up, as if the sender had left."""
        left = self._until - time.monotonic()
        try:
            # Never zero, which would switch the socket to non-blocking.
            self._sock.settimeout(max(left, 0.001))
            return self._sock.recv(*args)
        except TimeoutError:
            raise ConnectionResetError(errno.ECONNRESET, "the request did not come in time") from None

    def sendall(self, *args: Any) -> None:
        """Send, to whoever takes what is sent."""
        self._sock.settimeout(_REQUEST_SECONDS)
        self._sock.sendall(*args)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class _Worker(ThreadWorker):  # type: ignore[misc]
    def handle(self, conn: TConn) -> Any:
        if not isinstance(conn.sock, _Hurried):
            conn.sock = _Hurried(conn.sock)
        # Called for each request on a connection that is kept alive; the idle time in between does not count.
        conn.sock.hurry(self.request_seconds)
        return super().handle(conn)

    request_seconds = _REQUEST_SECONDS


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, app: Flask, bind: str) -> None:
        self._app = app
        self._bind = bind
        super().__init__()

    def load_config(self) -> None:
        options: dict[str, Any] = {
            "bind": self._bind,
            # One process only: pokes are merged, and deliveries counted, in its memory.
            "workers": 1,
            "worker_class": _Worker,
            "threads": THREADS,
            "graceful_timeout": _GRACEFUL_SECONDS,
            "timeout": 30,
            "keepalive": _KEEPALIVE_SECONDS,
            "accesslog": None,
            "errorlog": "-",
            "loglevel": "warning",
            "control_socket_disable": True,
            "proc_name": "previewbot web",
        }
        for name, value in options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Flask:
        return self._app


def serve(app: Flask, bind: str) -> None:
    """Serve until SIGTERM; requests under way are finished."""
    _Server(app, bind).run()
