"""How previews stand, for programs: JSON with an ETag, at the pages' addresses, guarded as the pages are.

    GET /p/<repository id>/<number>.json      one preview
    GET /p.json?repository=O/R&number=42      the same by the repository's name; with a bearer only
    GET /previews.json[?repository=O/R]       all of them that the bearer is for; whoever is signed in gets
                                              those that they may read, as on `/previews` and by its filters
    GET /openapi.json                         what these are, as OpenAPI 3.1

Where pages are private everything but the last is, for whoever has no bearer of the settings, an address like
any other at which nothing is, but for those who are signed in. By name only whoever has one asks. A preview
that a bearer is not for is to it one that is not there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from flask import Blueprint, Response, abort, request
from pydantic import ValidationError

from previewbot.api import Preview, from_object, name_of
from previewbot.config.server import Bearer, Settings
from previewbot.engine.view import view_of
from previewbot.errors import RemoteError
from previewbot.pages.by_name import ByName
from previewbot.pages.lately import previews_in
from previewbot.pages.list_page import GitHubAway
from previewbot.pages.list_page import Listing as List
from previewbot.pages.openapi import document
from previewbot.pages.past_guard import PastGuard
from previewbot.pages.readers import Reader, Readers
from previewbot.pages.showing import Previews, Showing, Told, told_of
from previewbot.pages.visitors import GITHUB
from previewbot.people.access import SessionOver
from previewbot.rules.what_runs import wanted_of
from previewbot.text.facts import Facts, as_json
from previewbot.text.render import Renderer

_NONE = "there is no preview of this pull request now"
_AWAY = "the cluster does not answer right now; ask again in a moment"
_GITHUB_AWAY = "GitHub does not say right now what you may see; ask again in a moment"
_AWAY_WORDS = {GITHUB: _GITHUB_AWAY, "The cluster": _AWAY}
"""What is said if it cannot be asked what somebody may, by whom that is asked (`Visitors.asks`)."""
_WRONG = "this bearer does not count; api.bearer_file of previewbot's settings has the one that does"
_UNKNOWN = (
    "previewbot cannot read its own bearers (api.bearer_file of its settings), so none counts until its "
    "platform team has mended that; its log says why"
)
_ASKS = "ask with repository=OWNER/NAME and number=NUMBER"
_NO_SUCH_FILTER = "state is needs-somebody, ready, on-its-way or ended; names have at most 200 characters"
_AGAIN_SECONDS = 5
_AGAIN_ONCE_MENDED = 30


Listing = Callable[[], Iterator[dict[str, Any]]]
"""Returns all Previews; raises RemoteError."""


class Telling:
    """Reads Previews, and makes of them what programs are told."""

    def __init__(
        self,
        settings: Settings,
        cluster: Previews,
        listing: Listing,
        renderer: Renderer,
        past_guard: PastGuard,
    ) -> None:
        self._settings = settings
        self._past_guard = past_guard
        self._cluster = cluster
        self._listing = listing
        self._renderer = renderer
        self._by_name = ByName(self._listed)

    def one(self, asks: Bearer, repository_id: int, number: int) -> Told | None:
        """Return what is told of a pull request's preview to whoever has this bearer, or None.

        Raises RemoteError, and ValidationError for an object that is none of ours.
        """
        found = self._read(name_of(repository_id, number))
        return self._whole(asks, found) if found is not None and asks.reads(found.repository) else None

    def by_name(self, asks: Bearer, repository: str, number: int) -> Told | None:
        """Return the same by the repository's name, whatever its case."""
        if not asks.reads(repository):
            return None
        for name in self._by_name.names(repository, number):
            found = self._read(name)
            if found is not None and _is_of(found.repository, repository):
                return self._whole(asks, found)
        return None

    def all(self, asks: Bearer, repository: str = "") -> Iterator[Facts]:
        """Return what is told of all previews that this bearer is for, or of those of one repository."""
        return (self._told(each) for each in self._listed(repository) if asks.reads(each.repository))

    def _read(self, name: str) -> Preview | None:
        obj = self._cluster.get_preview(name)
        return from_object(obj) if obj else None

    def _listed(self, repository: str = "") -> Iterator[Preview]:
        """Return all Previews, or those of one repository; nothing is made of the others."""
        found = previews_in(self._listing())
        return (each for each in found if not repository or _is_of(each.repository, repository))

    def _whole(self, asks: Bearer, preview: Preview) -> Told:
        return told_of(as_json(self._told(preview)) | self._past_guard(preview, asks))

    def _told(self, preview: Preview) -> Facts:
        return self._renderer.facts(view_of(self._settings, preview))


def blueprint(
    settings: Settings,
    cluster: Previews,
    listing: Listing,
    renderer: Renderer,
    readers: Readers,
    showing: Showing,
    of_people: List,
    past_guard: PastGuard,
) -> Blueprint:
    """Return the routes of what programs read; a page's own script is one of them, as whoever looks at it."""
    routes = Blueprint("api", __name__)
    telling = Telling(settings, cluster, listing, renderer, past_guard)
    public = settings.pages == "public"
    described = told_of(document())

    def guarded() -> Bearer:
        bearer = readers.bearer()
        if bearer is not None:
            return bearer
        reader = readers()
        if reader is Reader.UNKNOWN:
            # No word of any preview, and whoever waits goes on waiting, as for all that only the platform
            # team can mend.
            abort(_later(_UNKNOWN, _AGAIN_ONCE_MENDED))
        # Unknown and forbidden look alike where pages tell nothing.
        if not public:
            abort(404)
        response = _said(_WRONG, 401)
        response.headers["WWW-Authenticate"] = "Bearer"
        abort(response)

    def of_the_page(repository_id: int, number: int) -> Told | None:
        try:
            visitor = showing.visitors.at(repository_id, number)
        except SessionOver:
            raise
        except (RemoteError, ValidationError):
            abort(_later(_AWAY_WORDS[showing.visitors.asks], _AGAIN_SECONDS))
        if not visitor.rights.state:
            abort(404)
        preview = showing.read(repository_id, number, visitor)
        return showing.facts(preview, visitor) if preview is not None else None

    def of_the_list() -> Told:
        wanted = wanted_of(request.args)
        if not wanted.is_valid:
            abort(_said(_NO_SUCH_FILTER, 400))
        try:
            return _json_of_all(of_people.facts(wanted))
        except GitHubAway:
            abort(_later(_GITHUB_AWAY, _AGAIN_SECONDS))

    @routes.get("/p/<int:repository_id>/<int:number>.json")
    def one(repository_id: int, number: int) -> Response:
        if readers() is Reader.ANYBODY:
            return _answered(lambda: of_the_page(repository_id, number))
        asks = guarded()
        return _answered(lambda: telling.one(asks, repository_id, number))

    @routes.get("/p.json")
    def by_name() -> Response:
        asks = guarded()
        repository, number = request.args.get("repository", ""), request.args.get("number", "")
        if not repository or not (number.isascii() and number.isdigit() and len(number) < 10):
            return _said(_ASKS, 400)
        return _answered(lambda: telling.by_name(asks, repository, int(number)))

    @routes.get("/previews.json")
    def everything() -> Response:
        if readers() is Reader.ANYBODY and showing.visitors.person() is not None:
            return _answered(of_the_list)
        asks = guarded()
        return _answered(lambda: _json_of_all(telling.all(asks, request.args.get("repository", ""))))

    @routes.get("/openapi.json")
    def openapi() -> Response:
        return _with_tag(described)

    return routes


def _is_of(name: str, repository: str) -> bool:
    return name.lower() == repository.lower()


def _answered(look: Callable[[], Told | None]) -> Response:
    try:
        told = look()
    except SessionOver:
        raise
    # "Come back" and not "there is none", which ends the waiting of whoever waits for it.
    except (RemoteError, ValidationError):
        return _later(_AWAY, _AGAIN_SECONDS)
    return _with_tag(told) if told is not None else _said(_NONE, 404)


def _json_of_all(facts: Iterable[Facts]) -> Told:
    told = sorted(map(as_json, facts), key=lambda each: (each["repository"], each["number"]))
    return told_of({"previews": told})


def _with_tag(told: Told) -> Response:
    """Return the answer, or 304 without a body for whoever has the same already."""
    response = Response(told.body, 200, mimetype="application/json")
    response.set_etag(told.tag)
    # It may be kept by whoever asked, never by what is between, and is asked for anew each time.
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Authorization, Cookie"
    response.make_conditional(request)
    return response


def _later(words: str, seconds: int) -> Response:
    response = _said(words, 503)
    response.headers["Retry-After"] = str(seconds)
    return response


def _said(words: str, status: int) -> Response:
    return Response(json.dumps({"message": words}), status, mimetype="application/json")
