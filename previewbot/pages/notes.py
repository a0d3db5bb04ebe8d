"""What the page says once of what somebody just did: it is named in the address that they are led back to.

Whoever makes up such an address shows nobody a thing: it holds for one session only, by a tag that is made
with that session's secret.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping

from previewbot.api import Asked, Preview
from previewbot.pages.visitors import Visitor
from previewbot.people.person import Person
from previewbot.text.for_reader import Note
from previewbot.text.verdicts import TOLD

_ASKED = {
    Asked.EXTEND: "Asked for two hours more: the end moves within some seconds.",
    Asked.START: "Asked for a start: it begins within some seconds, and this page follows along.",
    Asked.STOP: "Asked for an end: it stops within some seconds.",
    Asked.RESTART: "Asked for a fresh start: it begins within some seconds, and this page follows along.",
    Asked.RESET: "Asked for fresh copies of its databases: they are made within some seconds.",
}
_SAID = "Thank you. What you said is on the pull request now, as a comment of yours."
_SAID_RE = re.compile("([1-9][0-9]{0,17})((?:-[0-9])*)")
_QUOTED = (
    "Thank you. Within some seconds what you said is on the pull request, where previewbot quotes you under "
    "your name; it stands below then."
)
_QUOTED_RE = re.compile("-|(?:-[0-9])+")
_TAG_DIGITS = 32


def note_in_address(kind: str, value: str, preview: str, person: Person) -> str:
    """Return the query that has the page say of what was done.

    The `kind` is `said`, of a comment's number, `quoted` or `asked`.
    """
    return f"{kind}={value}.{_tag(kind, value, preview, person)}"


def note_of(query: Mapping[str, str], visitor: Visitor, preview: Preview) -> Note | None:
    """Return what the page says because of its address; None for one that is not this session's."""
    person, repository = visitor.person, visitor.repository
    if person is None or not person.csrf:
        return None
    for kind in ("said", "asked", "quoted"):
        value, _, tag = query.get(kind, "").partition(".")
        if not hmac.compare_digest(tag.encode(), _tag(kind, value, preview.name, person).encode()):
            continue
        if kind == "asked" and value in frozenset(Asked):
            return Note(_ASKED[Asked(value)])
        if kind == "quoted" and _QUOTED_RE.fullmatch(value):
            return Note(" ".join([_QUOTED, *_told(value)]))
        said = _SAID_RE.fullmatch(value)
        if kind == "said" and said is not None and repository is not None:
            told = _told(said[2])
            url = f"{repository.html_url}/pull/{preview.spec.number}#issuecomment-{said[1]}"
            return Note(" ".join([_SAID, *told]), url)
    return None


def _told(indices: str) -> list[str]:
    return [TOLD[int(index)] for index in indices.split("-") if index and int(index) < len(TOLD)]


def quoted_value(told: Iterable[str]) -> str:
    """Return what an address says of words that are to be quoted: what was changed of them (`TOLD`)."""
    return "".join(f"-{TOLD.index(each)}" for each in told) or "-"


def said_value(comment: int, told: Iterable[str]) -> str:
    """Return what an address says of a comment: its number, and what was changed of its words (`TOLD`)."""
    return "-".join([str(comment), *(str(TOLD.index(each)) for each in told)])


def _tag(kind: str, value: str, preview: str, person: Person) -> str:
    words = f"{kind} {value} {preview}".encode(errors="replace")
    return hmac.new(person.csrf.encode(), words, hashlib.sha256).hexdigest()[:_TAG_DIGITS]
