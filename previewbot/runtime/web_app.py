"""The two Flask applications of web: what the internet may reach, and what only the cluster may."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from flask import Flask, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from werkzeug.exceptions import HTTPException

from previewbot.config.server import LEAST_WEBHOOK_SECRET, Settings
from previewbot.pages import about, api, closed_page, preview_page
from previewbot.pages.policy import HEADER, policy
from previewbot.pages.readers import BearerReaders
from previewbot.text.render import Renderer
from previewbot.webhook import intake

_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}

_REFUSED = "the API server does not accept previewbot's login (401)"
_UNREADY = "the API server does not answer, or lacks previews; `previewbot doctor` in this pod says which"

log = logging.getLogger(__name__)


class Cluster(intake.Pokes, preview_page.Previews, Protocol):
    """What web needs of the cluster: one write per delivery, one read per page that is public.

    `WebClient` is the real one.
    """

    def ready(self) -> bool:
        """Return whether the API server answers."""


def create_app(
    settings: Settings,
    webhook_secrets: tuple[bytes, ...],
    cluster: Cluster,
    metrics: CollectorRegistry,
    *,
    now: Callable[[], datetime],
    renderer: Renderer | None = None,
    body_limit: int = intake.BODY_LIMIT,
    bearers: Callable[[], tuple[bytes, ...]] = tuple,
    listing: api.Listing = lambda: iter(()),
) -> Flask:
    """Return what the internet may reach: the webhook, which takes `body_limit` bytes at most, and the pages.

    `bearers` returns those that let programs read all previews, and raises SettingsError; it is asked anew
    for each request that has one. `listing` returns all Previews, for those who have one that counts.

    It has a `/healthz` too, for load balancers that look at the port they send requests to.

    Raises ValueError without a secret, or for one that lets anybody in.
    """
    if min(map(len, webhook_secrets), default=0) < LEAST_WEBHOOK_SECRET:
        raise ValueError("there is no webhook secret, or one that is too short")
    renderer = renderer or Renderer()
    app = _bare_app(renderer.style_source(), about.NotFound(renderer))
    deliveries = intake.Intake(settings, webhook_secrets, cluster, now)
    app.register_blueprint(intake.blueprint(deliveries, metrics, body_limit))
    app.register_blueprint(about.blueprint(renderer))
    readers = BearerReaders(bearers, now)
    if settings.pages == "public":
        app.register_blueprint(preview_page.blueprint(settings, cluster, renderer, now))
    else:
        app.register_blueprint(closed_page.blueprint(renderer, readers))
    app.register_blueprint(api.blueprint(settings, cluster, listing, renderer, readers))
    app.add_url_rule("/healthz", view_func=_healthz)
    return app


def create_probes(
    cluster: Cluster,
    metrics: CollectorRegistry,
    *,
    refused_for: Callable[[], float] = lambda: 0.0,
    progress: float = float("inf"),
) -> Flask:
    """Return what only the cluster may reach: `/healthz`, `/readyz` and `/metrics`.

    `refused_for` says for how many seconds the API server has known us no more: after `progress` seconds of
    it a restart may help, for then the login is asked for anew.
    """
    app = _bare_app("'none'")

    @app.get("/healthz")
    def healthz() -> Response:
        if refused_for() > progress:
            return Response(_REFUSED, 503, mimetype="text/plain")
        return _healthz()

    @app.get("/readyz")
    def readyz() -> Response:
        if cluster.ready():
            return Response("ok", mimetype="text/plain")
        words = _REFUSED if refused_for() else _UNREADY
        return Response(words, 503, mimetype="text/plain")

    @app.get("/metrics")
    def show_metrics() -> Response:
        return Response(generate_latest(metrics), content_type=CONTENT_TYPE_LATEST)

    return app


def _bare_app(style_source: str, not_found: Callable[[str], Response] | None = None) -> Flask:
    app = Flask("previewbot", static_folder=None)
    # Else a slash too many is answered with the address without it, which names the host that was asked for.
    app.url_map.merge_slashes = False
    headers = _HEADERS | {HEADER: policy(style_source)}
    app.register_error_handler(Exception, _failed)
    if not_found is not None:
        app.register_error_handler(404, lambda error: not_found(error.description or error.name))

    @app.after_request
    def with_headers(response: Response) -> Response:
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        return response

    return app


def _healthz() -> Response:
    # It asks nobody, so that it costs no more than the 404 that a stranger may have for any other address.
    # AWS's and Google's load balancers look at the port that they send to, unless told otherwise
    # (https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html).
    return Response("ok", mimetype="text/plain")


def _failed(error: Exception) -> Response:
    """Answer without a stack trace; what is our own fault is 503, so that it counts as not taken."""
    # Wrong addresses and methods of whoever scans the internet: no fault of ours, and not worth a line in the
    # log.
    if isinstance(error, HTTPException):
        return Response(error.description or error.name, error.code, mimetype="text/plain")
    log.error("a request failed", exc_info=error)
    return Response("something went wrong here; it is in previewbot's log", 503, mimetype="text/plain")
