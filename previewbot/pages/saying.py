"""What people say of a preview, with a button of its page: a comment of the pull request in their own name.

The comment is the verdict; nothing of it is stored here. It names the commit that answered when the page was
opened: if another one answers by now, nobody has judged that, and nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from flask import Blueprint, Response, request

from previewbot.api.verdicts import Says
from previewbot.clients.github.people_answers import Written
from previewbot.engine.links import page_path
from previewbot.errors import Forbidden, Invalid, NoAnswer, NotFound, RemoteError
from previewbot.pages.notes import note_in_address, said_value
from previewbot.pages.sent_forms import SentForms
from previewbot.pages.showing import Page, Showing
from previewbot.pages.visitors import SessionOver
from previewbot.pages.visits import Sent, see, sent
from previewbot.people.sessions import Sessions
from previewbot.text.for_reader import HANDED_OVER, Draft, Note
from previewbot.text.telling import serving_sha
from previewbot.text.verdicts import LONGEST_PATH, LONGEST_WORDS, cleaned, verdict_comment

_CHANGED = (
    "It has changed meanwhile: a newer version is running now. Open the preview again, and then say what you "
    "think of that one; your words are still here."
)
_NOTHING_SERVES = (
    "Nothing of this change answers just now, so there is nothing to judge. Your words are still here."
)
_NO_WORDS = "Say what should change, so that somebody can do it."
_NOT_HANDED = (
    "Nobody was handed it: that needs write access to the repository, and an agent of which it is known what "
    "wakes it. Your words are still here."
)
_REFUSED = (
    "GitHub does not let you comment on this pull request: it may be locked, or you may not write there."
)
_LOST = (
    "GitHub did not answer in time, so it is not known whether your comment is there. Look at the pull "
    "request before you send it again; your words are still here."
)
_BEING_SENT = "This is being sent already. Look again in a moment whether it is on the pull request."
_NOT_TAKEN = "GitHub did not take your comment. Nothing is lost: send it again in a moment."


class _NotTaken(Protocol):
    def __call__(self, words: str, status: int, url: str = "") -> Response: ...


class Comments(Protocol):
    """Who writes as a person: `PeopleClient`."""

    def comment(self, token: str, full_name: str, number: int, body: str) -> Written:
        """Write a comment in a pull request; raises RemoteError."""


def blueprint(showing: Showing, sessions: Sessions, comments: Comments) -> Blueprint:
    """Return the route that takes a verdict."""
    routes, known = Blueprint("saying", __name__), SentForms()

    @routes.post("/p/<int:repository_id>/<int:number>/verdict")
    def verdict(repository_id: int, number: int) -> Response:
        found = sent(showing, sessions, repository_id, number)
        return found if isinstance(found, Response) else _said(found)

    def _said(form: Sent) -> Response:
        preview, visitor, draft = form.visit.preview, form.visit.visitor, _draft(request.form)
        pressed, words = request.form.get("says", ""), cleaned(draft.words)
        hands_over = pressed == HANDED_OVER
        says = Says.WORK if hands_over else pressed

        def not_taken(words: str, status: int, url: str = "") -> Response:
            return showing.page(Page(preview, visitor, Note(words, url, bad=True), draft), status)

        serving = serving_sha(preview.status.services)
        if not serving:
            return not_taken(_NOTHING_SERVES, 409)
        if request.form.get("sha", "") != serving:
            return not_taken(_CHANGED, 409)
        if says not in frozenset(Says) or (says == Says.WORK and not words.text):
            return not_taken(_NO_WORDS, 422)
        agent = showing.agent_of(preview) if hands_over and visitor.rights.hand_over else None
        if hands_over and agent is None:
            return not_taken(_NOT_HANDED, 403)
        link = preview.status.link
        body = verdict_comment(
            Says(says),
            serving,
            draft.path or link.path,
            draft.words,
            preview_url=link.url if link.kind and link.kind.just_works else "",
            hand_to=(agent.mention or "") if agent is not None else "",
        )
        return _sent_once(form, body, words.told, not_taken)

    def _sent_once(form: Sent, body: str, told: Iterable[str], not_taken: _NotTaken) -> Response:
        account, form_id = form.person.account, request.form.get("form", "")
        before = known.begin(account, form_id)
        if before is not None:
            return see(before) if before else not_taken(_BEING_SENT, 409)
        led_to = ""
        try:
            written = _write(form, body, not_taken)
            if isinstance(written, Response):
                return written
            preview = form.visit.preview
            note = note_in_address("said", said_value(written.id, told), preview.name, form.person)
            led_to = f"{page_path(preview.name)}?{note}"
            return see(led_to)
        finally:
            known.end(account, form_id, led_to)

    def _write(form: Sent, body: str, not_taken: _NotTaken) -> Written | Response:
        number, repository = form.visit.preview.spec.number, form.repository
        try:
            return comments.comment(form.person.token, repository.full_name, number, body)
        except SessionOver:
            # They are led to a new sign-in, with their words (`sign_in`).
            raise
        except (Forbidden, NotFound, Invalid):
            return not_taken(_REFUSED, 403)
        except NoAnswer:
            return not_taken(_LOST, 503, f"{repository.html_url}/pull/{number}")
        except RemoteError:
            return not_taken(_NOT_TAKEN, 503)

    return routes


def _draft(form: Mapping[str, str]) -> Draft:
    words, path = form.get("words", "")[: 2 * LONGEST_WORDS], form.get("path", "")[:LONGEST_PATH]
    return Draft(words=words, path=path)
