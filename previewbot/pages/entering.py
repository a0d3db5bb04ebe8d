"""The way into a preview for people: `/enter`, to which the guard leads whoever it does not know yet.

Whoever is signed in and may read the repository is led back to the address they came from, with a ticket that
counts for a minute, for that host, in the browser that set out. Whether a preview may not be seen or is not
there nobody is told.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from flask import Blueprint, Response, abort, request
from pydantic import ValidationError

from previewbot.api import Preview
from previewbot.config.server import GatewaySettings
from previewbot.engine import guarded
from previewbot.engine.links import host
from previewbot.errors import RemoteError, SettingsError
from previewbot.pages.by_name import LISTED_EVERY_SECONDS
from previewbot.pages.lately import Lately
from previewbot.pages.showing import Showing
from previewbot.pages.visitors import SessionOver
from previewbot.pages.visits import see
from previewbot.people.passes import Passes, is_way
from previewbot.rules.environment_keys import wrong_identity
from previewbot.rules.guard_refusals import ENTER
from previewbot.rules.seldom import Kind, Seldom

_NO_REPOSITORY = 1 << 60
"""GitHub counts its repositories from 1, and is far from here."""

log = logging.getLogger(__name__)


class ByKey:
    """Which pull request has an environment key, as of the last listing; safe to use from threads.

    `listed` returns all Previews, and raises RemoteError. One whose key or name is not its pull request's
    (`wrong_identity`) is looked over, as the controller never acts upon it: whoever may create Previews could
    else have a repository of their own asked about for another's key.
    """

    def __init__(self, listed: Callable[[], Iterator[Preview]]) -> None:
        def look() -> Mapping[str, tuple[int, int]]:
            return {
                each.spec.environment_key: (each.spec.repository_id, each.spec.number)
                for each in listed()
                if not wrong_identity(each.name, each.spec)
            }

        self._listed = Lately(look, LISTED_EVERY_SECONDS)

    def __call__(self, key: str) -> tuple[int, int] | None:
        """Return the repository's number and the pull request's; None if no preview has this key."""
        known = (self._listed.last or {}).get(key)
        # A key is its pull request's for life, so that what was known is as good as a new listing.
        return known or self._listed().get(key)


def blueprint(
    gateway: GatewaySettings,
    showing: Showing,
    passes: Passes,
    by_key: ByKey,
    now: Callable[[], datetime],
) -> Blueprint:
    """Return the route of the way into previews."""
    routes, said = Blueprint("entering", __name__), Seldom()

    @routes.get(ENTER)
    def enter() -> Response:
        to, way = request.args.get("to", ""), request.args.get("way", "")
        key = guarded.key_of_address(gateway, to)
        if not key or not is_way(way):
            abort(404)
        if showing.visitors.person() is None:
            url = showing.sign_in_url(request.full_path)
            return see(url) if url else showing.closed(ENTER)
        try:
            opens = _opens(showing, by_key, key)
        except SessionOver:
            raise
        except (RemoteError, ValidationError):
            return showing.unavailable(showing.visitors.asks)
        if not opens:
            return showing.closed(ENTER)
        try:
            ticket = passes.ticket(host(gateway, key), way)
        except SettingsError as error:
            if said.is_due(Kind.GUARD, "keys_file", now()):
                log.error("the guard lets nobody in: its keys cannot be read", extra={"error": str(error)})
            return showing.unavailable("previewbot's guard")
        return showing.into_preview(guarded.with_ticket(guarded.without(to), ticket))

    return routes


def _opens(showing: Showing, by_key: ByKey, key: str) -> bool:
    """Return whether whoever sent the request may open the preview of a key; raises as `Visitors.at`."""
    found = by_key(key)
    if found is None:
        # Asked all the same, of what is not there: time tells nobody which previews there are.
        digest = hashlib.sha256(key.encode()).digest()
        showing.visitors.at(_NO_REPOSITORY + int.from_bytes(digest[:4]), 1)
        return False
    return showing.visitors.at(*found).rights.opens
