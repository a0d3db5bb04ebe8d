"""What people say of a preview, with a button of its page: a comment of the pull request in their own name.

The comment is the verdict; nothing of it is stored here. It names the commit that answered when the page was
opened: if another one answers by now, nobody has judged that, and nothing is written. How it comes to the
pull request is a `Delivery`: who has signed in writes it (`AsThemselves`), who came by a proxy is quoted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from flask import Blueprint, Response, request

from previewbot.api.verdicts import Says
from previewbot.clients.github.people_answers import Written
from previewbot.engine.links import page_path
from previewbot.errors import Forbidden, Invalid, NoAnswer, NotFound, RemoteError
from previewbot.pages.notes import note_in_address, said_value
from previewbot.pages.sent_forms import SentForms, sent_form
from previewbot.pages.showing import Page, Showing
from previewbot.pages.visitors import SessionOver
from previewbot.pages.visits import Sent, see, sent
from previewbot.text.for_reader import HANDED_OVER, Draft, Note
from previewbot.text.telling import serving_sha
from previewbot.text.verdicts import LONGEST_PATH, LONGEST_WORDS, Cleaned, cleaned, verdict_comment

_CHANGED = (
    "It has changed meanwhile: a newer version is running now. Open the preview again, and then say what you "
    "think of that one; your words are still here."
)
_NOTHING_SERVES = (
    "Nothing of this change answers just now, so there is nothing to judge. Your words are still here."
)
_MAY_NOT = "Nothing can be said of it here by people who come as you do. Your words are still here."
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


class NotTaken(Protocol):
    """Answers a form that was not taken: with why, a status, and perhaps where to look."""

    def __call__(self, words: str, status: int, url: str = "") -> Response:
        """Return the page with these words, and with all that was written in the form."""


class Comments(Protocol):
    """Who writes as a person: `PeopleClient`."""

    def comment(self, token: str, full_name: str, number: int, body: str) -> Written:
        """Write a comment in a pull request; raises RemoteError."""


@dataclass(frozen=True)
class Judged:
    """What somebody said with a form, of the commit that serves now, which is the one that they looked at.

    `hand_to` is the mention of the agent that is to go on; empty where none is.
    """

    form: Sent
    says: Says
    sha: str
    path: str
    words: str
    hand_to: str = ""


class Delivery(Protocol):
    """Brings what somebody said to the pull request."""

    def seen_of(self, words: str) -> Cleaned:
        """Return what is left of somebody's words there."""

    def __call__(self, judged: Judged, not_taken: NotTaken) -> Response:
        """Bring it there, once for each form; raises SessionOver."""


def blueprint(showing: Showing, delivery: Delivery) -> Blueprint:
    """Return the route that takes a verdict."""
    routes = Blueprint("saying", __name__)

    @routes.post("/p/<int:repository_id>/<int:number>/verdict")
    def verdict(repository_id: int, number: int) -> Response:
        found = sent(showing, repository_id, number)
        return found if isinstance(found, Response) else _said(found)

    def _said(form: Sent) -> Response:
        preview, visitor, draft = form.visit.preview, form.visit.visitor, _draft(request.form)
        pressed, hands_over = request.form.get("says", ""), request.form.get("says") == HANDED_OVER
        says = Says.WORK if hands_over else pressed

        def not_taken(words: str, status: int, url: str = "") -> Response:
            return showing.page(Page(preview, visitor, Note(words, url, bad=True), draft), status)

        if not visitor.rights.verdict:
            return not_taken(_MAY_NOT, 403)
        serving = serving_sha(preview.status.services)
        if not serving:
            return not_taken(_NOTHING_SERVES, 409)
        if request.form.get("sha", "") != serving:
            return not_taken(_CHANGED, 409)
        if says not in frozenset(Says) or (says == Says.WORK and not delivery.seen_of(draft.words).text):
            return not_taken(_NO_WORDS, 422)
        agent = showing.agent_of(preview) if hands_over and visitor.rights.hand_over else None
        if hands_over and agent is None:
            return not_taken(_NOT_HANDED, 403)
        path, mention = draft.path or preview.status.link.path, agent.mention if agent is not None else None
        return delivery(Judged(form, Says(says), serving, path, draft.words, mention or ""), not_taken)

    return routes


class AsThemselves:
    """Writes what somebody said as a comment of theirs, with their own token."""

    def __init__(self, comments: Comments) -> None:
        self._comments, self._known = comments, SentForms()

    def seen_of(self, words: str) -> Cleaned:
        """Return somebody's words as they may stand in a comment."""
        return cleaned(words)

    def __call__(self, judged: Judged, not_taken: NotTaken) -> Response:
        """Write the comment; raises SessionOver."""
        form, said = judged.form, (judged.says, judged.sha, judged.path, judged.words, judged.hand_to)
        form_id = sent_form(request.form.get("form", ""), *said)
        preview, account = form.visit.preview, form.person.account
        before = self._known.begin(account, form_id)
        if before is not None:
            return see(before) if before else not_taken(_BEING_SENT, 409)
        led_to = ""
        try:
            written = self._write(judged, not_taken)
            if isinstance(written, Response):
                return written
            value = said_value(written.id, cleaned(judged.words).told)
            note = note_in_address("said", value, preview.name, form.person)
            led_to = f"{page_path(preview.name)}?{note}"
            return see(led_to)
        finally:
            self._known.end(account, form_id, led_to)

    def _write(self, judged: Judged, not_taken: NotTaken) -> Written | Response:
        form, link = judged.form, judged.form.visit.preview.status.link
        number, repository = form.visit.preview.spec.number, form.repository
        if repository is None:
            # Who may not read it has no form at all.
            return not_taken(_REFUSED, 403)
        body = verdict_comment(
            judged.says,
            judged.sha,
            judged.path,
            judged.words,
            preview_url=link.url if link.kind and link.kind.just_works else "",
            hand_to=judged.hand_to,
        )
        try:
            return self._comments.comment(form.person.token, repository.full_name, number, body)
        except SessionOver:
            # They are led to a new sign-in, with their words (`sign_in`).
            raise
        except (Forbidden, NotFound, Invalid):
            return not_taken(_REFUSED, 403)
        except NoAnswer:
            return not_taken(_LOST, 503, f"{repository.html_url}/pull/{number}")
        except RemoteError:
            return not_taken(_NOT_TAKEN, 503)


def _draft(form: Mapping[str, str]) -> Draft:
    words, path = form.get("words", "")[: 2 * LONGEST_WORDS], form.get("path", "")[:LONGEST_PATH]
    return Draft(words=words, path=path)
