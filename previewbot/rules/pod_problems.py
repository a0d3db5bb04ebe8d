"""What is wrong with a preview's pods, from what Kubernetes shows of them. Pure.

A session does not tell: its pods are never Ready by design, and once Ready it stays Ready.
https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/ has the states and reasons.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from previewbot.api import PodProblem, Reason
from previewbot.rules.masking import one_line

Object = Mapping[str, Any]

SETTLED_AFTER = timedelta(seconds=60)
"""A container that crashed is well again when it has run so long: between crashes it runs a little too."""

_PULL = (
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "ImageInspectError",
    "RegistryUnavailable",
    "SignatureValidationFailed",
)
_START = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError")
_START_ENDED = ("StartError", "ContainerCannotRun")
_CRASH_LOOP = "CrashLoopBackOff"
_OUT_OF_MEMORY = "OOMKilled"
_OVER = ("Failed", "Succeeded")
_BACK_OFF_RE = re.compile(r'^Back-off pulling image "[^"]*"(?:: )?(?:ErrImagePull: )?')
_RPC_RE = re.compile(r"^(?:rpc error: code = \w+ desc = )+")
_PULL_EVENT_RE = re.compile(r'^Failed to pull image "[^"]*": ')


@dataclass(frozen=True)
class PodFinding:
    """A problem of a pod; `previous` says that the log to read is that of the container's run before."""

    reason: Reason
    pod: str
    pod_uid: str
    container: str = ""
    detail: str = ""
    exit_code: int = 0
    restarts: int = 0
    previous: bool = False

    @property
    def unexplained(self) -> bool:
        """Whether only the pod's events can say why: older kubelets write no cause while they back off."""
        return self.reason in (Reason.PULL_FAILED, Reason.UNSCHEDULABLE) and not self.detail

    @property
    def has_log(self) -> bool:
        """Whether the container ran, and so may have left words."""
        return self.reason in (Reason.CRASHING, Reason.OUT_OF_MEMORY)


def find_problem(pods: Sequence[Object], now: datetime, container: str = "") -> PodFinding | None:
    """Return what is wrong with a session's newest pod; of several problems, that of `container`."""
    alive = [pod for pod in pods if _counts(pod)]
    if not alive:
        return None
    # While a pod is replaced there are two for a moment; the older one's problem is over.
    pod = max(alive, key=lambda pod: str(pod["metadata"].get("creationTimestamp", "")))
    status = pod.get("status") or {}
    statuses = [
        *((each, True) for each in status.get("initContainerStatuses") or []),
        *((each, False) for each in status.get("containerStatuses") or []),
    ]
    # The preview's own container first: a sidecar that crashes because of it is not the cause.
    statuses.sort(key=lambda each: each[0].get("name") != container)
    found = (_of_container(pod, each, init, now) for each, init in statuses)
    return next((finding for finding in found if finding), None) or _scheduling_problem(pod)


def cause_from_events(finding: PodFinding, events: Sequence[Object]) -> str:
    """Return why, as the newest event about it says; empty if none does."""
    event_reason = "Failed" if finding.reason is Reason.PULL_FAILED else "FailedScheduling"
    for event in sorted(events, key=_moment_of, reverse=True):
        message = str(event.get("message") or "")
        if event.get("reason") != event_reason:
            continue
        if finding.reason is Reason.UNSCHEDULABLE:
            return message
        if _PULL_EVENT_RE.match(message):
            return _RPC_RE.sub("", _PULL_EVENT_RE.sub("", message))
    return ""


def merge_problem(finding: PodFinding, before: PodProblem | None, now: datetime) -> PodProblem:
    """Return the problem to store; the same problem keeps its words, lest each crash edit the comment."""
    # The number of restarts goes on, the words stay: else a crash loop would edit the comment every few
    # minutes.
    if before is not None and (before.reason, before.container) == (finding.reason, finding.container):
        return replace(before, restarts=finding.restarts, detail=before.detail or one_line(finding.detail))
    return PodProblem(
        reason=finding.reason,
        container=finding.container,
        detail=one_line(finding.detail),
        exit_code=finding.exit_code,
        restarts=finding.restarts,
        since=now,
    )


def _counts(pod: Object) -> bool:
    """A pod that is being deleted, or was evicted, has a successor."""
    return "deletionTimestamp" not in pod["metadata"] and (pod.get("status") or {}).get("phase") not in _OVER


def _of_container(pod: Object, status: Object, init: bool, now: datetime) -> PodFinding | None:
    state = status.get("state") or {}
    waiting = state.get("waiting") or {}
    reason, message = waiting.get("reason") or "", waiting.get("message") or ""
    if reason in _PULL:
        cause = _RPC_RE.sub("", _BACK_OFF_RE.sub("", message))
        return _finding(Reason.PULL_FAILED, pod, status, detail=cause)
    if reason in _START:
        return _finding(Reason.CANNOT_START, pod, status, detail=message)
    return _of_end(pod, status, init, now)


def _of_end(pod: Object, status: Object, init: bool, now: datetime) -> PodFinding | None:
    """Return what the container's last end says, unless it has run well since."""
    state = status.get("state") or {}
    here = state.get("terminated")
    ended = here or (status.get("lastState") or {}).get("terminated")
    # An init container that ended with 0 has done its work. For any other container of a session even an end
    # with 0 is one that nobody wanted.
    if not ended or _runs_long_enough(state, now) or (init and here and not here.get("exitCode")):
        return None
    reason = _reason_of_end(status, state, ended)
    if reason is None:
        return None
    detail = str(ended.get("message") or "") if reason is Reason.CANNOT_START else ""
    # If the container waits or runs again, the words are in the log of the run before (`kubectl logs
    # --previous`).
    finding = _finding(reason, pod, status, detail=detail)
    return replace(finding, exit_code=int(ended.get("exitCode") or 0), previous=here is None)


def _reason_of_end(status: Object, state: Object, ended: Object) -> Reason | None:
    if ended.get("reason") == _OUT_OF_MEMORY:
        return Reason.OUT_OF_MEMORY
    if ended.get("reason") in _START_ENDED:
        return Reason.CANNOT_START
    # The first crash is followed by a restart at once, and often that is all.
    enough = 2 if "running" in state else 1
    looping = (state.get("waiting") or {}).get("reason") == _CRASH_LOOP
    crashes = looping or int(status.get("restartCount") or 0) >= enough
    return Reason.CRASHING if crashes else None


def _runs_long_enough(state: Object, now: datetime) -> bool:
    started = (state.get("running") or {}).get("startedAt")
    return bool(started) and now - datetime.fromisoformat(str(started)) >= SETTLED_AFTER


def _scheduling_problem(pod: Object) -> PodFinding | None:
    for condition in (pod.get("status") or {}).get("conditions") or []:
        if condition.get("type") != "PodScheduled" or condition.get("status") != "False":
            continue
        if condition.get("reason") == "Unschedulable":
            metadata = pod["metadata"]
            detail = str(condition.get("message") or "")
            return PodFinding(Reason.UNSCHEDULABLE, metadata["name"], metadata["uid"], detail=detail)
    return None


def _finding(reason: Reason, pod: Object, status: Object, *, detail: str = "") -> PodFinding:
    metadata = pod["metadata"]
    restarts = int(status.get("restartCount") or 0)
    return PodFinding(reason, metadata["name"], metadata["uid"], status["name"], detail, restarts=restarts)


def _moment_of(event: Object) -> str:
    metadata = event.get("metadata") or {}
    return str(
        event.get("lastTimestamp") or event.get("eventTime") or metadata.get("creationTimestamp") or ""
    )
