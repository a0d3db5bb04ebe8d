"""The page behind a preview's one address: it says how things stand and leads on.

There is no sign-in, so it shows no title and no text of a repository, only state, link and times, and of a
container that crashes the last lines of its log, masked: whoever reads the page otherwise sees no reason.
"""

from __future__ import annotations

from flask import Blueprint, Response
from pydantic import ValidationError

from previewbot.errors import RemoteError
from previewbot.links import page_url
from previewbot.mirrord import header
from previewbot.preview import from_object, name_of
from previewbot.render import Renderer, View
from previewbot.settings import Settings
from previewbot.web.cluster import Cluster


def blueprint(settings: Settings, cluster: Cluster, renderer: Renderer) -> Blueprint:
    """Return the route of the page."""
    routes = Blueprint("pages", __name__)

    @routes.get("/p/<int:repository_id>/<int:number>")
    def page(repository_id: int, number: int) -> Response:
        name = name_of(repository_id, number)
        address = page_url(settings.public_url, name)
        try:
            obj = cluster.get_preview(name)
            view = _view(settings, obj, address) if obj else None
        except (RemoteError, ValidationError):
            return _html(renderer.html("unavailable.html"), 503)
        pull_request_url = view.pull_request_url if view else None
        return _html(renderer.page(view, address, pull_request_url), 200 if view else 404)

    return routes


def _view(settings: Settings, obj: dict[str, object], address: str) -> View:
    preview = from_object(obj)
    web_url = settings.github.web_url.rstrip("/")
    return View(
        preview=preview,
        page_url=address,
        pull_request_url=f"{web_url}/{preview.spec.repository}/pull/{preview.spec.number}",
        header=header(preview.spec.environment_key),
        session_link=preview.status.link.extension_url or None,
    )


def _html(text: str, status: int) -> Response:
    return Response(text, status, mimetype="text/html")
