"""The page behind a preview's one address: it says how things stand, leads on, and has what people can do.

Whoever is not signed in is shown state, link and times where pages are public, and nothing where they are
private: no title and no text of a repository. Of a public repository's own branches they also see what
Kubernetes says of a pod, and of a container that crashes the last lines of its log, masked.
"""

from __future__ import annotations

from flask import Blueprint, Response, request

from previewbot.pages.notes import note_of
from previewbot.pages.showing import Page, Showing
from previewbot.pages.visits import visit


def blueprint(showing: Showing) -> Blueprint:
    """Return the route of the page."""
    routes = Blueprint("pages", __name__)

    @routes.get("/p/<int:repository_id>/<int:number>")
    def page(repository_id: int, number: int) -> Response:
        found = visit(showing, repository_id, number)
        if isinstance(found, Response):
            return found
        note = note_of(request.args, found.visitor, found.preview)
        return showing.page(Page(found.preview, found.visitor, note))

    return routes
