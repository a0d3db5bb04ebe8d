"""The words of the table of reasons: where a preview stands, how bad that is, whose turn it is, what is
awaited."""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """Where a preview, or one service of it, stands."""

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

    @property
    def runs(self) -> bool:
        """Whether a reviewer can look at something now."""
        return self in (Phase.READY, Phase.IDLE)


class Severity(StrEnum):
    """How bad a reason is; the page's colour and the type of the Event follow it."""

    GOOD = "good"
    PROGRESS = "busy"
    ENDED = "quiet"
    WARNING = "warn"
    BAD = "bad"

    @property
    def is_warning(self) -> bool:
        """Whether Kubernetes calls an Event about it a Warning."""
        return self in (Severity.WARNING, Severity.BAD)


class Turn(StrEnum):
    """Who can do something about it."""

    NOBODY = "nobody: it goes on by itself"
    AUTHOR = "the author of the change"
    MAINTAINER = "whoever maintains the repository"
    """Of what the configuration says: an author, an agent for one, may not be able to change that."""
    REVIEWER = "a reviewer with write access"
    PLATFORM_TEAM = "the platform team"


class Waits(StrEnum):
    """What the next look waits for, where no event tells of it; `plan.requeue` has the seconds."""

    EVENT = "an event"
    IMAGE = "the image"
    SLOT = "a free slot"
    TARGET = "the target"
    CONFIGURATION = "the configuration"
    DEPLOYMENT = "the deployment"
    REPLACEMENT = "the removal of what is replaced"
    POD = "the pod's recovery"
    GATEWAY = "the Gateway"
    OPERATOR = "mirrord's operator"
    LINK = "the link"
    NAMESPACE = "the right to look"
