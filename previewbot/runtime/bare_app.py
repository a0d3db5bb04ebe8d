"""What the Flask applications of web and of pages have in common, and that of the probes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from flask import Flask, Response, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from werkzeug.exceptions import BadRequest, HTTPException

from previewbot.pages.policy import HEADER, policy

_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}

_REFUSED = "the API server does not accept previewbot's login (401)"
_UNREADY = "the API server does not answer, or lacks previews; `previewbot doctor` in this pod says which"

log = logging.getLogger(__name__)


class Answers(Protocol):
    """What the probes ask of the cluster."""

    def ready(self) -> bool:
        """Return whether the API server answers."""


def create_probes(
    cluster: Answers,
    metrics: CollectorRegistry,
    *,
    refused_for: Callable[[], float] = lambda: 0.0,
    progress: float = float("inf"),
) -> Flask:
    """Return what only the cluster may reach: `/healthz`, `/readyz` and `/metrics`.

    `refused_for` says for how many seconds the API server has known us no more: after `progress` seconds of
    it a restart may help, for then the login is asked for anew.
    """
    app = bare_app()

    @app.get("/healthz")
    def healthz() -> Response:
        if refused_for() > progress:
            return Response(_REFUSED, 503, mimetype="text/plain")
        return alive()

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


def bare_app(style_source: str = "'none'", not_found: Callable[[str], Response] | None = None) -> Flask:
    """Return an application without routes: its headers, and answers that say nothing of what went wrong.

    `style_source` is what its pages may have of style; `not_found` answers where no route is, in plain text
    if it is left out.
    """
    app = Flask("previewbot", static_folder=None)
    # Else a slash too many is answered with the address without it, which names the host that was asked for.
    app.url_map.merge_slashes = False
    headers = _HEADERS | {HEADER: policy(style_source)}
    app.register_error_handler(Exception, _failed)
    if not_found is not None:
        app.register_error_handler(404, lambda error: not_found(error.description or error.name))

    @app.before_request
    def only_addresses() -> None:
        # All other bytes are quoted in an address (RFC 3986, section 2). Werkzeug would fail at some of them,
        # and that would be a fault of ours, in the log, as often as somebody likes.
        if not request.query_string.isascii():
            raise BadRequest("an address has letters, digits and signs of ASCII only")

    @app.after_request
    def with_headers(response: Response) -> Response:
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        return response

    return app


def alive() -> Response:
    """Answer load balancers that look at the port which they send requests to."""
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
