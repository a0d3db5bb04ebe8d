"""A poke: what a delivery leaves in the annotations of a Preview, so that somebody looks again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from previewbot.api.requests import RequestKind
from previewbot.api.resource import GROUP
from previewbot.api.value import Value, timestamp

DELIVERY_ID = f"{GROUP}/delivery-id"
POKED_AT = f"{GROUP}/poked-at"
UPDATED_AT = f"{GROUP}/updated-at"
COMMENT_ID = f"{GROUP}/comment-id"
MEMBER_COMMENT_ID = f"{GROUP}/member-comment-id"
LABEL_ID = f"{GROUP}/label-id"
CALL_ID = f"{GROUP}/call-id"
CALLED_BY = f"{GROUP}/called-by"
CLOSED_ID = f"{GROUP}/closed-id"
EVENT_ID = f"{GROUP}/event-id"
QUEUED_ID = f"{GROUP}/queued-id"
REVIEW_ID = f"{GROUP}/review-id"
REVIEW_COMMENT_ID = f"{GROUP}/review-comment-id"
MEMBER_REVIEW_ID = f"{GROUP}/member-review-id"
MEMBER_REVIEW_COMMENT_ID = f"{GROUP}/member-review-comment-id"

LISTING = "listing-"
"""What the delivery id of a poke begins with that is the listing's and no webhook's."""

_MOST_DIGITS = 18


@dataclass(frozen=True)
class Poke(Value):
    """Why to look again: the delivery, its time, and what GitHub must show at least before we believe it.

    `member_comment_id` is the newest command of a member (`MEMBERS`) that a delivery told of. It is for order
    and quota only: what its author may do is asked of GitHub. `label_id` is the latest delivery that told of
    a label that a person set; `call_id` that of a comment by somebody else than the author, or of a label
    that a bot set, `called_by` the number of that account. `closed_id` is the latest delivery that told of a
    closing, `queued_id` that of a merge queue which waits for checks, and `event_id` the latest that told of
    anything but somebody else's comment. The ids of reviews and of comments on lines are of other kinds, each
    for itself: they are read because of these alone.
    """

    delivery_id: str = ""
    poked_at: datetime | None = None
    updated_at: datetime | None = None
    comment_id: int = 0
    member_comment_id: int = 0
    label_id: str = ""
    call_id: str = ""
    called_by: int = 0
    closed_id: str = ""
    event_id: str = ""
    review_id: int = 0
    review_comment_id: int = 0
    member_review_id: int = 0
    member_review_comment_id: int = 0
    queued_id: str = ""

    def told(self, kind: RequestKind) -> int:
        """Return the id of a request of this kind that a delivery told of; 0 if none did."""
        ids = (self.comment_id, self.review_id, self.review_comment_id)
        return dict(zip(RequestKind, ids, strict=True))[kind]

    def told_by_member(self, kind: RequestKind) -> int:
        """Return the id of a member's request of this kind that a delivery told of; 0 if none did."""
        ids = (self.member_comment_id, self.member_review_id, self.member_review_comment_id)
        return dict(zip(RequestKind, ids, strict=True))[kind]

    @property
    def from_listing(self) -> bool:
        """Whether the listing of open pull requests made it."""
        return self.delivery_id.startswith(LISTING)


def annotations_of(poke: Poke) -> dict[str, str]:
    """Return the annotations that a poke patches in; what it does not know stays as it was (lower bounds)."""
    annotations = {DELIVERY_ID: poke.delivery_id}
    if poke.poked_at is not None:
        annotations[POKED_AT] = timestamp(poke.poked_at)
    if poke.updated_at is not None:
        annotations[UPDATED_AT] = timestamp(poke.updated_at)
    # It is a merge patch: a bound that is left out keeps the value of an earlier delivery, which still holds.
    if poke.comment_id:
        annotations[COMMENT_ID] = str(poke.comment_id)
    if poke.member_comment_id:
        annotations[MEMBER_COMMENT_ID] = str(poke.member_comment_id)
    # Nor does a stranger's push or comment take away that a maintainer set a label a moment before.
    if poke.label_id:
        annotations[LABEL_ID] = poke.label_id
    if poke.call_id:
        annotations |= {CALL_ID: poke.call_id, CALLED_BY: str(poke.called_by)}
    if poke.closed_id:
        annotations[CLOSED_ID] = poke.closed_id
    if poke.event_id:
        annotations[EVENT_ID] = poke.event_id
    if poke.queued_id:
        annotations[QUEUED_ID] = poke.queued_id
    in_reviews = {
        REVIEW_ID: poke.review_id,
        REVIEW_COMMENT_ID: poke.review_comment_id,
        MEMBER_REVIEW_ID: poke.member_review_id,
        MEMBER_REVIEW_COMMENT_ID: poke.member_review_comment_id,
    }
    return annotations | {key: str(number) for key, number in in_reviews.items() if number}


def merge_pokes(one: Poke, other: Poke) -> Poke:
    """Return the poke that says what both say: of the newer delivery, with the higher bounds."""
    # Threads may ask in another order than GitHub sent the deliveries, so the later one need not have the
    # higher bounds. Lower bounds would let an old view of the pull request count as new enough.
    times = [at for at in (one.updated_at, other.updated_at) if at is not None]
    call = other if other.call_id else one
    return Poke(
        delivery_id=other.delivery_id,
        poked_at=other.poked_at,
        updated_at=max(times, default=None),
        comment_id=max(one.comment_id, other.comment_id),
        member_comment_id=max(one.member_comment_id, other.member_comment_id),
        label_id=other.label_id or one.label_id,
        call_id=call.call_id,
        called_by=call.called_by,
        closed_id=other.closed_id or one.closed_id,
        event_id=other.event_id or one.event_id,
        # These have no order: a draft is submitted when newer ones are there already.
        review_id=other.review_id or one.review_id,
        review_comment_id=other.review_comment_id or one.review_comment_id,
        member_review_id=other.member_review_id or one.member_review_id,
        member_review_comment_id=other.member_review_comment_id or one.member_review_comment_id,
        queued_id=other.queued_id or one.queued_id,
    )


def poke_from(annotations: Mapping[str, str]) -> Poke:
    """Read a poke; annotations that a person mangled count as absent (the listing pokes again)."""
    return Poke(
        delivery_id=annotations.get(DELIVERY_ID, ""),
        poked_at=_moment(annotations.get(POKED_AT)),
        updated_at=_moment(annotations.get(UPDATED_AT)),
        comment_id=_number(annotations.get(COMMENT_ID, "")),
        member_comment_id=_number(annotations.get(MEMBER_COMMENT_ID, "")),
        label_id=annotations.get(LABEL_ID, ""),
        call_id=annotations.get(CALL_ID, ""),
        called_by=_number(annotations.get(CALLED_BY, "")),
        closed_id=annotations.get(CLOSED_ID, ""),
        event_id=annotations.get(EVENT_ID, ""),
        review_id=_number(annotations.get(REVIEW_ID, "")),
        review_comment_id=_number(annotations.get(REVIEW_COMMENT_ID, "")),
        member_review_id=_number(annotations.get(MEMBER_REVIEW_ID, "")),
        member_review_comment_id=_number(annotations.get(MEMBER_REVIEW_COMMENT_ID, "")),
        queued_id=annotations.get(QUEUED_ID, ""),
    )


def _number(text: str) -> int:
    # What is read here goes into the status, and the CRD takes 64 bits (19 digits may be more): with a larger
    # number no status could be stored any more. GitHub's ids have ten to twelve digits.
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else 0


def _moment(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else None
