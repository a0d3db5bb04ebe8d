"""gunicorn around the two applications of web, or of pages: one process, in which greenlets take turns.

Whoever calls this has had gevent patch the standard library before anything else was imported
(https://www.gevent.org/api/gevent.monkey.html#patching).
"""

from __future__ import annotations

import resource
from dataclasses import replace
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from previewbot.runtime.web_connections import Limits
from previewbot.runtime.web_worker import Address, Worker

_GRACEFUL_SECONDS = 15
# Longer than gateways keep an idle connection (nginx and AWS 60 s, Traefik 90 s, Google 600 s): else one
# may send a delivery into a connection that is just being closed here, and answer 502.
_KEEPALIVE_SECONDS = 620

PUBLIC_LIMITS = Limits(connections=2560, unfinished=512, held=32 * 1024 * 1024)
"""Measured: web takes 80 MB; an idle connection 9 KB more, one with half a request 24 KB."""
PAGES_LIMITS = Limits(connections=2560, unfinished=512, held=8 * 1024 * 1024, header=64 * 1024)
"""Nothing that is sent to a page is large: the room for deliveries is not needed. But the guard is asked with
the addresses and the cookies of whatever is previewed, of which Envoy takes 60 KiB
(https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers)."""
_ONE_FIELD = 64 * 1024
"""As much as a whole header may have; gunicorn takes 0 for its default."""
_PROBE_LIMITS = Limits(connections=64, unfinished=64, held=256 * 1024)
_AT_ONCE = 8
_OTHER_FILES = 512
"""Files for all else: probes, the API server, connections that are just ending."""


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, name: str, addresses: tuple[Address, ...]) -> None:
        self.name = name
        self.addresses = addresses
        super().__init__()

    def load_config(self) -> None:
        options: dict[str, Any] = {
            "bind": [address.bind for address in self.addresses],
            # One process only: pokes are merged, and deliveries counted, in its memory.
            "workers": 1,
            "worker_class": Worker,
            "graceful_timeout": _GRACEFUL_SECONDS,
            "timeout": 30,
            "keepalive": _KEEPALIVE_SECONDS,
            "accesslog": None,
            "errorlog": "-",
            "loglevel": "warning",
            "control_socket_disable": True,
            # No limits of its own (4094 bytes for the first line, 8190 for a field): `Limits.header` is for
            # all of it together, and what is previewed may well have cookies of 16 KB.
            "limit_request_line": 0,
            "limit_request_field_size": _ONE_FIELD,
            "proc_name": self.name,
        }
        for name, value in options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Any:
        # gunicorn wants one; which of them answers is the worker's to say.
        return self.addresses[0].app


def serve(name: str, app: Flask, bind: str, probes: Flask, metrics_bind: str, *, limits: Limits) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are finished.

    `name` is what lists of processes show; `limits` are those of `app`, less where there are too few files.
    """
    limits = replace(limits, connections=_most_connections(limits.connections))
    public = Address(bind, app, limits, _AT_ONCE)
    _Server(name, (public, Address(metrics_bind, probes, _PROBE_LIMITS))).run()


def _most_connections(wanted: int) -> int:
    """Return for how many connections there are files, after asking for as many files as we may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = wanted + _OTHER_FILES
    if soft == resource.RLIM_INFINITY or soft >= files:
        return wanted
    soft = files if hard == resource.RLIM_INFINITY else min(files, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(soft - _OTHER_FILES, soft // 2)
