"""The pictures of a preview: for those who may read the words of its page, and where settings say so for all.

They come from the worker, and are shown only as long as the Preview's status says that they were taken. Of a
fork there are none. What the worker sends is a picture to a browser, whatever it is.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from typing import Protocol

from flask import Blueprint, Response, request
from pydantic import ValidationError

from previewbot.api import Preview, name_of
from previewbot.api.pictures import named
from previewbot.clients.pictures_for_pages import Stream
from previewbot.config.server import Settings
from previewbot.errors import RemoteError, SettingsError
from previewbot.pages.policy import HEADER
from previewbot.pages.showing import Previews, Showing, read_preview
from previewbot.pages.visits import visit
from previewbot.rules.pictures import FILE, SHA, public_part

_PART = "[0-9a-f]{48}"
_PUBLIC = re.compile(rf"/p/[0-9]{{1,19}}/[0-9]{{1,19}}/pictures/{SHA}/{_PART}/{FILE}\.png")
_ALONE = "default-src 'none'; sandbox"
_MINUTES = "max-age=300"


class Source(Protocol):
    """Where pictures come from: `PicturesForPages`."""

    def secrets(self) -> tuple[bytes, ...]:
        """Return the secrets shared with the worker that count now; raises SettingsError."""

    def fetch(self, name: str, sha: str, file: str) -> Stream | None:
        """Return a picture; None if there is none. Raises RemoteError, and SettingsError."""


def public_addresses(settings: Settings) -> Callable[[str], bool]:
    """Return what says whether a path may be one of a picture that anybody may see."""
    public = settings.pictures is not None and settings.pictures.public
    return lambda path: public and _PUBLIC.fullmatch(path) is not None


def blueprint(settings: Settings, showing: Showing, cluster: Previews, source: Source) -> Blueprint:
    """Return the routes of pictures."""
    routes = Blueprint("pictures", __name__)
    is_public = public_addresses(settings)

    @routes.get("/p/<int:repository_id>/<int:number>/pictures/<sha>/<file>.png")
    def picture(repository_id: int, number: int, sha: str, file: str) -> Response:
        found = visit(showing, repository_id, number)
        if isinstance(found, Response):
            return found
        if not found.visitor.rights.words:
            return showing.closed(request.path)
        return _answer(showing, source, found.preview, sha, file, "private")

    @routes.get("/p/<int:repository_id>/<int:number>/pictures/<sha>/<part>/<file>.png")
    def for_anybody(repository_id: int, number: int, sha: str, part: str, file: str) -> Response:
        # The address says by itself whether it is one, so that guessing asks nobody anything.
        try:
            name = name_of(repository_id, number)
            known = is_public(request.path) and any(
                hmac.compare_digest(public_part(secret, name, sha), part) for secret in source.secrets()
            )
            preview = read_preview(cluster, repository_id, number) if known else None
        except (RemoteError, SettingsError, ValidationError):
            return showing.unavailable()
        # While the secret is changed, comments have the address of the one before, and it counts still.
        if preview is None or preview.status.observed.fork or not preview.status.pictures.public:
            return showing.closed(request.path)
        return _answer(showing, source, preview, sha, file, "public")

    return routes


def _answer(showing: Showing, source: Source, preview: Preview, sha: str, file: str, whose: str) -> Response:
    pictures = preview.status.pictures
    picture = named(pictures.taken, file) if sha == pictures.sha else None
    shown = picture is not None and picture.state.was_taken
    if not shown or preview.status.observed.fork or preview.status.is_over:
        return showing.closed(request.path)
    try:
        stream = source.fetch(preview.name, sha, file)
    except (RemoteError, SettingsError):
        return showing.unavailable("The worker of pictures")
    if stream is None:
        # It was started anew, and takes them again.
        return showing.closed(request.path)
    headers = {
        HEADER: _ALONE,
        "Cache-Control": f"{whose}, {_MINUTES}",
        "Content-Length": str(stream.length),
        "Content-Disposition": "inline",
        "Cross-Origin-Resource-Policy": "cross-origin" if whose == "public" else "same-origin",
    }
    return Response(stream.pieces, 200, headers, mimetype="image/png", direct_passthrough=True)
