"""What people say who come by a proxy: stored as a `PreviewRequest`, and quoted by the controller.

GitHub knows nobody who could write it, and pages has no right to. So here nothing is written, and the page
says that it will be, within seconds.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from flask import Response, request

from previewbot.api import SAY, Ask, AskedIn, Saying, Source
from previewbot.api.reports import QUOTED
from previewbot.engine.links import page_path
from previewbot.errors import RemoteError
from previewbot.pages.asking import FORM_RE, Requests, actor_of
from previewbot.pages.notes import note_in_address, quoted_value
from previewbot.pages.saying import Judged, NotTaken
from previewbot.pages.visits import see
from previewbot.rules.pressing import PressesOfPages
from previewbot.rules.quoting import MOST_QUOTED, quoted_lately
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


class Quoted:
    """Has the controller quote what somebody said."""

    def __init__(self, presses: PressesOfPages, requests: Requests, now: Callable[[], datetime]) -> None:
        self._presses, self._requests, self._now = presses, requests, now

    def seen_of(self, words: str) -> Cleaned:
        """Return somebody's words as they are quoted."""
        return quotable(words)

    def __call__(self, judged: Judged, not_taken: NotTaken) -> Response:
        """Store what is to be quoted."""
        preview, person = judged.form.visit.preview, judged.form.person
        form_id, now, words = request.form.get("form", ""), self._now(), quotable(judged.words)
        if not FORM_RE.fullmatch(form_id):
            return not_taken(_NO_FORM, 400)
        if len(quoted_lately(preview.status.report(QUOTED).edits, now)) >= MOST_QUOTED:
            return not_taken(_TOO_MANY, 429)
        if not self._presses.may_press(person.key, preview.name, now, by_proxy=True):
            return not_taken(_TOO_OFTEN, 429)
        wanted = Ask(
            repository_id=preview.spec.repository_id,
            number=preview.spec.number,
            asked=SAY,
            actor=actor_of(person),
            # The form's own number: sent twice, as by two clicks, it is one request.
            source=Source(AskedIn.PAGE, 0, f"page-{SAY}-{form_id}", judged.sha),
            requested_at=now,
            saying=Saying(judged.says, judged.sha, path_of(judged.path), words.text),
        )
        try:
            self._requests.ask(wanted)
        except RemoteError as error:
            log.warning("not stored", extra={"preview": preview.name, "error": str(error)})
            return not_taken(_NOT_TAKEN, 503)
        note = note_in_address("quoted", quoted_value(words.told), preview.name, person)
        return see(f"{page_path(preview.name)}?{note}")
