"""The hidden first line of our comments on GitHub: it tells ours apart, and which request each one answers.

Pure text, no templates: the plan reads markers too.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from previewbot.api import RequestId, RequestKind
from previewbot.text.block import without_block
from previewbot.text.numbers import number_in

_MARKER_RE = re.compile(r"\A<!-- previewbot (status|reply|notice) ([a-z0-9= -]*?) ?-->")
_LONGEST = 200
"""Characters of a marker; ours have half of that."""

Kind = Literal["status", "reply", "notice"]

_FIELD_RE = re.compile(r"([a-z-]+)=([a-z0-9-]+)")

_KINDS: Mapping[str, Kind] = {"status": "status", "reply": "reply", "notice": "notice"}

_REPLY_TO: Mapping[str, RequestKind] = {
    "reply-to": RequestKind.ISSUE_COMMENT,
    # Words of their own, which an older version does not take for the id of an issue comment.
    "reply-to-review": RequestKind.REVIEW,
    "reply-to-review-comment": RequestKind.REVIEW_COMMENT,
}


@dataclass(frozen=True)
class Marker:
    """What a marker says: which kind of comment, the issue comment handled last, the request answered.

    Of a notice `of` is the Preview that it tells of, and `occasion` what it tells: `ready` or `failed`.
    `edit` is the edit of that request that is answered, in epoch seconds; 0 for what was written first.
    `refused`: the answer is that its author may not ask.
    """

    kind: Kind
    key: str = ""
    command: int = 0
    reply_to: RequestId | None = None
    edit: int = 0
    refused: bool = False
    of: str = ""
    occasion: str = ""


def status_marker(key: str, command: int) -> str:
    """Return the first line of the status comment; `command` is the newest issue comment carried out."""
    return f"<!-- previewbot status key={key} command={command} -->"


def reply_marker(reply_to: RequestId, edit: int = 0, *, refused: bool = False) -> str:
    """Return the first line of the answer to a request; raises StopIteration for a kind that is not ours.

    `edit` is when the request was edited, in epoch seconds, if it had an answer before; `refused` says that
    its author may not ask.
    """
    name = next(name for name, kind in _REPLY_TO.items() if kind == reply_to.kind)
    more = f"{f' edit={edit}' if edit else ''}{' refused=1' if refused else ''}"
    return f"<!-- previewbot reply {name}={reply_to.id}{more} -->"


def notice_marker(of: str, occasion: str) -> str:
    """Return the first line of the comment that tells people once how a preview came out.

    `of` is the name of the Preview: the issue in which it stands may be closed by other pull requests too.
    """
    return f"<!-- previewbot notice of={of} occasion={occasion} -->"


def marker_in(body: str) -> str:
    """Return the marker that a comment begins with as it stands there, or nothing."""
    found = _MARKER_RE.match(body[:_LONGEST])
    return found[0] if found else ""


def parse_marker(body: str) -> Marker | None:
    """Return the marker that a comment begins with. Anybody can quote one: check the author too."""
    found = _MARKER_RE.match(body)
    if found is None:
        return None
    fields = dict(_FIELD_RE.findall(found[2]))
    return Marker(
        kind=_KINDS[found[1]],
        key=fields.get("key", ""),
        command=number_in(fields.get("command")),
        reply_to=next(
            (
                RequestId(kind=request_kind, id=request_id)
                for name, request_kind in _REPLY_TO.items()
                if (request_id := number_in(fields.get(name)))
            ),
            None,
        ),
        edit=number_in(fields.get("edit")),
        refused=number_in(fields.get("refused")) > 0,
        of=fields.get("of", ""),
        occasion=fields.get("occasion", ""),
    )


def comment_hash(body: str) -> str:
    """Return the hash of what people read of a comment: only a change of that is an edit.

    The marker names the newest command and changes with it, and programs are told steps that people are not
    (`Replacing`, then `Creating`). That alone is no reason to edit the comment.
    """
    text = without_block(_MARKER_RE.sub("", body.replace("\r\n", "\n"), count=1)).strip()
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()
