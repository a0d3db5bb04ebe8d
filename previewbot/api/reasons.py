"""Why a preview stands where it does: every reason there is, in one table.

Comment, page, `kubectl describe`, conditions and Events go by this table: it says in which phase a reason
stands, how bad it is, whose turn it is, and what the reconciler waits for. The words themselves are in
`templates/reasons.jinja`, one macro a reason, under the reason's key. `docs/reasons.md` is generated from
here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated

from pydantic import WithJsonSchema

from previewbot.api.phases import Phase, Severity, Turn, Waits


class Reason(StrEnum):
    """Why; the value is what stands in the Preview's status."""

    # Before the first complete look at GitHub: there is no phase yet
    LOOKING = "Looking"
    LOOK_DELAYED = "LookDelayed"
    LOOK_LIMITED = "LookLimited"
    APP_NOT_ACCEPTED = "AppNotAccepted"
    LOOK_FORBIDDEN = "LookForbidden"
    LOOK_FAILED = "LookFailed"
    # Ready, Idle
    ALL_READY = "AllReady"
    PARTIAL = "Partial"
    ASLEEP = "Asleep"
    WAKING = "Waking"
    PAUSED = "Paused"
    # Deploying
    CREATING = "Creating"
    REPLACING = "Replacing"
    OPERATOR_SILENT = "OperatorSilent"
    OPERATOR_MISSING = "OperatorMissing"
    OPERATOR_UNAVAILABLE = "OperatorUnavailable"
    LICENCE_EXPIRED = "LicenceExpired"
    PREVIEWS_NOT_SUPPORTED = "PreviewsNotSupported"
    MANAGEMENT_ONLY = "ManagementOnly"
    TARGET_TAKEN = "TargetTaken"
    BRANCH_CREATING = "BranchCreating"
    MIGRATING = "Migrating"
    SPLITTING_QUEUES = "SplittingQueues"
    BRANCH_TAKEN = "BranchTaken"
    FEATURE_MISSING = "FeatureMissing"
    PHASE_UNKNOWN = "PhaseUnknown"
    NAMESPACE_FORBIDDEN = "NamespaceForbidden"
    PULL_FAILED = "PullFailed"
    PULL_REFUSED = "PullRefused"
    CANNOT_START = "CannotStart"
    CONFIG_MISSING = "ConfigMissing"
    NOT_STARTING = "NotStarting"
    CRASHING = "Crashing"
    OUT_OF_MEMORY = "OutOfMemory"
    OUT_OF_DISK = "OutOfDisk"
    PROBE_FAILING = "ProbeFailing"
    INIT_WAITING = "InitWaiting"
    UNSCHEDULABLE = "Unschedulable"
    WAITING_FOR_NODE = "WaitingForNode"
    SCHEDULING_GATED = "SchedulingGated"
    TURNED_AWAY = "TurnedAway"
    VOLUME_UNAVAILABLE = "VolumeUnavailable"
    NO_NETWORK = "NoNetwork"
    POD_REFUSED = "PodRefused"
    ROUTE_NOT_ACCEPTED = "RouteNotAccepted"
    ROUTE_UNANSWERED = "RouteUnanswered"
    CHECKING_LINK = "CheckingLink"
    LINK_SHOWS_STAGING = "LinkShowsStaging"
    LINK_UNANSWERED = "LinkUnanswered"
    # Queued
    LIMIT_REACHED = "LimitReached"
    # AwaitingApproval
    FORK = "Fork"
    # AwaitingImage
    BUILD_RUNNING = "BuildRunning"
    BUILD_NEEDS_APPROVAL = "BuildNeedsApproval"
    BUILD_FAILED = "BuildFailed"
    BUILD_NOT_RUN = "BuildNotRun"
    NO_SUCH_TAG = "NoSuchTag"
    BUILDS_UNREADABLE = "BuildsUnreadable"
    MERGE_CONFLICT = "MergeConflict"
    NO_IMAGE = "NoImage"
    NOT_OF_THIS_COMMIT = "NotOfThisCommit"
    IMAGE_NOT_ALLOWED = "ImageNotAllowed"
    IMAGE_HELD_BACK = "ImageHeldBack"
    IMAGE_TOO_OLD = "ImageTooOld"
    REPOSITORY_UNKNOWN = "RepositoryUnknown"
    REGISTRY_WANTS_LOGIN = "RegistryWantsLogin"
    REGISTRY_LOGIN_ENDED = "RegistryLoginEnded"
    REGISTRY_LOGIN_BROKEN = "RegistryLoginBroken"
    REGISTRY_REFUSED = "RegistryRefused"
    REGISTRY_LIMITED = "RegistryLimited"
    REGISTRY_UNTRUSTED = "RegistryUntrusted"
    NOT_A_REGISTRY = "NotARegistry"
    REGISTRY_UNREACHABLE = "RegistryUnreachable"
    # Failed
    IMAGE_MISSING = "ImageMissing"
    REPOSITORY_MISSING = "RepositoryMissing"
    TARGET_MISSING = "TargetMissing"
    SESSION_FAILED = "SessionFailed"
    BRANCH_FAILED = "BranchFailed"
    MIGRATION_FAILED = "MigrationFailed"
    MIGRATION_FORBIDDEN = "MigrationForbidden"
    SERVICE_FAILED = "ServiceFailed"
    ROUTE_REFUSED = "RouteRefused"
    CONFIGURATION_INVALID = "ConfigurationInvalid"
    CONFIGURATION_NOT_ALLOWED = "ConfigurationNotAllowed"
    # Stopping
    REMOVAL_STALLED = "RemovalStalled"
    REMOVAL_FORBIDDEN = "RemovalForbidden"
    REPOSITORY_GONE = "RepositoryGone"
    PULL_REQUEST_GONE = "PullRequestGone"
    # Ended; while its sessions are being removed the phase is Stopping already
    TIME_UP = "TimeUp"
    BY_COMMAND = "ByCommand"
    GAVE_WAY = "GaveWay"
    MERGED = "Merged"
    CLOSED = "Closed"
    NOT_INCLUDED = "NotIncluded"
    REPOSITORY_ARCHIVED = "RepositoryArchived"
    INSTALLATION_SUSPENDED = "InstallationSuspended"
    UNKNOWN = "Unknown"
    # NothingToPreview
    NO_CONFIGURATION = "NoConfiguration"
    NO_SERVICE_CHANGED = "NoServiceChanged"
    NOT_TRIGGERED = "NotTriggered"

    @classmethod
    def _missing_(cls, value: object) -> Reason:
        """Read a reason that only a newer version knows: after a rollback the next pass finds its own."""
        return cls.UNKNOWN

    @property
    def key(self) -> str:
        """The name of its words in the templates: `build_needs_approval`."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", self.value).lower()

    @property
    def info(self) -> ReasonInfo:
        """Its row in the table."""
        return REASONS[self]

    @property
    def phase(self) -> Phase | None:
        """The phase in which it stands; None before the first complete look."""
        return REASONS[self].phase


AnyReason = Annotated[Reason, WithJsonSchema({"type": "string"})]
"""A reason as a field; the CRD does not list them, so that a new one needs no new CRD."""


@dataclass(frozen=True)
class ReasonInfo:
    """One row: where a reason stands, how bad it is, whose turn it is, and what is waited for."""

    phase: Phase | None
    severity: Severity
    turn: Turn
    waits: Waits
    meaning: str


def _row(phase: Phase | None, severity: Severity, turn: Turn, waits: Waits, meaning: str) -> ReasonInfo:
    return ReasonInfo(phase, severity, turn, waits, meaning)


_GOOD, _BUSY, _ENDED = Severity.GOOD, Severity.PROGRESS, Severity.ENDED
_WARNING, _BAD = Severity.WARNING, Severity.BAD
_NOBODY, _AUTHOR, _MAINTAINER = Turn.NOBODY, Turn.AUTHOR, Turn.MAINTAINER
_REVIEWER, _PLATFORM = Turn.REVIEWER, Turn.PLATFORM_TEAM
_IMAGE, _FAILED, _DEPLOYING = Phase.AWAITING_IMAGE, Phase.FAILED, Phase.DEPLOYING
_NOTHING = Phase.NOTHING_TO_PREVIEW

_POD_ROWS: Mapping[Reason, ReasonInfo] = {
    reason: _row(Phase.DEPLOYING, severity, turn, Waits.POD, meaning)
    for reason, severity, turn, meaning in (
        (Reason.PULL_FAILED, _BAD, _AUTHOR, "the cluster cannot pull the image of the pod"),
        (
            Reason.PULL_REFUSED,
            _BAD,
            _PLATFORM,
            "the cluster's nodes may not, or cannot, ask the registry for the image of the pod",
        ),
        (Reason.CANNOT_START, _BAD, _AUTHOR, "Kubernetes cannot start the pod's container"),
        (
            Reason.CONFIG_MISSING,
            _BAD,
            _PLATFORM,
            "staging lacks a Secret or ConfigMap that the pod's container needs",
        ),
        (Reason.NOT_STARTING, _BAD, _PLATFORM, "the pod does not begin, and Kubernetes warns of it"),
        (Reason.CRASHING, _BAD, _AUTHOR, "the container ends again and again"),
        (Reason.OUT_OF_MEMORY, _BAD, _AUTHOR, "the container needed more memory than it may have"),
        (Reason.OUT_OF_DISK, _BAD, _AUTHOR, "the pod wrote more to its disk than it may"),
        (Reason.PROBE_FAILING, _BAD, _AUTHOR, "the container runs, and its probe never succeeds"),
        (
            Reason.INIT_WAITING,
            _WARNING,
            _AUTHOR,
            "an init container runs on and on, and all others wait for its end",
        ),
        (Reason.UNSCHEDULABLE, _BAD, _PLATFORM, "no node of the cluster takes the pod"),
        (Reason.WAITING_FOR_NODE, _BUSY, _NOBODY, "the cluster is adding a node for the pod"),
        (Reason.SCHEDULING_GATED, _WARNING, _PLATFORM, "a scheduling gate holds the pod back"),
        (Reason.TURNED_AWAY, _BAD, _PLATFORM, "nodes turn away or evict one pod after the other"),
        (Reason.VOLUME_UNAVAILABLE, _BAD, _PLATFORM, "a volume of the pod cannot be attached or mounted"),
        (Reason.NO_NETWORK, _BAD, _PLATFORM, "the pod gets no network, an IP address say"),
        (
            Reason.POD_REFUSED,
            _BAD,
            _PLATFORM,
            "the cluster refuses to make the pod: a quota or a policy, say",
        ),
    )
}
"""What only a preview's pods tell, or that there are none."""

REASONS: Mapping[Reason, ReasonInfo] = MappingProxyType(
    {
        Reason.LOOKING: _row(
            None,
            _BUSY,
            _NOBODY,
            Waits.EVENT,
            "the first look at the pull request is not finished",
        ),
        Reason.LOOK_DELAYED: _row(
            None, _WARNING, _NOBODY, Waits.EVENT, "GitHub did not answer the first look, or answered too late"
        ),
        Reason.LOOK_LIMITED: _row(
            None,
            _WARNING,
            _NOBODY,
            Waits.EVENT,
            "the first look waits: GitHub wants fewer requests for a while",
        ),
        Reason.APP_NOT_ACCEPTED: _row(
            None,
            _BAD,
            _PLATFORM,
            Waits.EVENT,
            "nothing is known yet: GitHub does not accept the App's id and private key",
        ),
        Reason.LOOK_FORBIDDEN: _row(
            None, _BAD, _PLATFORM, Waits.EVENT, "nothing is known yet: GitHub does not let the App read it"
        ),
        Reason.LOOK_FAILED: _row(
            None,
            _BAD,
            _PLATFORM,
            Waits.EVENT,
            "nothing is known yet: GitHub does not show it, or previewbot cannot read the answer",
        ),
        Reason.ALL_READY: _row(
            Phase.READY, _GOOD, _REVIEWER, Waits.EVENT, "every changed service runs from the pull request"
        ),
        Reason.PARTIAL: _row(
            Phase.READY, _WARNING, _AUTHOR, Waits.EVENT, "some changed services run, others do not"
        ),
        Reason.ASLEEP: _row(
            Phase.IDLE, _GOOD, _REVIEWER, Waits.EVENT, "mirrord put the preview to sleep; a request wakes it"
        ),
        Reason.WAKING: _row(
            Phase.IDLE,
            _GOOD,
            _REVIEWER,
            Waits.EVENT,
            "a request or a message wakes the preview; mirrord holds it",
        ),
        Reason.PAUSED: _row(
            Phase.READY,
            _WARNING,
            _NOBODY,
            Waits.EVENT,
            "somebody's own mirrord session with the preview's key answers instead of a service, for now",
        ),
        Reason.CREATING: _row(
            _DEPLOYING, _BUSY, _NOBODY, Waits.DEPLOYMENT, "the preview session exists and is not ready yet"
        ),
        Reason.REPLACING: _row(
            _DEPLOYING, _BUSY, _NOBODY, Waits.REPLACEMENT, "the session before it is being removed"
        ),
        Reason.OPERATOR_SILENT: _row(
            _DEPLOYING,
            _WARNING,
            _PLATFORM,
            Waits.REPLACEMENT,
            "mirrord's operator has not reacted for minutes",
        ),
        Reason.OPERATOR_MISSING: _row(
            _DEPLOYING, _BAD, _PLATFORM, Waits.OPERATOR, "the cluster has no mirrord operator"
        ),
        Reason.OPERATOR_UNAVAILABLE: _row(
            _DEPLOYING,
            _WARNING,
            _PLATFORM,
            Waits.OPERATOR,
            "the API server cannot reach mirrord's operator",
        ),
        Reason.LICENCE_EXPIRED: _row(
            _DEPLOYING, _BAD, _PLATFORM, Waits.OPERATOR, "the licence of mirrord's operator has expired"
        ),
        Reason.PREVIEWS_NOT_SUPPORTED: _row(
            _DEPLOYING,
            _BAD,
            _PLATFORM,
            Waits.OPERATOR,
            "mirrord's operator offers no preview environments",
        ),
        Reason.MANAGEMENT_ONLY: _row(
            _DEPLOYING,
            _BAD,
            _PLATFORM,
            Waits.OPERATOR,
            "mirrord's operator only manages other clusters, which previewbot does not support",
        ),
        Reason.TARGET_TAKEN: _row(
            _DEPLOYING,
            _WARNING,
            _PLATFORM,
            Waits.TARGET,
            "somebody else's mirrord session takes what the preview's session would take",
        ),
        Reason.BRANCH_CREATING: _row(
            _DEPLOYING,
            _BUSY,
            _NOBODY,
            Waits.DEPLOYMENT,
            "the preview's own copy of a database is being made",
        ),
        Reason.MIGRATING: _row(
            _DEPLOYING,
            _BUSY,
            _NOBODY,
            Waits.DEPLOYMENT,
            "the migrations of the commit run on the preview's own copy of a database",
        ),
        Reason.SPLITTING_QUEUES: _row(
            _DEPLOYING,
            _BUSY,
            _NOBODY,
            Waits.DEPLOYMENT,
            "mirrord splits queues; the first time, the workload in staging restarts for it",
        ),
        Reason.BRANCH_TAKEN: _row(
            _DEPLOYING,
            _WARNING,
            _PLATFORM,
            Waits.TARGET,
            "somebody else's database branch has the name of the preview's",
        ),
        Reason.FEATURE_MISSING: _row(
            _DEPLOYING,
            _BAD,
            _PLATFORM,
            Waits.TARGET,
            "mirrord's operator does not offer something that the configuration asks for",
        ),
        Reason.PHASE_UNKNOWN: _row(
            _DEPLOYING,
            _WARNING,
            _PLATFORM,
            Waits.DEPLOYMENT,
            "mirrord says that the session is in a phase which this previewbot does not know",
        ),
        Reason.NAMESPACE_FORBIDDEN: _row(
            _DEPLOYING,
            _BAD,
            _PLATFORM,
            Waits.NAMESPACE,
            "previewbot may not look into the namespace of the service",
        ),
        **_POD_ROWS,
        Reason.ROUTE_NOT_ACCEPTED: _row(
            _DEPLOYING,
            _BAD,
            _PLATFORM,
            Waits.GATEWAY,
            "the sessions run, and the Gateway does not take the preview's route",
        ),
        Reason.ROUTE_UNANSWERED: _row(
            _DEPLOYING,
            _BAD,
            _PLATFORM,
            Waits.GATEWAY,
            "the sessions run, and no Gateway says anything of the preview's route",
        ),
        Reason.CHECKING_LINK: _row(
            _DEPLOYING,
            _BUSY,
            _NOBODY,
            Waits.LINK,
            "everything runs; the link is asked before it is announced",
        ),
        Reason.LINK_SHOWS_STAGING: _row(
            _DEPLOYING, _BAD, _PLATFORM, Waits.LINK, "whoever opens the link sees staging, or another preview"
        ),
        Reason.LINK_UNANSWERED: _row(
            _DEPLOYING, _BAD, _PLATFORM, Waits.LINK, "behind the link nothing answers, or an error does"
        ),
        Reason.LIMIT_REACHED: _row(
            Phase.QUEUED, _BUSY, _NOBODY, Waits.SLOT, "others hold all slots that it could have"
        ),
        Reason.FORK: _row(
            Phase.AWAITING_APPROVAL,
            _ENDED,
            _REVIEWER,
            Waits.EVENT,
            "a fork's commit that nobody approved yet",
        ),
        Reason.BUILD_RUNNING: _row(_IMAGE, _BUSY, _NOBODY, Waits.IMAGE, "CI is building the image"),
        Reason.BUILD_NEEDS_APPROVAL: _row(
            _IMAGE, _WARNING, _REVIEWER, Waits.IMAGE, "the workflow run waits for a person's approval"
        ),
        Reason.BUILD_FAILED: _row(_IMAGE, _BAD, _AUTHOR, Waits.IMAGE, "the build of this commit failed"),
        Reason.BUILD_NOT_RUN: _row(
            _IMAGE,
            _WARNING,
            _AUTHOR,
            Waits.IMAGE,
            "the build that the configuration names has not run for this commit",
        ),
        Reason.NO_SUCH_TAG: _row(
            _IMAGE,
            _WARNING,
            _AUTHOR,
            Waits.IMAGE,
            "the build is done, and the image has no tag of the name that is looked for",
        ),
        Reason.BUILDS_UNREADABLE: _row(
            _IMAGE, _WARNING, _PLATFORM, Waits.IMAGE, "there is no image, and previewbot may not read checks"
        ),
        Reason.MERGE_CONFLICT: _row(
            _IMAGE, _BAD, _AUTHOR, Waits.IMAGE, "the pull request conflicts with its base: nothing is built"
        ),
        Reason.NO_IMAGE: _row(
            _IMAGE, _BUSY, _NOBODY, Waits.IMAGE, "there is no image yet, and no build that could be seen"
        ),
        Reason.NOT_OF_THIS_COMMIT: _row(
            _IMAGE, _BUSY, _NOBODY, Waits.IMAGE, "the image under this tag was built from another commit"
        ),
        Reason.IMAGE_NOT_ALLOWED: _row(
            _IMAGE, _BAD, _PLATFORM, Waits.IMAGE, "the settings do not allow images from there"
        ),
        Reason.IMAGE_HELD_BACK: _row(
            _IMAGE, _BAD, _PLATFORM, Waits.IMAGE, "a policy of the registry keeps the image from being pulled"
        ),
        Reason.IMAGE_TOO_OLD: _row(
            _IMAGE, _BAD, _AUTHOR, Waits.IMAGE, "the image has a format that nodes do not run any more"
        ),
        Reason.REPOSITORY_UNKNOWN: _row(
            _IMAGE, _BUSY, _NOBODY, Waits.IMAGE, "the registry knows no such repository, or does not show it"
        ),
        Reason.REGISTRY_WANTS_LOGIN: _row(
            _IMAGE, _BAD, _PLATFORM, Waits.IMAGE, "the registry wants a login, and previewbot has none for it"
        ),
        Reason.REGISTRY_LOGIN_ENDED: _row(
            _IMAGE, _BAD, _PLATFORM, Waits.IMAGE, "previewbot's login for the registry has ended"
        ),
        Reason.REGISTRY_LOGIN_BROKEN: _row(
            _IMAGE, _BAD, _PLATFORM, Waits.IMAGE, "previewbot's login for the registry cannot be had"
        ),
        Reason.REGISTRY_REFUSED: _row(
            _IMAGE, _BAD, _PLATFORM, Waits.IMAGE, "the registry does not accept previewbot's credentials"
        ),
        Reason.REGISTRY_LIMITED: _row(
            _IMAGE, _WARNING, _NOBODY, Waits.IMAGE, "the registry wants to be asked again only later"
        ),
        Reason.REGISTRY_UNTRUSTED: _row(
            _IMAGE, _BAD, _PLATFORM, Waits.IMAGE, "the registry's certificate is not trusted"
        ),
        Reason.NOT_A_REGISTRY: _row(
            _IMAGE, _BAD, _PLATFORM, Waits.IMAGE, "something else answers in the registry's place"
        ),
        Reason.REGISTRY_UNREACHABLE: _row(
            _IMAGE, _WARNING, _NOBODY, Waits.IMAGE, "the registry does not answer, or fails"
        ),
        Reason.IMAGE_MISSING: _row(
            _FAILED, _BAD, _AUTHOR, Waits.IMAGE, "no image appeared within the deadline; looks go on, rarely"
        ),
        Reason.REPOSITORY_MISSING: _row(
            _FAILED,
            _BAD,
            _AUTHOR,
            Waits.IMAGE,
            "the registry knew no such repository within the deadline; looks go on, rarely",
        ),
        Reason.TARGET_MISSING: _row(
            _FAILED, _BAD, _MAINTAINER, Waits.TARGET, "the target that preview.yaml names cannot be used"
        ),
        Reason.SESSION_FAILED: _row(
            _FAILED, _BAD, _AUTHOR, Waits.EVENT, "the preview session failed; the next commit tries again"
        ),
        Reason.BRANCH_FAILED: _row(
            _FAILED,
            _BAD,
            _MAINTAINER,
            Waits.EVENT,
            "the preview's own copy of a database could not be made, or has failed",
        ),
        Reason.MIGRATION_FAILED: _row(
            _FAILED,
            _BAD,
            _AUTHOR,
            Waits.EVENT,
            "the migrations of the commit failed on the preview's own copy of a database",
        ),
        Reason.MIGRATION_FORBIDDEN: _row(
            _FAILED,
            _BAD,
            _PLATFORM,
            Waits.EVENT,
            "the cluster does not let previewbot run the commit's migrations",
        ),
        Reason.SERVICE_FAILED: _row(
            _FAILED, _BAD, _AUTHOR, Waits.EVENT, "no service runs, and at least one has failed"
        ),
        Reason.ROUTE_REFUSED: _row(
            _FAILED, _BAD, _PLATFORM, Waits.EVENT, "the cluster refuses the preview's HTTPRoute"
        ),
        Reason.CONFIGURATION_INVALID: _row(
            _FAILED, _BAD, _MAINTAINER, Waits.CONFIGURATION, "the repository's preview.yaml has mistakes"
        ),
        Reason.CONFIGURATION_NOT_ALLOWED: _row(
            _FAILED,
            _BAD,
            _PLATFORM,
            Waits.CONFIGURATION,
            "the settings do not allow what the repository's preview.yaml asks for",
        ),
        Reason.REMOVAL_STALLED: _row(
            Phase.STOPPING,
            _WARNING,
            _PLATFORM,
            Waits.REPLACEMENT,
            "mirrord's operator does not remove a session",
        ),
        Reason.REMOVAL_FORBIDDEN: _row(
            Phase.STOPPING,
            _BAD,
            _PLATFORM,
            Waits.NAMESPACE,
            "previewbot may not look into the namespace of a session that should end",
        ),
        Reason.REPOSITORY_GONE: _row(
            Phase.STOPPING, _WARNING, _NOBODY, Waits.REPLACEMENT, "the repository or the installation is gone"
        ),
        Reason.PULL_REQUEST_GONE: _row(
            Phase.STOPPING,
            _WARNING,
            _NOBODY,
            Waits.REPLACEMENT,
            "GitHub does not show the pull request any more",
        ),
        Reason.TIME_UP: _row(Phase.EXPIRED, _ENDED, _REVIEWER, Waits.EVENT, "the preview's time was up"),
        Reason.BY_COMMAND: _row(
            Phase.STOPPED, _ENDED, _REVIEWER, Waits.EVENT, "somebody wrote /preview stop"
        ),
        Reason.GAVE_WAY: _row(
            Phase.STOPPED,
            _ENDED,
            _REVIEWER,
            Waits.EVENT,
            "it was asleep, and another that waited got its slot",
        ),
        Reason.MERGED: _row(Phase.STOPPED, _ENDED, _NOBODY, Waits.EVENT, "the pull request was merged"),
        Reason.CLOSED: _row(Phase.STOPPED, _ENDED, _NOBODY, Waits.EVENT, "the pull request was closed"),
        Reason.NOT_INCLUDED: _row(
            Phase.STOPPED,
            _ENDED,
            _PLATFORM,
            Waits.EVENT,
            "the settings' owners or repositories do not include this repository",
        ),
        Reason.REPOSITORY_ARCHIVED: _row(
            Phase.STOPPED, _ENDED, _NOBODY, Waits.EVENT, "the repository was archived"
        ),
        Reason.INSTALLATION_SUSPENDED: _row(
            Phase.STOPPED, _ENDED, _PLATFORM, Waits.EVENT, "the App's installation is suspended"
        ),
        Reason.UNKNOWN: _row(
            Phase.STOPPED,
            _ENDED,
            _NOBODY,
            Waits.EVENT,
            "a newer previewbot wrote it; this one does not know it",
        ),
        Reason.NO_CONFIGURATION: _row(
            _NOTHING, _ENDED, _MAINTAINER, Waits.EVENT, "the default branch has no .github/preview.yaml"
        ),
        Reason.NO_SERVICE_CHANGED: _row(
            _NOTHING, _ENDED, _NOBODY, Waits.EVENT, "no changed file belongs to a service of preview.yaml"
        ),
        Reason.NOT_TRIGGERED: _row(
            _NOTHING, _ENDED, _NOBODY, Waits.EVENT, "nothing asks for a preview: no agent, label or command"
        ),
    }
)
"""Every reason has its row (a test says so)."""

POD_PROBLEMS = tuple(_POD_ROWS)
"""What only a preview's pods tell."""

HAVE_LOGS = (Reason.CRASHING, Reason.OUT_OF_MEMORY, Reason.INIT_WAITING, Reason.PROBE_FAILING)
"""Those of them for which a container's own words tell more."""
