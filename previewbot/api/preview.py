"""The `Preview` as an object of the API server: its names, `spec`, pokes, and the way to and from JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from previewbot.api.names import FULL_NAME
from previewbot.api.requests import OF_REVIEWS, RequestKind
from previewbot.api.status import Status
from previewbot.api.value import Value

GROUP = "previewbot.dev"
VERSION = "v1alpha1"
PLURAL = "previews"
KIND = "Preview"
API_VERSION = f"{GROUP}/{VERSION}"

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

LISTING_ASKED = f"{GROUP}/listing-asked"
"""On the Lease of listings: the latest delivery by which a listing was asked for."""

_MOST_DIGITS = 18

PREVIEW_LABEL = f"{GROUP}/preview"
"""On every child: the name of the Preview it belongs to."""


@dataclass(frozen=True)
class Spec(Value):
    """Identity: fixed at creation, but for the two hints `repository` and `installation_id`."""

    github_host: str
    repository_id: int
    number: int
    repository: Annotated[str, Field(pattern=FULL_NAME)]
    installation_id: int
    app_id: int
    environment_key: str


_SPEC = TypeAdapter(Spec)
_STATUS = TypeAdapter(Status)


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


@dataclass(frozen=True)
class Preview:
    """A Preview as read from the API server."""

    name: str
    uid: str
    resource_version: str
    generation: int
    created_at: datetime
    deleting: bool
    spec: Spec
    poke: Poke
    status: Status

    @property
    def repository(self) -> str:
        """`owner/name`, as GitHub told it last."""
        # The name in the `spec` is a hint that web may write, for as long as no look at GitHub has told it.
        return self.status.observed.repository or self.spec.repository

    @property
    def unseen_poke(self) -> bool:
        """Whether something happened that no complete look at GitHub has taken into account."""
        # Delivery ids have no order, so only "the same" and "another" mean something. A delivery that comes
        # while a pass looks at GitHub stays unseen, and means one more pass.
        return self.poke.delivery_id != self.status.observed.delivery_id

    @property
    def is_approved(self) -> bool:
        """Whether somebody with write access approved the very commit that was seen last, of a fork."""
        approved = self.status.lifecycle.approved_sha
        return bool(approved) and approved == self.status.observed.head_sha

    @property
    def asked_by_member(self) -> bool:
        """Whether a member wrote a command that no complete look at GitHub has taken into account."""
        # By the comment and not by a flag of the last poke: a stranger's comment a moment later is the last
        # one then, and the annotation of a poke that knows nothing of it stays.
        requests = self.status.requests
        if self.poke.member_comment_id > requests.member_comment_id:
            return True
        # Who wrote a review as a draft submits it when newer ones are read already: its id has no order.
        return any(
            self.poke.told_by_member(kind) not in (0, requests.place(kind).told_by_member)
            for kind in OF_REVIEWS
        )

    @property
    def must_read_reviews(self) -> bool:
        """Whether a delivery or the listing tells that there may be something new in reviews.

        They are read then and never else: it takes two requests more, and few people give commands there.
        """
        requests = self.status.requests
        told = any(self.poke.told(kind) not in (0, requests.place(kind).told) for kind in OF_REVIEWS)
        left = any(requests.place(kind).left for kind in OF_REVIEWS)
        return told or left or (self.poke.from_listing and self.unseen_poke)


def name_of(repository_id: int, number: int) -> str:
    """Return the name of a pull request's Preview; renames and transfers keep it."""
    return f"gh-{repository_id}-{number}"


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


def new_object(spec: Spec, poke: Poke) -> dict[str, Any]:
    """Return the manifest of a new Preview."""
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {
            "name": name_of(spec.repository_id, spec.number),
            "annotations": annotations_of(poke),
        },
        "spec": _SPEC.dump_python(spec, mode="json", by_alias=True),
    }


def from_object(obj: Mapping[str, Any]) -> Preview:
    """Read a Preview from its JSON; raises pydantic.ValidationError if it is none of ours."""
    metadata = obj["metadata"]
    annotations = metadata.get("annotations") or {}
    return Preview(
        name=metadata["name"],
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        generation=metadata.get("generation", 0),
        created_at=datetime.fromisoformat(metadata["creationTimestamp"]),
        deleting="deletionTimestamp" in metadata,
        spec=_SPEC.validate_python(obj["spec"]),
        poke=_poke_from(annotations),
        status=_STATUS.validate_python(_readable(obj.get("status") or {})),
    )


def _readable(status: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out answers that are owed to nobody knows whom, as builds before 0.1.0 stored them.

    One that cannot be read would keep the whole Preview from being looked after.
    """
    replies = [reply for reply in status.get("replies") or [] if "request" in reply]
    return {**status, "replies": replies}


def status_object(status: Status) -> dict[str, Any]:
    """Return the JSON of a status, without what has its default value."""
    # Defaults are left out: an empty status is `{}`, and a part that a later version adds changes no object
    # that is stored.
    dumped: dict[str, Any] = _STATUS.dump_python(status, mode="json", by_alias=True, exclude_defaults=True)
    return dumped


def owner_reference(preview: Preview) -> dict[str, Any]:
    """Return the owner reference that makes Kubernetes collect our children with the Preview."""
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "name": preview.name,
        "uid": preview.uid,
        "controller": True,
    }


def preview_name_of(child: Mapping[str, Any]) -> str:
    """Return the name of the Preview that an object says it belongs to; empty if it says nothing."""
    return str((child["metadata"].get("labels") or {}).get(PREVIEW_LABEL, ""))


def timestamp(moment: datetime) -> str:
    """Write a moment as RFC 3339 in UTC with microseconds, as Kubernetes' MicroTime does."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _poke_from(annotations: Mapping[str, str]) -> Poke:
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
