"""What is found of a pod, and what only its Events can say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from previewbot.api import HAVE_LOGS, ContainerPart, Reason

Object = Mapping[str, Any]

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
"""A moment that is not known, or none: runtimes write this one for a container that never started."""

_KILLED = frozenset({0, 137, 143})
"""Exit codes of a container that kubelet stopped: by SIGKILL, by SIGTERM, or one that ends well on
SIGTERM."""


@dataclass(frozen=True)
class PodFinding:
    """A problem of a pod; `previous` says that the log to read is that of the container's run before.

    `longest_run` is for how many seconds the container ran at most between two ends. `pod_uid` is whose
    Events tell more: for a pod that could not be made, the uid of what makes it. `said` is what the container
    left as its termination message, for where it left no log. `since` is when a pod without a place began to
    wait for one, where that is known.
    """

    reason: Reason
    pod: str
    pod_uid: str
    container: str = ""
    detail: str = ""
    exit_code: int = 0
    restarts: int = 0
    previous: bool = False
    part: ContainerPart = ContainerPart.APP
    longest_run: int = 0
    said: str = ""
    since: datetime = LONG_AGO

    @property
    def unexplained(self) -> bool:
        """Whether only the pod's events can say why: older kubelets write no cause while they back off.

        Nor does any say whether a container ended by itself, or its probe had it killed.
        """
        if self.detail:
            return False
        if self.reason is Reason.CRASHING:
            return self.exit_code in _KILLED
        return self.reason in (
            Reason.PULL_FAILED,
            Reason.PULL_REFUSED,
            Reason.CANNOT_START,
            Reason.UNSCHEDULABLE,
        )

    @property
    def has_log(self) -> bool:
        """Whether the container ran, and so may have left words."""
        return self.reason in HAVE_LOGS


@dataclass(frozen=True)
class Silence:
    """A pod that is not up, since when, and does not say why.

    `running`: this container runs and is not ready, which its probes decide; else it has not begun.
    `restarts`, `exit_code` and `longest_run` are those of its runs before.
    """

    pod: str
    pod_uid: str
    since: datetime
    container: str = ""
    part: ContainerPart = ContainerPart.APP
    running: bool = False
    restarts: int = 0
    exit_code: int = 0
    longest_run: int = 0


def moment(text: object) -> datetime:
    """Return the moment that Kubernetes writes so; `LONG_AGO` for what is none."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return LONG_AGO
    return found if found.tzinfo is not None else LONG_AGO
