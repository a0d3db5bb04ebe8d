"""The `PreviewRequest` as an object of the API server: what somebody asks for elsewhere than in a comment.

Web makes one for each button of a check that is pressed, and pages for each of a preview's page; the
controller takes each once, and removes it. So no process but the controller writes the status of a Preview.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from previewbot.api.preview import API_VERSION, VERSION, name_of
from previewbot.api.resource import GROUP, Resource
from previewbot.api.value import Value, timestamp
from previewbot.api.verdicts import Says

PREVIEW_REQUESTS = Resource(GROUP, VERSION, "previewrequests")
REQUEST_KIND = "PreviewRequest"

_DIGITS = 15
"""Hexadecimal digits of a delivery's hash in a name: 60 bits, which the 64 of an id in a status hold."""


MARK_DIGITS = 12
"""Hexadecimal digits of what tells people apart who came by a proxy: 48 bits."""


class Asked(StrEnum):
    """What a button asks for, as the command of the same name does."""

    START = "start"
    STOP = "stop"
    EXTEND = "extend"
    """Two hours more, as `/preview extend` means them."""
    RESTART = "restart"
    RESET = "reset"


ASKED_IN_CHECKS = (Asked.START, Asked.STOP, Asked.EXTEND)
"""What a button of a check asks for; also what GitHub calls the button (`identifier`)."""


SAY = "say"
"""What somebody asks for by proxy who says what they think of a preview: that it is quoted. No button means
it, and nobody with an account at GitHub asks for it, who writes a comment of their own."""


class AskedIn(StrEnum):
    """Where people ask elsewhere than in a comment."""

    CHECK_RUN = "CheckRun"
    CHECK_SUITE = "CheckSuite"
    """All checks of a commit: GitHub's own "Re-run all checks"."""
    PAGE = "Page"
    """The page of a preview, by somebody who signed in there."""


@dataclass(frozen=True)
class Actor(Value):
    """Who asks, as GitHub told web or pages; what they may is asked of GitHub when the request is taken.

    Who came by a sign-on proxy has no account there that anybody knows of: an `id` of 0, no `login`, and the
    `name` that pages tell, which nobody else can confirm. `mark` tells two of one name apart: it is made of
    what the proxy knows them by, with a key that pages have, so that nobody learns that from it.
    """

    login: str = ""
    id: int = 0
    name: str = ""
    mark: str = ""

    @property
    def by_proxy(self) -> bool:
        """Whether it is somebody who came by a sign-on proxy."""
        return not self.id

    @property
    def called(self) -> str:
        """What to call them: their login at GitHub, or the name from the proxy."""
        return self.name if self.by_proxy else self.login


@dataclass(frozen=True)
class Saying(Value):
    """What somebody says of a preview who came by proxy: of the commit `sha`, at which path, in their own
    words, which are nobody's command."""

    says: Says
    sha: str
    path: str
    words: str = ""


@dataclass(frozen=True)
class Source(Value):
    """Where it was asked: the id of the check run or suite, its commit, and the delivery that told of it.

    A page has no id (0). Its commit is the one that it showed, and what stands for the delivery is the random
    id of its form, with the button and with a hash of what was said: sent twice, it is the same request.
    """

    kind: str
    id: int
    delivery_id: str
    head_sha: str


@dataclass(frozen=True)
class Ask(Value):
    """The `spec`, fixed when it is made: what is asked for of which pull request, by whom, and where.

    `requested_at` is by the clock of whoever made it. `saying` is what is to be quoted, of `SAY` alone.
    """

    repository_id: int
    number: int
    asked: str
    actor: Actor
    source: Annotated[Source, Field(alias="from")]
    requested_at: datetime
    saying: Saying | None = None

    @property
    def id(self) -> int:
        """The number of this request among those of its pull request, from the delivery: redelivered it is
        the same one."""
        digest = hashlib.sha256(self.source.delivery_id.encode()).hexdigest()
        return int(digest[:_DIGITS], 16)

    @property
    def preview(self) -> str:
        """The name of the Preview that it is about."""
        return name_of(self.repository_id, self.number)

    @property
    def name(self) -> str:
        """The name of the object."""
        return request_name(self.preview, self.id)


@dataclass(frozen=True)
class PreviewRequest:
    """One as read from the API server; `owners` are the uids of its owners."""

    name: str
    uid: str
    resource_version: str
    created_at: datetime
    owners: tuple[str, ...]
    ask: Ask

    @property
    def order(self) -> tuple[datetime, int, str]:
        """By what requests are put into the order in which the API server took them."""
        # Of one second the version tells, which is that of the creation: nobody changes the spec. Another
        # server's versions need not be numbers.
        version = int(self.resource_version) if self.resource_version.isdigit() else 0
        return self.created_at, version, self.name


_ASK = TypeAdapter(Ask)
_KNOWN = frozenset({*Asked, SAY})


def request_name(preview: str, number: int) -> str:
    """Return the name of the request of a Preview that has this number."""
    return f"{preview}-{number:0{_DIGITS}x}"


def preview_of_request(name: str) -> str:
    """Return the name of the Preview that a request is about, from its own; empty for a name of nobody's."""
    preview, _, digits = name.rpartition("-")
    return preview if len(digits) == _DIGITS else ""


def new_request(ask: Ask, namespace: str) -> dict[str, Any]:
    """Return the manifest of a new request."""
    spec = _ASK.dump_python(ask, mode="json", by_alias=True)
    if ask.saying is None:
        del spec["saying"]
    # An actor has a login, or the two others, and the API server takes nothing empty.
    spec["actor"] = {key: value for key, value in spec["actor"].items() if value != ""}
    return {
        "apiVersion": API_VERSION,
        "kind": REQUEST_KIND,
        "metadata": {"name": ask.name, "namespace": namespace},
        "spec": {**spec, "requestedAt": timestamp(ask.requested_at)},
    }


def request_from(obj: Mapping[str, Any]) -> PreviewRequest | None:
    """Read a request from its JSON; None for one that says what this version does not know, or nothing."""
    metadata = obj["metadata"]
    try:
        ask = _ASK.validate_python(obj.get("spec"))
    except ValidationError:
        return None
    if ask.asked not in _KNOWN or ask.source.kind not in frozenset(AskedIn):
        return None
    # The schema holds this too; an object may be older than it.
    named = ask.actor.name and ask.actor.mark if ask.actor.by_proxy else ask.actor.login
    if not named or (ask.saying is not None) != (ask.asked == SAY):
        return None
    # Its name is that of another pull request's, or of another delivery's: made by hand.
    if ask.name != metadata["name"]:
        return None
    return PreviewRequest(
        name=metadata["name"],
        uid=metadata["uid"],
        resource_version=str(metadata["resourceVersion"]),
        created_at=created_at(obj),
        owners=tuple(owner["uid"] for owner in metadata.get("ownerReferences") or ()),
        ask=ask,
    )


def created_at(obj: Mapping[str, Any]) -> datetime:
    """Return when the API server took an object."""
    return datetime.fromisoformat(obj["metadata"]["creationTimestamp"])
