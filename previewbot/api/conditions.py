"""The conditions of a Preview, which Kubernetes' own tools read and wait for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from previewbot.api.value import Value


class ConditionType(StrEnum):
    """The conditions of a Preview. `Ready` says whether there is something to look at, though it be a
    part."""

    IMAGE_READY = "ImageReady"
    SESSIONS_READY = "SessionsReady"
    LINK_READY = "LinkReady"
    REPORTED = "Reported"
    READY = "Ready"


@dataclass(frozen=True)
class Condition(Value):
    """A condition after Kubernetes' conventions.

    https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md
    """

    type: str
    status: str
    reason: str
    message: str = ""
    observed_generation: int = 0
    last_transition_time: datetime | None = None
