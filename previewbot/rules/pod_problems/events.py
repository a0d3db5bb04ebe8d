"""What Events say of a pod that does not say it itself.

Two kinds of components write them in two shapes (https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/):
with `lastTimestamp`, or with `eventTime` and a `series`. Either way the newest counts, and what Kubernetes
repeats is told in the words in which it was told before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from previewbot.api import PodProblem, Reason
from previewbot.rules.masking import one_line
from previewbot.rules.pod_problems.alike import alike
from previewbot.rules.pod_problems.causes import pull_cause, pull_reason, sandbox_reason, start_reason
from previewbot.rules.pod_problems.finding import LONG_AGO, Object, PodFinding, Silence, moment

_STILL_SAID = timedelta(minutes=6)
"""So old an event may be and still be what Kubernetes says: what it repeats it writes down every five minutes
at the latest (https://github.com/kubernetes/client-go/blob/master/tools/record/events_cache.go)."""

_VOLUMES = ("FailedMount", "FailedAttachVolume", "FailedMapVolume")
_SANDBOX, _NETWORK = ("FailedCreatePodSandBox", "FailedPodSandBoxStatus"), "NetworkNotReady"
_COMBINED = "(combined from similar events): "
"""Before the words of an event that stands for many, each with another port or id in it
(https://github.com/kubernetes/client-go/blob/master/tools/record/events_cache.go)."""

_PULL_SAYS, _ERROR_SAYS = "Failed to pull image ", "Error: "
_NODE_COMES, _NO_NODE_COMES = ("TriggeredScaleUp", "Nominated"), "NotTriggerScaleUp"
_NODE_COMES_AFTER = timedelta(seconds=10)
_NODE_COMES_WITHIN = timedelta(minutes=10)
"""What the autoscalers say of a pod without a place, and how long it is believed:
https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md, https://karpenter.sh."""

_PROBES = ("Liveness probe", "Startup probe", "Readiness probe")
_FATAL_PROBES = _PROBES[:2]
_GOES_ON = ("Pulling", "Pulled", "Created", "Started")
"""Events after which what was warned of before is over: the volumes are there, and the network is."""

_HARMLESS = (
    "BackOff",
    "Unhealthy",
    "ProbeWarning",
    "DNSConfigForming",
    "FailedToRetrieveImagePullSecret",
    "CheckLimitsForResolvConf",
    "PolicyViolation",
    "InvalidDiskCapacity",
    "MissingClusterDNS",
    "NodeNotReady",
    "TaintManagerEviction",
)
"""Warnings with which pods come up all the same, or that say less than another does."""


@dataclass(frozen=True)
class _Said:
    """What an event says, and when it said so last."""

    at: datetime
    finding: PodFinding


def cause_from_events(finding: PodFinding, events: Sequence[Object]) -> str:
    """Return why, as the newest event about it says; empty if none does."""
    causes = (_cause(finding, event) for event in newest_first(events))
    return next((cause for cause in causes if cause), "")


def _cause(finding: PodFinding, event: Object) -> str:
    """Return what one event says of the cause of a finding, if anything."""
    reason, message = event.get("reason"), said_by(event)
    if finding.reason is Reason.CRASHING:
        kills = reason == "Unhealthy" and message.startswith(_FATAL_PROBES)
        return message if kills and _concerns(event, finding.container) else ""
    if finding.reason is Reason.UNSCHEDULABLE:
        return message if reason == "FailedScheduling" else ""
    if reason != "Failed":
        return ""
    if finding.reason is Reason.CANNOT_START:
        # `Error: CreateContainerConfigError` says no more than the pod does.
        said = message.removeprefix(_ERROR_SAYS)
        return said if said != message and " " in said else ""
    return _cause_of_pull(message) if message.startswith(_PULL_SAYS) else ""


def with_cause(finding: PodFinding, events: Sequence[Object]) -> PodFinding:
    """Return a finding with the cause that events have for it, and whose that is."""
    cause = cause_from_events(finding, events)
    if not cause:
        return finding
    reason = finding.reason
    if reason in (Reason.PULL_FAILED, Reason.PULL_REFUSED):
        reason = pull_reason("", cause)
    elif reason is Reason.CANNOT_START:
        reason = start_reason(cause)
    return replace(finding, reason=reason, detail=cause)


def explain(
    silence: Silence, events: Sequence[Object], before: PodProblem | None, now: datetime
) -> PodFinding | None:
    """Return why a pod is not up, as the newest event about it says; None if none does.

    As long as Kubernetes still says what was told `before`, that stays: of several volumes it says now one
    and now the other.
    """
    said = list(_of_running(silence, events) if silence.running else _of_beginning(silence, events))
    newest = next(iter(said), None)
    if newest is None:
        return None
    told = before.detail if before is not None else ""
    still = (each.finding for each in said if now - each.at < _STILL_SAID)
    same = (each for each in still if told and alike(one_line(each.detail), told))
    return next(same, newest.finding)


def may_have_a_node_coming(finding: PodFinding, now: datetime) -> bool:
    """Return whether an autoscaler may have said something of a pod by now: each takes some seconds."""
    waits = finding.reason is Reason.UNSCHEDULABLE and finding.since > LONG_AGO
    return waits and now - finding.since >= _NODE_COMES_AFTER


def with_a_node_coming(finding: PodFinding, events: Sequence[Object], now: datetime) -> PodFinding:
    """Return a finding of a pod without a place as one that waits, if a node is being added for it.

    In a cluster that grows as it needs that is how every pod begins for which there is no room.
    """
    for event in newest_first(events):
        if event.get("reason") == _NO_NODE_COMES:
            return finding
        if event.get("reason") in _NODE_COMES and now - seen_at(event) < _NODE_COMES_WITHIN:
            return replace(finding, reason=Reason.WAITING_FOR_NODE, detail=said_by(event))
    return finding


def newest_first(events: Sequence[Object]) -> list[Object]:
    """Return events by when they were seen last.

    Most have whole seconds. Of those of one second the last listed is the newest: their names, by which they
    are listed, end with the moment at which each was made.
    """
    return sorted(reversed(events), key=seen_at, reverse=True)


def said_by(event: Object) -> str:
    """Return the words of an event, without those that Kubernetes puts before many that are alike."""
    return str(event.get("message") or "").removeprefix(_COMBINED)


def seen_at(event: Object) -> datetime:
    """Return when an event was seen last, whichever shape it has."""
    metadata, series = event.get("metadata") or {}, event.get("series") or {}
    last = series.get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime")
    return moment(last or event.get("firstTimestamp") or metadata.get("creationTimestamp"))


def _of_running(silence: Silence, events: Sequence[Object]) -> Iterator[_Said]:
    """Say which probe fails in the container's present run; one that had it killed before makes it crash."""
    fatal = silence.restarts >= 2
    found = []
    for event in newest_first(events):
        message, at = said_by(event), seen_at(event)
        ours = event.get("reason") == "Unhealthy" and _concerns(event, silence.container)
        # Times of events have whole seconds.
        if not ours or not message.startswith(_PROBES) or at + timedelta(seconds=1) < silence.since:
            continue
        kills = fatal and message.startswith(_FATAL_PROBES)
        finding = replace(
            _finding(Reason.CRASHING if kills else Reason.PROBE_FAILING, silence, message),
            exit_code=silence.exit_code if kills else 0,
            restarts=silence.restarts,
            longest_run=silence.longest_run if kills else 0,
            previous=kills,
        )
        found.append((not kills, _Said(at, finding)))
    # By what it comes to: a container whose liveness probe fails is not ready either.
    yield from (said for _, said in sorted(found, key=lambda each: each[0]))


def _of_beginning(silence: Silence, events: Sequence[Object]) -> Iterator[_Said]:
    """Say why a pod does not begin; what was warned of before it went on is over."""
    for event in newest_first(events):
        if event.get("reason") in _GOES_ON:
            return
        finding = _warning(silence, event)
        if finding is not None:
            yield _Said(seen_at(event), finding)


def _warning(silence: Silence, event: Object) -> PodFinding | None:
    reason, message = str(event.get("reason") or ""), said_by(event)
    if reason in _VOLUMES:
        return _finding(Reason.VOLUME_UNAVAILABLE, silence, message)
    if reason == _NETWORK or reason in _SANDBOX:
        why = Reason.NO_NETWORK if reason == _NETWORK else sandbox_reason(message)
        return _finding(why, silence, message)
    if reason == "FailedScheduling":
        return _finding(Reason.UNSCHEDULABLE, silence, message)
    if reason == "Failed" and message.startswith(_PULL_SAYS):
        cause = _cause_of_pull(message)
        return _finding(pull_reason("", cause), silence, cause)
    if event.get("type") != "Warning" or reason in _HARMLESS:
        return None
    return _finding(Reason.NOT_STARTING, silence, f"{reason}: {message}".removesuffix(": "))


def _cause_of_pull(message: str) -> str:
    """Return why, without the image's name that stands first: it is in what follows, or plain from the
    table."""
    rest = message.removeprefix(_PULL_SAYS)
    image, _, cause = rest.removeprefix('"').partition('": ') if rest.startswith('"') else ("", "", rest)
    return pull_cause(cause or image)


def _concerns(event: Object, container: str) -> bool:
    """Return whether an event is about a container; where it does not say of which, it is."""
    field = str((event.get("involvedObject") or {}).get("fieldPath") or "")
    return not field or not container or "{" + container + "}" in field


def _finding(reason: Reason, silence: Silence, detail: str) -> PodFinding:
    return PodFinding(reason, silence.pod, silence.pod_uid, silence.container, detail, part=silence.part)
