"""The pages that are about no pull request: what this is, an address without a preview, one that is no page.

They say the same to everybody, and nobody is asked for them.
"""

from __future__ import annotations

from flask import Blueprint, Response

from previewbot.engine.no_preview import PATH
from previewbot.pages.accepting import best_of
from previewbot.text.render import Renderer

_NOT_FOUND = 404


def blueprint(renderer: Renderer, *, signs_in: bool = False, lists: bool = False) -> Blueprint:
    """Return the routes of `/`, and of the page to which hosts lead at which no preview is.

    `signs_in`: people can sign in here, and `/` says where. `lists`: it leads to the list of all previews.
    """
    routes = Blueprint("about", __name__)
    home = renderer.html("home.html", signs_in=signs_in, lists=lists)
    no_address = renderer.html("no_address.html")

    @routes.get("/")
    def what_this_is() -> Response:
        return Response(home, mimetype="text/html")

    @routes.get(PATH)
    def no_preview_there() -> Response:
        # What follows a link without reading, as a link checker does, must not take it for the preview.
        return Response(no_address, _NOT_FOUND, mimetype="text/html")

    return routes


class NotFound:
    """What is answered where there is no page: one for people in a browser, plain text for programs."""

    def __init__(self, renderer: Renderer) -> None:
        self._page = renderer.html("not_found.html")

    def __call__(self, words: str) -> Response:
        """Return the answer to the request that is under way; `words` is its plain text."""
        # Browsers name HTML first; curl, GitHub and load balancers say that they take anything, or nothing.
        if best_of("text/plain", "text/html") == "text/html":
            return Response(self._page, _NOT_FOUND, mimetype="text/html")
        return Response(words, _NOT_FOUND, mimetype="text/plain")
