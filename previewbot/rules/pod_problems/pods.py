"""Which of a session's pods counts, and what it shows as a whole: no place, turned away, silent."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from previewbot.api import PodProblem, Reason
from previewbot.rules.pod_problems.containers import (
    has_begun,
    of_container,
    of_last_end,
    parts_of,
    silence_of,
)
from previewbot.rules.pod_problems.finding import LONG_AGO, Object, PodFinding, Silence, moment

QUIET_FOR = timedelta(seconds=20)
"""So long a pod that is not up may say nothing before its events are asked, and a session may have none."""

_OVER = ("Failed", "Succeeded")
_REPLACED_WITHIN = timedelta(seconds=5)
"""A pod that failed has a successor in a moment; only where there is none, or that fails too, it is told."""

_IN_A_LOOP = timedelta(minutes=10)
"""Of pods that failed before, so far back they make a loop with the newest."""

# What became of the thought of putting other pods out, after why each node does not take this one.
_PREEMPTION_RE = re.compile(r"[.,]? (?:no new claims to deallocate, )?preemption: .*", re.DOTALL)
# https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/: by its own limit, or the
# node's.
_OWN_LIMIT_RE = re.compile(r"(?i)exceed\w* (?:the total limit|its local ephemeral storage limit|the limit)")


def find_problem(
    pods: Sequence[Object], now: datetime, container: str = "", before: PodProblem | None = None
) -> PodFinding | None:
    """Return what is wrong with a session's newest pod; of several problems, that of `container`.

    `before` is what was told of it last, which knows for how long it ran between two ends.
    """
    alive, failed = newest_pod(pods), _failed(pods)
    if alive is None:
        return _turned_away(failed, now)
    parts = parts_of(alive, container)
    found = (of_container(alive, part, now, before) for part in parts)
    problem = next((finding for finding in found if finding), None) or _without_place(alive, now)
    if problem is not None or any(has_begun(part[0]) for part in parts):
        return problem
    # Its predecessors were turned away, and it has not come further than they.
    return _turned_away([pod for pod in failed if now - _failed_at(pod) < _IN_A_LOOP], now, loop=2)


def find_silence(pods: Sequence[Object], container: str = "") -> Silence | None:
    """Return that a session's newest pod is not up and does not say why; None where it is, or has failed."""
    pod = newest_pod(pods)
    if pod is None:
        return None
    parts = parts_of(pod, container)
    unready = next((silence for part in parts if (silence := silence_of(pod, part))), None)
    if unready is not None or any("running" in (part[0].get("state") or {}) for part in parts):
        return unready
    metadata = pod["metadata"]
    return Silence(metadata["name"], metadata["uid"], _scheduled_at(pod))


def find_last_end(pods: Sequence[Object], container: str = "") -> PodFinding | None:
    """Return how the newest pod of a session ended that mirrord calls failed, also if it ended only once."""
    newest = max(pods, key=_age, default=None)
    if newest is None:
        return None
    ends = (of_last_end(newest, part) for part in parts_of(newest, container))
    return next((end for end in ends if end), None)


def has_pod(pods: Sequence[Object]) -> bool:
    """Return whether a session has a pod that runs or may come to run."""
    return newest_pod(pods) is not None


def is_noteworthy(pod: Object, now: datetime) -> bool:
    """Return whether a pass should know of a pod: it has a problem, failed, or is not up yet."""
    return bool(_failed([pod]) or find_problem([pod], now) or find_silence([pod]))


def newest_pod(pods: Sequence[Object]) -> Object | None:
    """Return the newest pod that is neither over nor being deleted: each of those has a successor."""
    # While a pod is replaced there are two for a moment; the older one's problem is over.
    alive = (pod for pod in pods if not _is_over(pod) and "deletionTimestamp" not in pod["metadata"])
    return max(alive, key=_age, default=None)


def _is_over(pod: Object) -> bool:
    return (pod.get("status") or {}).get("phase") in _OVER


def _failed(pods: Sequence[Object]) -> list[Object]:
    """Return the pods that failed as a whole, newest first: a node turned them away, or put them out."""
    failed = [
        pod
        for pod in pods
        if (pod.get("status") or {}).get("phase") == "Failed" and "deletionTimestamp" not in pod["metadata"]
    ]
    return sorted(failed, key=_age, reverse=True)


def _age(pod: Object) -> str:
    return str(pod["metadata"].get("creationTimestamp", ""))


def _failed_at(pod: Object) -> datetime:
    """Return when a pod failed; Kubernetes notes it only where something else changed with it."""
    status = pod.get("status") or {}
    statuses = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    ends = [((each.get("state") or {}).get("terminated") or {}).get("finishedAt") for each in statuses]
    changes = [condition.get("lastTransitionTime") for condition in status.get("conditions") or []]
    times = [*ends, *changes, status.get("startTime"), pod["metadata"].get("creationTimestamp")]
    return max(moment(time) for time in times)


def _turned_away(failed: Sequence[Object], now: datetime, *, loop: int = 1) -> PodFinding | None:
    """Return why nodes turn away or put out one pod after the other; `loop` pods make one."""
    if len(failed) < loop or (len(failed) == 1 and not _has_no_successor(failed[0], now)):
        return None
    metadata, status = failed[0]["metadata"], failed[0].get("status") or {}
    reason, message = str(status.get("reason") or ""), str(status.get("message") or "")
    detail = message if reason in message else ": ".join(filter(None, (reason, message)))
    own = Reason.OUT_OF_DISK if _OWN_LIMIT_RE.search(message) else Reason.TURNED_AWAY
    return PodFinding(own, metadata["name"], metadata["uid"], detail=detail)


def _has_no_successor(pod: Object, now: datetime) -> bool:
    """Return whether a pod failed so long ago that its successor would be there."""
    failed_at = _failed_at(pod)
    return failed_at > LONG_AGO and now - failed_at >= _REPLACED_WITHIN


def _without_place(pod: Object, now: datetime) -> PodFinding | None:
    """Return why a pod has no node: by the scheduler, or since something else holds it back."""
    scheduled, metadata = _condition(pod, "PodScheduled"), pod["metadata"]
    if scheduled.get("status") != "False" or not scheduled.get("reason"):
        return None
    since = moment(scheduled.get("lastTransitionTime") or metadata.get("creationTimestamp"))
    detail = _PREEMPTION_RE.sub(".", str(scheduled.get("message") or ""))
    if scheduled.get("reason") != "SchedulingGated":
        # A pod with a higher priority took its place:
        # https://kubernetes.io/docs/concepts/workloads/pods/disruptions/
        taken = _condition(pod, "DisruptionTarget")
        why = str(taken.get("message") or "") if taken.get("status") == "True" else ""
        detail = "; ".join(filter(None, (detail, why)))
        name, uid = metadata["name"], metadata["uid"]
        return PodFinding(Reason.UNSCHEDULABLE, name, uid, detail=detail, since=since)
    if since == LONG_AGO or now - since < QUIET_FOR:
        return None
    # https://kubernetes.io/docs/concepts/scheduling-eviction/pod-scheduling-readiness/
    gates = [str(gate.get("name")) for gate in (pod.get("spec") or {}).get("schedulingGates") or []]
    detail = ": ".join(filter(None, (detail or "scheduling is blocked", ", ".join(gates))))
    return PodFinding(Reason.SCHEDULING_GATED, metadata["name"], metadata["uid"], detail=detail)


def _scheduled_at(pod: Object) -> datetime:
    """Return since when a pod could have begun: since it has a node, else since it was made."""
    scheduled = _condition(pod, "PodScheduled")
    since = scheduled.get("lastTransitionTime") if scheduled.get("status") == "True" else None
    return moment(since or pod["metadata"].get("creationTimestamp"))


def _condition(pod: Object, kind: str) -> Object:
    conditions = (pod.get("status") or {}).get("conditions") or []
    return next((condition for condition in conditions if condition.get("type") == kind), {})
