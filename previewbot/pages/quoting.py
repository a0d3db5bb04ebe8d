"""What people say who come by a proxy: stored as a `PreviewRequest`, and quoted by the controller.

GitHub knows nobody who could write it, and pages has no right to. So here nothing is written, and the page
says that it will be, within seconds.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from flask import Response, request

from previewbot.api import SAY, Ask, AskedIn, Preview, Saying, Source
from previewbot.api.reports import QUOTED
from previewbot.engine.links import page_path
from previewbot.errors import RemoteError
from previewbot.pages.asking import FORM_RE, Requests, actor_of, note_who
from previewbot.pages.notes import note_in_address, quoted_value
from previewbot.pages.saying import Judged, NotTaken
from previewbot.pages.sent_forms import sent_form
from previewbot.pages.visits import see
from previewbot.rules.pressing import PressesOfPages
from previewbot.rules.quoting import MOST_OF_ONE, MOST_QUOTED, Full, TakenToQuote, quoted_lately
from previewbot.text.quotes import quotable
from previewbot.text.verdicts import Cleaned, path_of

log = logging.getLogger(__name__)

_NO_FORM = (
    "This form is of another version of the page. It is new now: send it again; your words are still here."
)
_NOT_TAKEN = "The cluster did not take it. Nothing is lost: send it again in a moment."
_TOO_OFTEN = (
    "Many buttons were pressed within a minute. Send it again in a minute; your words are still here."
)
_TOO_MANY = (
    f"previewbot quotes {MOST_QUOTED} times an hour in one pull request, and has done so. Send it again "
    "later, or ask somebody with a GitHub account; your words are still here."
)
_TOO_MANY_OF_THEM = (
    f"previewbot quotes each person {MOST_OF_ONE} times an hour in one pull request, and has taken that many "
    "of you. Send it again later; your words are still here."
)


class Quoted:
    """Has the controller quote what somebody said."""

    def __init__(self, presses: PressesOfPages, requests: Requests, now: Callable[[], datetime]) -> None:
        self._presses, self._requests, self._now = presses, requests, now
        self._taken = TakenToQuote()

    def seen_of(self, words: str) -> Cleaned:
        """Return somebody's words as they are quoted."""
        return quotable(words)

    def __call__(self, judged: Judged, not_taken: NotTaken) -> Response:
        """Store what is to be quoted."""
        preview, person = judged.form.visit.preview, judged.form.person
        form_id, now, words = request.form.get("form", ""), self._now(), quotable(judged.words)
        if not FORM_RE.fullmatch(form_id):
            return not_taken(_NO_FORM, 400)
        saying = Saying(judged.says, judged.sha, path_of(judged.path), words.text)
        said = (saying.says, saying.sha, saying.path, saying.words)
        wanted = Ask(
            repository_id=preview.spec.repository_id,
            number=preview.spec.number,
            asked=SAY,
            actor=actor_of(person),
            source=Source(AskedIn.PAGE, 0, f"page-{SAY}-{sent_form(form_id, *said)}", judged.sha),
            requested_at=now,
            saying=saying,
        )
        full = Full.OF_ALL if _is_full(preview, now) else None
        full = full or self._taken.full(preview.name, wanted.name, person.key, now)
        if full is not None:
            return not_taken(_TOO_MANY if full is Full.OF_ALL else _TOO_MANY_OF_THEM, 429)
        if not self._presses.may_press(person.key, preview.name, now, by_proxy=True):
            return not_taken(_TOO_OFTEN, 429)
        try:
            self._requests.ask(wanted)
        except RemoteError as error:
            log.warning("not stored", extra={"preview": preview.name, "error": str(error)})
            return not_taken(_NOT_TAKEN, 503)
        self._taken.take(preview.name, wanted.name, person.key, now)
        note_who(person, wanted)
        note = note_in_address("quoted", quoted_value(words.told), preview.name, person)
        return see(f"{page_path(preview.name)}?{note}")


def _is_full(preview: Preview, now: datetime) -> bool:
    """Return whether so many were quoted within the hour that no more are, or that some wait for the next."""
    told = preview.status.report(QUOTED)
    waits = told.held_until is not None and now < told.held_until
    return waits or len(quoted_lately(told.edits, now)) >= MOST_QUOTED
