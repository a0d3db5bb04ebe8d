"""The Flask application."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from flask import Flask, Response
from prometheus_client import CollectorRegistry, generate_latest
from werkzeug.exceptions import HTTPException

from previewbot.config.server import LEAST_WEBHOOK_SECRET, Settings
from previewbot.pages import preview_page
from previewbot.text.render import Renderer
from previewbot.webhook import intake

_POLICY = "default-src 'none'; style-src {}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

log = logging.getLogger(__name__)


class Cluster(intake.Pokes, preview_page.Previews, Protocol):
    """What web needs of the cluster: one write per delivery, one read per page; `WebClient` is the real
    one."""

    def ready(self) -> bool:
        """Return whether the API server answers."""


def create_app(
    settings: Settings,
    webhook_secrets: tuple[bytes, ...],
    cluster: Cluster,
    *,
    now: Callable[[], datetime],
    renderer: Renderer | None = None,
    body_limit: int = intake.BODY_LIMIT,
) -> Flask:
    """Return the application; raises ValueError without a secret, or for one that lets anybody in."""
    if min(map(len, webhook_secrets), default=0) < LEAST_WEBHOOK_SECRET:
        raise ValueError("there is no webhook secret, or one that is too short")
    app = Flask("previewbot", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = body_limit
    renderer = renderer or Renderer()
    headers = _HEADERS | {"Content-Security-Policy": _POLICY.format(renderer.style_source())}
    metrics = CollectorRegistry()
    deliveries = intake.Intake(settings, webhook_secrets, cluster, now)
    app.register_blueprint(intake.blueprint(deliveries, metrics))
    app.register_blueprint(preview_page.blueprint(settings, cluster, renderer))
    app.register_error_handler(Exception, _failed)

    @app.after_request
    def with_headers(response: Response) -> Response:
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        return response

    @app.get("/healthz")
    def healthz() -> Response:
        return Response("ok", mimetype="text/plain")

    @app.get("/readyz")
    def readyz() -> Response:
        if cluster.ready():
            return Response("ok", mimetype="text/plain")
        return Response("the API server does not answer, or lacks previews", 503, mimetype="text/plain")

    @app.get("/metrics")
    def show_metrics() -> Response:
        return Response(generate_latest(metrics), mimetype="text/plain")

    return app


def _failed(error: Exception) -> Response:
    """Answer without a stack trace; what is our own fault is 503, so that it counts as not taken."""
    # Wrong addresses and methods of whoever scans the internet: no fault of ours, and not worth a line in the
    # log.
    if isinstance(error, HTTPException):
        return Response(error.description or error.name, error.code, mimetype="text/plain")
    log.error("a request failed", exc_info=error)
    return Response("something went wrong here; it is in previewbot's log", 503, mimetype="text/plain")
