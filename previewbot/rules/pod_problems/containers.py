"""What one container's status says: what it waits for, how it ended, and whether it has run well since."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from previewbot.api import ContainerPart, PodProblem, Reason
from previewbot.rules.pod_problems.causes import pull_cause, pull_reason, start_reason
from previewbot.rules.pod_problems.finding import LONG_AGO, Object, PodFinding, Silence, moment

SETTLED_AFTER = timedelta(seconds=60)
"""A container that ended is well again when it has run so long, and longer than between its ends before."""

INIT_PATIENCE = timedelta(seconds=30)
"""So long an init container may take before it is told what is waited for; migrations take a while."""

_PULL = (
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "ImageInspectError",
    "RegistryUnavailable",
    "SignatureValidationFailed",
)
_BEGINNING = ("", "ContainerCreating", "PodInitializing")
"""What a container waits for that has nothing to complain of. Whatever else it waits for keeps it from
starting."""

_START_ENDED = ("StartError", "ContainerCannotRun")
_CRASH_LOOP = "CrashLoopBackOff"
_OUT_OF_MEMORY = "OOMKilled"
_NO_RUN = timedelta(0)

Part = tuple[Object, ContainerPart]
"""A container's status, and which part of the pod it is."""


def parts_of(pod: Object, container: str) -> list[Part]:
    """Return the statuses of a pod's containers, the preview's own first.

    A sidecar that crashes because of that one is not the cause. An init container that goes on beside the
    others (https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/) is a sidecar.
    """
    status = pod.get("status") or {}
    init = status.get("initContainerStatuses") or []
    others = status.get("containerStatuses") or []
    specs = (pod.get("spec") or {}).get("initContainers") or []
    stays = {spec.get("name") for spec in specs if spec.get("restartPolicy") == "Always"}
    # Where the pod has no container of the name that the preview's should have, none is called a sidecar.
    known = any(each.get("name") == container for each in others)

    def part(each: Object) -> ContainerPart:
        own = each.get("name") == container or not known
        return ContainerPart.APP if own else ContainerPart.SIDECAR

    parts = [
        *(
            (each, ContainerPart.SIDECAR if each.get("name") in stays else ContainerPart.INIT)
            for each in init
        ),
        *((each, part(each)) for each in others),
    ]
    return sorted(parts, key=lambda each: each[0].get("name") != container)


def of_container(pod: Object, part: Part, now: datetime, before: PodProblem | None) -> PodFinding | None:
    """Return what is wrong with a container, by its status alone."""
    status = part[0]
    waiting = (status.get("state") or {}).get("waiting") or {}
    reason, message = waiting.get("reason") or "", waiting.get("message") or ""
    if reason in _PULL:
        return _finding(pull_reason(reason, message), pod, part, detail=pull_cause(message))
    if reason not in (*_BEGINNING, _CRASH_LOOP):
        return _finding(start_reason(message), pod, part, detail=message)
    return _of_end(pod, part, now, before) or _of_init(pod, part, now)


def of_last_end(pod: Object, part: Part) -> PodFinding | None:
    """Return how a container ended that will not be started again, if it did not end well."""
    status = part[0]
    ends = _ends(status)
    if not ends or (part[1] is ContainerPart.INIT and not ends[0].get("exitCode")):
        return None
    reason = Reason.OUT_OF_MEMORY if ends[0].get("reason") == _OUT_OF_MEMORY else Reason.CRASHING
    finding = _finding(reason, pod, part)
    here = "terminated" in (status.get("state") or {})
    said, code = str(ends[0].get("message") or ""), int(ends[0].get("exitCode") or 0)
    return replace(finding, exit_code=code, previous=not here, said=said)


def silence_of(pod: Object, part: Part) -> Silence | None:
    """Return that a container runs and is not ready: its probes decide that, and no readiness gate.

    So a session's pod that is never Ready has containers that are.
    """
    status = part[0]
    started = ((status.get("state") or {}).get("running") or {}).get("startedAt")
    if part[1] is ContainerPart.INIT or not started or status.get("ready") is not False:
        return None
    metadata, ends = pod["metadata"], _ends(status)
    return Silence(
        metadata["name"],
        metadata["uid"],
        moment(started),
        status["name"],
        part[1],
        running=True,
        restarts=int(status.get("restartCount") or 0),
        exit_code=int(ends[0].get("exitCode") or 0) if ends else 0,
        longest_run=_seconds(_last_run(status)),
    )


def has_begun(status: Object) -> bool:
    """Return whether a container has run."""
    state = status.get("state") or {}
    return bool(state.get("running") or _ends(status))


def _of_init(pod: Object, part: Part, now: datetime) -> PodFinding | None:
    """Return that an init container keeps all others waiting: it runs, and nothing says for how long."""
    started = ((part[0].get("state") or {}).get("running") or {}).get("startedAt")
    if part[1] is not ContainerPart.INIT or not started or now - moment(started) < INIT_PATIENCE:
        return None
    conditions = (pod.get("status") or {}).get("conditions") or []
    said = next((c.get("message") for c in conditions if c.get("type") == "Initialized"), "")
    return _finding(Reason.INIT_WAITING, pod, part, detail=str(said or ""))


def _of_end(pod: Object, part: Part, now: datetime, before: PodProblem | None) -> PodFinding | None:
    """Return what the container's last end says, unless it has run well since."""
    status, state = part[0], part[0].get("state") or {}
    ended = next(iter(_ends(status)), None)
    here = state.get("terminated")
    # An init container that ended with 0 has done its work. For any other container of a session even an end
    # with 0 is one that nobody wanted.
    if not ended or (part[1] is ContainerPart.INIT and here and not here.get("exitCode")):
        return None
    longest = _longest_run(status, before)
    if _is_settled(state, now, longest):
        return None
    reason = _reason_of_end(status, state, ended)
    if reason is None:
        return None
    # What a container that ran leaves as its message are its own words, and no cause in Kubernetes'.
    said = str(ended.get("message") or "")
    detail = said if ended.get("reason") in _START_ENDED else ""
    # If the container waits or runs again, the words are in the log of the run before (`kubectl logs
    # --previous`).
    finding = _finding(reason, pod, part, detail=detail)
    code = int(ended.get("exitCode") or 0)
    run = _seconds(longest)
    return replace(finding, exit_code=code, previous=here is None, longest_run=run, said=said)


def _ends(status: Object) -> list[Object]:
    """Return the ends that a container's status tells of, the last one first."""
    ends = (status.get(state) or {} for state in ("state", "lastState"))
    return [end["terminated"] for end in ends if end.get("terminated")]


def _reason_of_end(status: Object, state: Object, ended: Object) -> Reason | None:
    if ended.get("reason") == _OUT_OF_MEMORY:
        return Reason.OUT_OF_MEMORY
    if ended.get("reason") in _START_ENDED:
        return start_reason(str(ended.get("message") or ""))
    # The first crash is followed by a restart at once, and often that is all.
    enough = 2 if "running" in state else 1
    looping = (state.get("waiting") or {}).get("reason") == _CRASH_LOOP
    crashes = looping or int(status.get("restartCount") or 0) >= enough
    return Reason.CRASHING if crashes else None


def _is_settled(state: Object, now: datetime, longest: timedelta) -> bool:
    """Return whether a container has run for longer than it ever did between two ends.

    With a margin: what kills it again and again (a probe, a limit) is not punctual, and a run that is a
    second longer than the last is no recovery.
    """
    started = (state.get("running") or {}).get("startedAt")
    enough = max(SETTLED_AFTER, longest + min(longest, SETTLED_AFTER))
    return bool(started) and now - moment(started) >= enough


def _longest_run(status: Object, before: PodProblem | None) -> timedelta:
    """Return for how long the container ran at most between two ends, as far as that is known."""
    same = before is not None and before.container == status.get("name")
    known = timedelta(seconds=before.longest_run) if before is not None and same else _NO_RUN
    return max(known, _last_run(status))


def _last_run(status: Object) -> timedelta:
    """Return for how long a container ran between its last end and the one before; none where there is no
    other.

    How long it ran before its first end says nothing: it may have been hours.
    """
    restarts, state = int(status.get("restartCount") or 0), status.get("state") or {}
    ends_before = restarts - 1 if state.get("running") else restarts
    ended = next(iter(_ends(status)), None)
    if ended is None or ends_before < 1:
        return _NO_RUN
    started, finished = moment(ended.get("startedAt")), moment(ended.get("finishedAt"))
    return max(_NO_RUN, finished - started) if started > LONG_AGO else _NO_RUN


def _seconds(run: timedelta) -> int:
    return int(run.total_seconds())


def _finding(reason: Reason, pod: Object, part: Part, *, detail: str = "") -> PodFinding:
    metadata, status = pod["metadata"], part[0]
    return PodFinding(
        reason,
        metadata["name"],
        metadata["uid"],
        status["name"],
        detail,
        restarts=int(status.get("restartCount") or 0),
        part=part[1],
    )
