"""Buttons of a preview's page: what is pressed is stored as a `PreviewRequest`, which the controller takes.

It asks GitHub once more what whoever pressed it may, as for a button of a check; of whoever came by a proxy
it asks the settings.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from flask import Blueprint, Response, request

from previewbot.api import Actor, Ask, Asked, AskedIn, Source
from previewbot.engine.links import page_path
from previewbot.errors import RemoteError
from previewbot.pages.notes import note_in_address
from previewbot.pages.showing import Page, Showing
from previewbot.pages.visits import Sent, see, sent
from previewbot.people.person import Person
from previewbot.rules.pressing import PressesOfPages
from previewbot.text.for_reader import Note

log = logging.getLogger(__name__)

FORM_RE = re.compile("[0-9a-f]{32}")
_NO_BUTTON = "This button is of another version of the page. It is new now: press it again."
_NOT_LOOKED_AT = "previewbot has not looked at this pull request yet: press it again in a moment."
_CHANGED = (
    "A newer version was pushed meanwhile, which you have not seen: press it again if you want that one."
)
_OF_ONE_COMMIT = frozenset({Asked.START, Asked.RESTART})
"""What begins the newest commit: only the one that somebody had before them."""
_NOT_TAKEN = "The cluster did not take it. Press it again in a moment."
TOO_MANY = "Many buttons were pressed within a minute. Nothing was asked for: press it again in a minute."
_MAY_NOT = "That needs write access to the repository: ask somebody who has it to press it here."
_BY_PROXY_MAY_NOT = (
    "That needs a GitHub account with write access to the repository: ask somebody who has one."
)


def actor_of(person: Person) -> Actor:
    """Return who asks, for the controller: an account, or a name from the proxy."""
    if person.by_proxy:
        return Actor(name=person.login, mark=person.mark)
    return Actor(person.login, person.account)


def note_who(person: Person, ask: Ask) -> None:
    """Note in the log who asks by a proxy: what is public has only what they are called."""
    if person.by_proxy:
        about = {"request": ask.name, "asked": ask.asked, "mark": person.mark, "identity": person.identity}
        log.info("somebody who came by a proxy asks", extra=about)


class Requests(Protocol):
    """Where it is stored: `PagesClient`."""

    def ask(self, ask: Ask) -> None:
        """Store what somebody asks for; raises RemoteError unless the API server took it."""


def blueprint(
    showing: Showing, presses: PressesOfPages, requests: Requests, now: Callable[[], datetime]
) -> Blueprint:
    """Return the route that takes what is pressed; `presses` knows what was pressed lately."""
    routes = Blueprint("asking", __name__)

    @routes.post("/p/<int:repository_id>/<int:number>/ask")
    def ask(repository_id: int, number: int) -> Response:
        found = sent(showing, repository_id, number)
        return found if isinstance(found, Response) else _taken(found)

    def _taken(form: Sent) -> Response:
        preview, person = form.visit.preview, form.person

        def not_taken(words: str, status: int) -> Response:
            return showing.page(Page(preview, form.visit.visitor, Note(words, bad=True)), status)

        asked, form_id = request.form.get("asked", ""), request.form.get("form", "")
        if asked not in frozenset(Asked) or not FORM_RE.fullmatch(form_id):
            return not_taken(_NO_BUTTON, 400)
        if not form.visit.visitor.rights.may_ask(asked):
            return not_taken(_BY_PROXY_MAY_NOT if person.by_proxy else _MAY_NOT, 403)
        if not preview.status.observed.head_sha:
            return not_taken(_NOT_LOOKED_AT, 409)
        head_sha = preview.status.observed.head_sha
        if asked in _OF_ONE_COMMIT and request.form.get("head", "") != head_sha:
            return not_taken(_CHANGED, 409)
        if not presses.may_press(person.key, preview.name, now(), by_proxy=person.by_proxy):
            return not_taken(TOO_MANY, 429)
        wanted = Ask(
            repository_id=preview.spec.repository_id,
            number=preview.spec.number,
            asked=asked,
            actor=actor_of(person),
            # The form's own number: sent twice, as by two clicks, it is one request. All buttons of a page
            # have the same one, and another button asks for something else.
            source=Source(AskedIn.PAGE, 0, f"page-{asked}-{form_id}", head_sha),
            requested_at=now(),
        )
        try:
            requests.ask(wanted)
        except RemoteError as error:
            log.warning("not stored", extra={"preview": preview.name, "error": str(error)})
            return not_taken(_NOT_TAKEN, 503)
        note_who(person, wanted)
        note = note_in_address("asked", asked, preview.name, person)
        return see(f"{page_path(preview.name)}?{note}")

    return routes
