"""The `status` of a Preview: what was observed and done.

It is written as a whole with its `resourceVersion`, so it is one immutable value here too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from previewbot.preview.value import Value


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


@dataclass(frozen=True)
class Observed(Value):
    """What the last complete look at GitHub saw."""

    delivery_id: str = ""
    updated_at: datetime | None = None
    head_sha: str = ""
    head_first_seen_at: datetime | None = None
    merge_shas: tuple[str, ...] = ()
    configuration_sha: str = ""


@dataclass(frozen=True)
class AgentSeen(Value):
    """Which agent opened the pull request, and by which signal, in words ("its account")."""

    name: str
    signal: str


@dataclass(frozen=True)
class Ended(Value):
    """Why nothing should run: `reason` is `Expired` or `Stopped`; `by` is a login for the latter."""

    reason: str
    at: datetime
    by: str = ""
    head_sha: str = ""


@dataclass(frozen=True)
class Waiting(Value):
    """Why an image is not there yet.

    `reason`: BuildRunning, BuildNeedsApproval, BuildFailed, MergeConflict, NoImage, DeadlinePassed,
    RegistryRefused, RegistryUnreachable, NotOfThisCommit, ImageNotAllowed, BuildsUnreadable.
    """

    reason: str
    url: str = ""
    name: str = ""
    since: datetime | None = None
    detail: str = ""


@dataclass(frozen=True)
class Trouble(Value):
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


@dataclass(frozen=True)
class Service(Value):
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


@dataclass(frozen=True)
class CommentState(Value):
    """Our one status comment: the intent to create it, its id, and the hash of the text last written."""

    intent_at: datetime | None = None
    id: int = 0
    hash: str = ""


@dataclass(frozen=True)
class CommandsState(Value):
    """Which commands were obeyed: all ids up to `floor`, and those in `handled`."""

    floor: int = 0
    handled: tuple[int, ...] = ()
    looked_at: datetime | None = None


@dataclass(frozen=True)
class Reply(Value):
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
    values: dict[str, str] = field(default_factory=dict)
    intent_at: datetime | None = None


@dataclass(frozen=True)
class Condition(Value):
    """A Kubernetes condition."""

    type: str
    status: str
    reason: str
    message: str = ""
    last_transition_time: datetime | None = None


@dataclass(frozen=True)
class ConfigurationProblem(Value):
    """A mistake in the repository's configuration, for the comment."""

    line: int
    message: str


@dataclass(frozen=True)
class LinkState(Value):
    """Where a reviewer goes.

    `kind`: Gateway or ShareHost (`url` just works), Header (`url` is staging; needs the header or
    `extension_url`), or empty while there is none.
    """

    kind: str = ""
    url: str = ""
    extension_url: str = ""


@dataclass(frozen=True)
class Status(Value):
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
    route_problem: str = ""
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
