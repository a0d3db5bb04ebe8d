"""The page behind a preview's one address, where pages are public: it says how things stand and leads on.

Whoever can reach it reads it, so it shows no title and no text of a repository, only state, link and times.
Of a public repository's own branches it also has what Kubernetes says of a pod, and of a container that
crashes the last lines of its log, masked.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from flask import Blueprint, Response
from pydantic import ValidationError

from previewbot.api import from_object, name_of
from previewbot.config.server import Settings
from previewbot.engine.view import view_of
from previewbot.errors import RemoteError
from previewbot.pages.policy import HEADER, policy
from previewbot.text.render import Renderer


class Previews(Protocol):
    """What the page reads of the cluster."""

    def get_preview(self, name: str) -> dict[str, Any] | None:
        """Return a Preview, or None; raises RemoteError."""


def blueprint(
    settings: Settings, cluster: Previews, renderer: Renderer, now: Callable[[], datetime]
) -> Blueprint:
    """Return the route of the page."""
    routes = Blueprint("pages", __name__)
    allowed = policy(renderer.style_source(), renderer.script_source())

    def html(text: str, status: int) -> Response:
        return Response(text, status, {HEADER: allowed}, mimetype="text/html")

    @routes.get("/p/<int:repository_id>/<int:number>")
    def page(repository_id: int, number: int) -> Response:
        name = name_of(repository_id, number)
        try:
            obj = cluster.get_preview(name)
            view = view_of(settings, from_object(obj), now()) if obj else None
        # "Come back in a moment" and not "there is none": people keep this address, and would believe it.
        except (RemoteError, ValidationError):
            return html(renderer.html("unavailable.html"), 503)
        # Without a Preview the page is the same whether there never was one, its pull request was closed, or
        # the repository is none of ours.
        return html(renderer.page(view), 200 if view else 404)

    return routes
