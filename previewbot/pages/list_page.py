"""All previews that one may see, as one table: what needs somebody first, then what can be looked at.

    GET /previews[?repository=O/R][&state=ready][&agent=Copilot][&person=maria]

For programs, and for the same people, it stands beside it as JSON (`api`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from flask import Blueprint, Response, request

from previewbot.config.server import Settings
from previewbot.engine.view import view_of
from previewbot.errors import RemoteError
from previewbot.pages.all_previews import Everything
from previewbot.pages.seen import Seen, SeenPreview, seen_by
from previewbot.pages.showing import Showing
from previewbot.pages.visitors import SessionOver
from previewbot.rules.what_runs import Stands, Wanted, agent_of, person_of, stands, wanted_of
from previewbot.text.facts import Facts
from previewbot.text.quoting import for_the_page
from previewbot.text.render import Renderer
from previewbot.text.standing import Standing, standing_of
from previewbot.text.view import View

PLACE = "/previews"

_NOT_KNOWN = 400
_SOON, _LATER = 3, 20
"""After how many seconds the page looks again."""


@dataclass(frozen=True)
class Row:
    """A preview in the table: with `words` its title, who made it, and by number what keeps it waiting."""

    view: View
    standing: Standing
    stands: Stands
    words: bool
    agent: str = ""
    person: str = ""


class Listing:
    """What of all previews whoever sent the request that is under way sees."""

    def __init__(
        self,
        settings: Settings,
        showing: Showing,
        everything: Everything,
        renderer: Renderer,
        now: Callable[[], datetime],
    ) -> None:
        self._settings, self._showing, self._everything = settings, showing, everything
        self._renderer, self._now = renderer, now

    def facts(self, wanted: Wanted) -> list[Facts]:
        """Return what programs are told of those that they may read: all but logs and people's words.

        Raises RemoteError of the cluster; GitHubAway, and SessionOver.
        """
        seen = self._seen(wanted)
        views = [view_of(self._settings, each.preview) for each in seen.rows if each.words]
        return [replace(self._renderer.facts(each), shortened=True) for each in views]

    def page(self, wanted: Wanted) -> Response:
        """Return the page; raises what `facts` does."""
        if not wanted.is_valid:
            return self._html(wanted, Seen((), 0, ()), _NOT_KNOWN)
        return self._html(wanted, self._seen(wanted), 200)

    def _seen(self, wanted: Wanted) -> Seen:
        listed = self._everything()
        try:
            return seen_by(self._showing.visitors, listed, wanted)
        except SessionOver:
            raise
        except RemoteError as error:
            raise GitHubAway from error

    def _html(self, wanted: Wanted, seen: Seen, status: int) -> Response:
        rows = [self._row(each) for each in seen.rows]
        values = {
            "wanted": wanted,
            "seen": seen,
            "rows": rows,
            "Stands": Stands,
            "reader": self._showing.reader(PLACE),
            "look_again": _SOON if seen.late else _LATER,
        }
        return self._showing.html(self._renderer.html("previews.html", **values), status)

    def _row(self, each: SeenPreview) -> Row:
        preview = each.preview if each.words else for_the_page(each.preview, logs=False)[0]
        view = view_of(self._settings, preview, self._now())
        row = Row(view, standing_of(preview.status), stands(preview), each.words)
        if not each.words:
            return row
        return replace(row, agent=agent_of(preview), person=person_of(preview))


class GitHubAway(Exception):
    """GitHub does not say what somebody may see."""


def blueprint(listing: Listing, showing: Showing) -> Blueprint:
    """Return the route of the page; where pages are private nobody sees it who is not signed in."""
    routes = Blueprint("list", __name__)

    @routes.get(PLACE)
    def previews() -> Response:
        visitors = showing.visitors
        if visitors.person() is None and not visitors.at(0, 0).rights.state:
            return showing.closed(PLACE)
        try:
            return listing.page(wanted_of(request.args))
        except GitHubAway:
            return showing.unavailable("GitHub")
        except SessionOver:
            raise
        except RemoteError:
            return showing.unavailable()

    return routes
