"""The `Preview` as an object of the API server: its names, `spec`, and the way to and from JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from previewbot.api.names import FULL_NAME
from previewbot.api.poke import Poke, annotations_of, poke_from
from previewbot.api.requests import OF_REVIEWS
from previewbot.api.resource import GROUP
from previewbot.api.status import Status
from previewbot.api.value import Value

VERSION = "v1alpha1"
PLURAL = "previews"
KIND = "Preview"
API_VERSION = f"{GROUP}/{VERSION}"

LISTING_ASKED = f"{GROUP}/listing-asked"
"""On the Lease of listings: the latest delivery by which a listing was asked for."""

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
        poke=poke_from(annotations),
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
