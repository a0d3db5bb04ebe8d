"""Whether a form was sent by a person from a page of ours: asked before anything is done that it asks for.

Their cookie alone does not say so. A preview's own code may be at another host of the same domain, from which
a browser sends along even cookies that are `SameSite=Strict`; only `Sec-Fetch-Site` tells these apart
(https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header), which no script can set.
"""

from __future__ import annotations

from flask import Blueprint, Response, request
from werkzeug.exceptions import Forbidden, RequestEntityTooLarge

from previewbot.people.person import Person
from previewbot.people.ways_back import page_behind
from previewbot.text.render import Renderer

CSRF_FIELD = "csrf"
"""The field of each form that has `Person.csrf`."""

MOST_BYTES = 64 * 1024
"""Of a form: a comment of GitHub's has as many characters at most."""

_TYPE = "application/x-www-form-urlencoded"


_WRITTEN_HERE = frozenset({"signed_out", "another_sign_in"})
"""With these somebody's words are shown to them once more, to be copied."""


class FormRefused(Forbidden):
    """Nothing is done that a form asks for; `page` says why. It is 403, whatever is at the address."""

    def __init__(self, page: str) -> None:
        super().__init__("this form was refused; nothing was done")
        self.page = page


def check_form(person: Person | None) -> Person:
    """Return who sent the form that is under way; raises FormRefused if it is nobody, or not from our page.

    `person` is whom the cookie names.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site != "same-origin":
        raise FormRefused("old_browser" if site is None else "from_elsewhere")
    if request.mimetype != _TYPE:
        raise FormRefused("from_elsewhere")
    request.max_content_length = MOST_BYTES + 1
    try:
        # Of a form without a length no more is read, and nothing is said: what people wrote would be cut off.
        too_long = len(request.get_data(cache=True)) > MOST_BYTES
    except RequestEntityTooLarge:
        too_long = True
    if too_long:
        raise FormRefused("too_long")
    sent = request.form.get(CSRF_FIELD, "")
    if person is None:
        raise FormRefused("signed_out")
    if not person.has_sent(sent):
        raise FormRefused("another_sign_in")
    return person


def refusal(renderer: Renderer, page: str, *, by_proxy: bool = False) -> Response:
    """Return what is answered to the form that is under way, which was refused (`FormRefused`).

    `by_proxy`: people sign in elsewhere, before they come here.
    """
    # What came from elsewhere nobody wrote here.
    words = request.form.get("words", "") if page in _WRITTEN_HERE else ""
    text = renderer.html(f"forms/{page}.html", back=page_behind(request.path), words=words, by_proxy=by_proxy)
    return Response(text, FormRefused.code, mimetype="text/html")


def blueprint(renderer: Renderer, *, by_proxy: bool = False) -> Blueprint:
    """Return what answers for forms that were refused, wherever they were sent; for `by_proxy` see
    `refusal`."""
    routes = Blueprint("forms", __name__)

    @routes.app_errorhandler(FormRefused)
    def refused(error: FormRefused) -> Response:
        return refusal(renderer, error.page, by_proxy=by_proxy)

    return routes
