"""gunicorn around the application: one process, threads."""

from __future__ import annotations

from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

THREADS = 16
_GRACEFUL_SECONDS = 15
# Longer than gateways keep an idle connection (nginx and AWS 60 s, Traefik 90 s, Google 600 s): else one
# may send a delivery into a connection that is just being closed here, and answer 502.
_KEEPALIVE_SECONDS = 620


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, app: Flask, bind: str) -> None:
        self._app = app
        self._bind = bind
        super().__init__()

    def load_config(self) -> None:
        options: dict[str, Any] = {
            "bind": self._bind,
            "workers": 1,
            "worker_class": "gthread",
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
