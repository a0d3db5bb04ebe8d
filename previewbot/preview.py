"""The `Preview` custom resource: identity and intent in `spec`, what was observed and done in `status`.

`status` is written as a whole with its `resourceVersion`, so it is one immutable value here too. Unknown
fields of a newer version are ignored, so that a rollback can read what its successor wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

GROUP = "previewbot.dev"
VERSION = "v1alpha1"
PLURAL = "previews"
KIND = "Preview"
API_VERSION = f"{GROUP}/{VERSION}"

DELIVERY_ID = f"{GROUP}/delivery-id"
POKED_AT = f"{GROUP}/poked-at"
UPDATED_AT = f"{GROUP}/updated-at"
COMMENT_ID = f"{GROUP}/comment-id"

PREVIEW_LABEL = f"{GROUP}/preview"
"""On every child: the name of the Preview it belongs to."""


class Phase(StrEnum):
    """Where a preview stands."""

    AWAITING_APPROVAL = "AwaitingApproval"
    QUEUED = "Queued"
    AWAITING_IMAGE = "AwaitingImage"
    DEPLOYING = "Deploying"
    READY = "Ready"
    IDLE = "Idle"
    STOPPING = "Stopping"
    FAILED = "Failed"
    EXPIRED = "Expired"
    STOPPED = "Stopped"
    NOTHING_TO_PREVIEW = "NothingToPreview"


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)


class Spec(_Value):
    """Identity: fixed at creation, but for the two hints `repository` and `installation_id`."""

    github_host: str
    repository_id: int
    number: int
    repository: str
    installation_id: int
    app_id: int
    environment_key: str


class Poke(_Value):
    """Why to look again: the delivery, its time, and what GitHub must show at least before we believe it."""

    delivery_id: str = ""
    poked_at: datetime | None = None
    updated_at: datetime | None = None
    comment_id: int = 0


class Observed(_Value):
    """What the last complete look at GitHub saw."""

    delivery_id: str = ""
    updated_at: datetime | None = None
    head_sha: str = ""
    head_first_seen_at: datetime | None = None
    merge_shas: tuple[str, ...] = ()
    configuration_sha: str = ""


class AgentSeen(_Value):
    """Which agent opened the pull request, and by which signal, in words ("its account")."""

    name: str
    signal: str


class Ended(_Value):
    """Why nothing should run: `reason` is `Expired` or `Stopped`; `by` is a login for the latter."""

    reason: str
    at: datetime
    by: str = ""
    head_sha: str = ""


class Waiting(_Value):
    """Why an image is not there yet.

    `reason`: BuildRunning, BuildNeedsApproval, BuildFailed, MergeConflict, NoImage, DeadlinePassed,
    RegistryRefused, RegistryUnreachable, NotOfThisCommit, ImageNotAllowed.
    """

    reason: str
    url: str = ""
    name: str = ""
    since: datetime | None = None
    detail: str = ""


class Trouble(_Value):
    """What is wrong with a service's pod; `log` is masked, and as it was when this trouble began.

    `kind`: PullFailed, CannotStart, Crashing, OutOfMemory, Unschedulable; `detail` is Kubernetes' own word.
    """

    kind: str
    container: str = ""
    detail: str = ""
    exit_code: int = 0
    restarts: int = 0
    since: datetime | None = None
    log: tuple[str, ...] = ()


class Service(_Value):
    """One service of the pull request; `phase` is its own (same words as `Phase`)."""

    name: str
    namespace: str
    target: str
    files: int = 0
    phase: Phase = Phase.AWAITING_IMAGE
    reason: str = ""
    message: str = ""
    since: datetime | None = None
    image: str = ""
    digest: str = ""
    head_sha: str = ""
    container: str = ""
    session_name: str = ""
    session_uid: str = ""
    session_ready: bool = False
    deploying_since: datetime | None = None
    deleting_since: datetime | None = None
    serving_sha: str = ""
    serving_since: datetime | None = None
    share_host: str = ""
    remade: int = 0
    failed_question: str = ""
    failure: str = ""
    waiting: Waiting | None = None
    trouble: Trouble | None = None


class CommentState(_Value):
    """Our one status comment: the intent to create it, its id, and the hash of the text last written."""

    intent_at: datetime | None = None
    id: int = 0
    hash: str = ""


class CommandsState(_Value):
    """Which commands were obeyed: all ids up to `floor`, and those in `handled`."""

    floor: int = 0
    handled: tuple[int, ...] = ()
    looked_at: datetime | None = None


class Reply(_Value):
    """An answer that is still owed to a command.

    `kind` names the words (a template under templates/replies/), empty for none; `reaction` is what to
    give now; with a `goal` (`Running`, `Stopped`) the reaction waits until that is reached, eyes until then.
    """

    comment_id: int
    author: str
    command: str
    reaction: str = ""
    goal: str = ""
    eyes_given: bool = False
    reacted: bool = False
    kind: str = ""
    values: dict[str, str] = {}
    intent_at: datetime | None = None


class Condition(_Value):
    """A Kubernetes condition."""

    type: str
    status: str
    reason: str
    message: str = ""
    last_transition_time: datetime | None = None


class ConfigurationProblem(_Value):
    """A mistake in the repository's configuration, for the comment."""

    line: int
    message: str


class LinkState(_Value):
    """Where a reviewer goes.

    `kind`: Gateway or ShareHost (`url` just works), Header (`url` is staging; needs the header or
    `extension_url`), or empty while there is none.
    """

    kind: str = ""
    url: str = ""
    extension_url: str = ""


class Status(_Value):
    """All that was observed and done."""

    observed: Observed = Observed()
    agent: AgentSeen | None = None
    trigger: str = ""
    started_by: str = ""
    ended: Ended | None = None
    approved_sha: str = ""
    phase: Phase | None = None
    reason: str = ""
    message: str = ""
    url: str = ""
    expires: str = ""
    service_names: str = ""
    link: LinkState = LinkState()
    route_namespace: str = ""
    services: tuple[Service, ...] = ()
    placed: bool = False
    waiting_since: datetime | None = None
    place: int = 0
    limit: int = 0
    ready_at: datetime | None = None
    ready_sha: str = ""
    expires_at: datetime | None = None
    ttl_seconds: int = 0
    closed_at: datetime | None = None
    problems: tuple[ConfigurationProblem, ...] = ()
    comment: CommentState = CommentState()
    commands: CommandsState = CommandsState()
    replies: tuple[Reply, ...] = ()
    conditions: tuple[Condition, ...] = ()
    last_error: str = ""


@dataclass(frozen=True)
class Preview:
    """A Preview as read from the API server."""

    name: str
    uid: str
    resource_version: str
    created_at: datetime
    deleting: bool
    spec: Spec
    poke: Poke
    status: Status


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
    if poke.comment_id:
        annotations[COMMENT_ID] = str(poke.comment_id)
    return annotations


def new_object(spec: Spec, poke: Poke) -> dict[str, Any]:
    """Return the manifest of a new Preview."""
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {
            "name": name_of(spec.repository_id, spec.number),
            "annotations": annotations_of(poke),
        },
        "spec": spec.model_dump(mode="json", by_alias=True),
    }


def from_object(obj: Mapping[str, Any]) -> Preview:
    """Read a Preview from its JSON; raises pydantic.ValidationError if it is none of ours."""
    metadata = obj["metadata"]
    annotations = metadata.get("annotations") or {}
    return Preview(
        name=metadata["name"],
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        created_at=datetime.fromisoformat(metadata["creationTimestamp"].replace("Z", "+00:00")),
        deleting="deletionTimestamp" in metadata,
        spec=Spec.model_validate(obj["spec"]),
        poke=_poke_from(annotations),
        status=Status.model_validate(obj.get("status") or {}),
    )


def status_object(status: Status) -> dict[str, Any]:
    """Return the JSON of a status, without what has its default value."""
    dumped: dict[str, Any] = status.model_dump(mode="json", by_alias=True, exclude_defaults=True)
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


def timestamp(moment: datetime) -> str:
    """Write a moment as RFC 3339 in UTC with microseconds, as Kubernetes' MicroTime does."""
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _poke_from(annotations: Mapping[str, str]) -> Poke:
    """Read a poke; annotations that a person mangled count as absent (the listing pokes again)."""
    comment_id = annotations.get(COMMENT_ID, "")
    return Poke(
        delivery_id=annotations.get(DELIVERY_ID, ""),
        poked_at=_moment(annotations.get(POKED_AT)),
        updated_at=_moment(annotations.get(UPDATED_AT)),
        comment_id=int(comment_id) if comment_id.isascii() and comment_id.isdigit() else 0,
    )


def _moment(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat((text or "").replace("Z", "+00:00"))
    except ValueError:
        return None
    return moment if moment.tzinfo else None
