"""What is wrong with the pods of sessions: the rules' findings, with their causes and last words.

Logs are read once per problem, events where a pod is silent, and what makes the pods where there is none: at
once, and then more and more seldom.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from previewbot.api import ChildState, PodProblem, Preview, Reason, Service
from previewbot.engine.mirrord import REPLICA_SETS, pods_selector
from previewbot.errors import RemoteError
from previewbot.reconciler.context import Context
from previewbot.reconciler.observation import Found
from previewbot.rules import pod_problems as rules
from previewbot.rules.masking import excerpt
from previewbot.rules.pod_problems import PodFinding, Silence

log = logging.getLogger(__name__)

_SOONEST, _LATEST = 10.0, 300.0
"""Seconds until a pod is looked at again that is not up: soon while that is new, and then seldom."""

_UP = (ChildState.CREATING, ChildState.READY)
"""The states in which a session should have a pod; one that sleeps has none, unless it wakes."""


def _has_pods(child: Found) -> bool:
    """Return whether a session should have pods by now."""
    return child.answered and (child.state in _UP or child.reason is Reason.WAKING)


@dataclass(frozen=True)
class _Session:
    """A session whose pods are looked at, with its service and what was told of them last."""

    context: Context
    preview: Preview
    service: Service
    child: Found

    @property
    def pods(self) -> Sequence[Mapping[str, Any]]:
        """Its pods, as a watch last told."""
        return self.context.pods(self.child.namespace, self.child.uid)

    @property
    def before(self) -> PodProblem | None:
        """What was told last."""
        return self.service.pod_problem

    @property
    def silence(self) -> Silence | None:
        """That its pod is not up and does not say why."""
        return rules.find_silence(self.pods, self.service.container)

    def finds(self) -> PodFinding | None:
        """Return what its pods show by themselves."""
        return rules.find_problem(self.pods, self.context.now(), self.service.container, self.before)

    def is_due(self, uid: str, what: str) -> bool:
        """Return whether Kubernetes may be asked this about an object now."""
        return self.context.memory.pod_questions.is_due(uid, what, self.context.now())


async def pod_problems(
    context: Context, preview: Preview, services: Sequence[Service], found: Sequence[Found]
) -> dict[str, PodProblem]:
    """Return what is wrong with the pods of these services' children, by the uid of the child."""
    problems = {}
    for session in _sessions(context, preview, services, found):
        problem = await _problem(session)
        if problem is not None:
            problems[session.child.uid] = problem
    return problems


def look_again_in(
    context: Context, preview: Preview, services: Sequence[Service], found: Sequence[Found]
) -> float | None:
    """Return in how many seconds to look at these pods again, since no watch tells that one is still not
    up."""
    times = [_again(session) for session in _sessions(context, preview, services, found)]
    return min((seconds for seconds in times if seconds is not None), default=None)


def _sessions(
    context: Context, preview: Preview, services: Sequence[Service], found: Sequence[Found]
) -> list[_Session]:
    recorded = {child.uid: child.service for child in preview.status.children if child.uid}
    by_name = {service.name: service for service in services}
    sessions = []
    for child in found:
        # A service may have been renamed since: the label is that of the day when the child was made.
        service = by_name.get(recorded.get(child.uid, child.service))
        if service is not None and child.owner_uid == preview.uid and not child.deleting_since:
            sessions.append(_Session(context, preview, service, child))
    return sessions


def _again(session: _Session) -> float | None:
    if not _has_pods(session.child) or session.finds() is not None:
        # What shows is told, and its own reason says when to look again.
        return None
    now = session.context.now()
    if not rules.has_pod(session.pods):
        since = _podless_since(session, now)
        if session.child.state is ChildState.READY and now - since >= rules.QUIET_FOR:
            # It was asked about. Where no pod is wanted, and mirrord calls it ready, there is nothing to wait
            # for.
            return None
    elif session.silence is not None:
        since = session.silence.since
    else:
        return None
    return min(_LATEST, max(_SOONEST, (now - since).total_seconds() / 2))


async def _problem(session: _Session) -> PodProblem | None:
    if session.child.state is ChildState.FAILED:
        return await _last_words(session)
    if rules.has_pod(session.pods):
        session.context.memory.pod_questions.has_pod(session.child.uid)
    try:
        finding = await _with_a_node_coming(session, session.finds()) or await _asked(session)
    except RemoteError as error:
        _cannot_read(session, error)
        return session.before if _may_stand(session) else None
    if finding is None:
        return None
    return await _told(session, finding)


async def _with_a_node_coming(session: _Session, finding: PodFinding | None) -> PodFinding | None:
    """Return a finding, and of one without a place whether the cluster is adding a node for it."""
    if finding is None or not rules.may_have_a_node_coming(finding, session.context.now()):
        return finding
    if not session.is_due(finding.pod_uid, "whether a node comes"):
        waits = session.before is not None and session.before.reason is Reason.WAITING_FOR_NODE
        return replace(finding, reason=Reason.WAITING_FOR_NODE) if waits else finding
    try:
        events = await session.context.kube.pod_events(session.child.namespace, finding.pod_uid)
    except RemoteError as error:
        _cannot_read(session, error, finding.pod)
        return finding
    return rules.with_a_node_coming(finding, events, session.context.now())


async def _asked(session: _Session) -> PodFinding | None:
    """Return what Kubernetes says of a pod that says nothing, or of a session that has none."""
    now, silence = session.context.now(), session.silence
    if not rules.has_pod(session.pods):
        return await _refused(session, now)
    if silence is None or now - silence.since < rules.QUIET_FOR:
        return None
    if not session.is_due(silence.pod_uid, "why it is not up"):
        return _as_before(session)
    events = await session.context.kube.pod_events(session.child.namespace, silence.pod_uid)
    return rules.explain(silence, events, session.before, now)


async def _refused(session: _Session, now: datetime) -> PodFinding | None:
    """Return why a session has no pod, from what should make it; None where none is wanted."""
    child = session.child
    if not _has_pods(child):
        return None
    if now - _podless_since(session, now) < rules.QUIET_FOR:
        # A pod goes before its successor comes, or before mirrord says that the session failed: what was
        # wrong with it is then why.
        return _again_told(session.before)
    if not session.is_due(child.uid, "why it has no pod"):
        return _as_before(session)
    kube, namespace = session.context.kube, child.namespace
    makers = await kube.list_children(REPLICA_SETS, namespace, pods_selector(child.uid))
    if not makers:
        # The operator makes a Deployment that is named like the session; not even a ReplicaSet came of it.
        deployment = await kube.get_target(namespace, "deployment", child.name)
        makers = [deployment] if deployment else []
    maker = rules.wanting(makers)
    if maker is None:
        return None
    events = await kube.pod_events(namespace, str(maker["metadata"].get("uid", "")))
    return rules.find_refusal(maker, events)


def _podless_since(session: _Session, now: datetime) -> datetime:
    """Return since when a session has no pod: from its beginning, where it never had one that is known."""
    since = session.context.memory.pod_questions.podless_since(session.child.uid, now)
    before = session.before
    if before is not None and before.reason is Reason.POD_REFUSED and before.since is not None:
        # It was told of under another controller, or before a restart: that is no pod that came meanwhile.
        since = min(since, before.since)
    had_one = session.service.serving_sha or (before and before.reason is not Reason.POD_REFUSED)
    starts = session.child.state is ChildState.CREATING and not had_one
    return min(since, session.child.created_at) if starts else since


def _as_before(session: _Session) -> PodFinding | None:
    """Return what was told of it last, while it is not asked about anew."""
    return _again_told(session.before) if _may_stand(session) else None


def _again_told(before: PodProblem | None) -> PodFinding | None:
    """Return what was told of a pod as what is found of it."""
    if before is None:
        return None
    return PodFinding(
        before.reason,
        "",
        "",
        before.container,
        before.detail,
        before.exit_code,
        before.restarts,
        part=before.part,
        longest_run=before.longest_run,
    )


def _may_stand(session: _Session) -> bool:
    """Return whether what was told of a pod is of one as silent as it is now."""
    if not rules.has_pod(session.pods):
        return session.before is not None and session.before.reason is Reason.POD_REFUSED
    return session.silence is not None and rules.is_still_so(session.silence, session.before)


async def _told(session: _Session, finding: PodFinding) -> PodProblem:
    """Return the problem with its cause and its last words; without them it is still worth telling."""
    now, logs = session.context.now(), session.context.settings.comment.logs
    namespace = session.child.namespace
    problem = rules.merge_problem(finding, session.before, now)
    if not logs and problem.log:
        # Stored while they were wanted.
        problem = replace(problem, log=())
    # Each crash of a loop comes here. The log and the events are read for the first one only: after that the
    # problem has its words, and to read them again would change nothing that is shown.
    try:
        if finding.unexplained and not problem.detail and session.is_due(finding.pod_uid, finding.reason):
            events = await session.context.kube.pod_events(namespace, finding.pod_uid)
            problem = rules.merge_problem(rules.with_cause(finding, events), session.before, now)
        if logs and finding.has_log and not problem.log and finding.pod:
            problem = replace(problem, log=excerpt(finding.said))
            problem = replace(problem, log=await _log_of(session, finding) or problem.log)
    except RemoteError as error:
        _cannot_read(session, error, finding.pod)
    return problem


async def _log_of(session: _Session, finding: PodFinding) -> tuple[str, ...]:
    kube = session.context.kube
    text = await kube.pod_log(
        session.child.namespace, finding.pod, finding.container, previous=finding.previous
    )
    return excerpt(text)


async def _last_words(session: _Session) -> PodProblem | None:
    """Return what is known of the pods of a session that failed, before it and they are removed."""
    logs, finding = session.context.settings.comment.logs, session.finds()
    finding = finding or rules.find_last_end(session.pods, session.service.container)
    # Nobody's promise, and what mirrord kept is of all its containers: the pod's own log comes first.
    said = session.child.last_words if logs else ()
    if finding is None:
        return PodProblem(Reason.SESSION_FAILED, log=said, since=session.context.now()) if said else None
    problem = await _told(session, finding)
    return problem if problem.log or not said else replace(problem, log=said)


def _cannot_read(session: _Session, error: RemoteError, pod: str = "") -> None:
    about = {"preview": session.preview.name, "session": session.child.name, "pod": pod, "error": str(error)}
    log.info("cannot read why a pod has a problem", extra=about)
