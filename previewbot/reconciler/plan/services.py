"""One service of a preview: its image, and how it stands by what its children do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from previewbot.api import Child, ChildState, Phase, PodProblem, Preview, Reason, Service, Status, Waiting
from previewbot.config.repository import ServiceConfig
from previewbot.reconciler.observation import (
    Found,
    ImageFound,
    ImageLookup,
    ImageMissing,
    Prepared,
    PullRequestFacts,
    Target,
)
from previewbot.rules import images


def changed_services(preview: Preview, facts: PullRequestFacts) -> list[tuple[ServiceConfig, Service]]:
    """Return the services to preview, each with its status carried over.

    Those are what the pull request changes, without any that somebody stopped.
    """
    assert facts.config is not None
    files = facts.started(preview.status.lifecycle)
    stopped = {each.name for each in preview.status.lifecycle.stopped}
    return [
        (config, carry_over(config, files[config.name], preview.status.services))
        for config in facts.config.services
        if config.name in files and config.name not in stopped
    ]


def carry_over(config: ServiceConfig, files: int, services: Iterable[Service]) -> Service:
    """Carry what the status says of a service over to what the configuration says of it now.

    Another target or namespace is another service: nothing of the old status holds for it. Another name alone
    is not: its session goes on, and which image that has must not be forgotten.
    """
    named, target = config.name, str(config.target)
    before = next((s for s in services if (s.namespace, s.target) == (config.namespace, target)), None)
    if before is None:
        return Service(name=named, namespace=config.namespace, target=target, files=files)
    same = (before.name, before.files) == (named, files)
    return before if same else replace(before, name=named, files=files)


def candidates(config: ServiceConfig, facts: PullRequestFacts, merge_shas: Sequence[str]) -> list[str]:
    """Return the references that count for the head: one, or one per merge commit seen for it."""
    pull_request = facts.pull_request
    merges = merge_shas if images.names_merge(config.image) else ("",)
    return [
        images.render_template(
            config.image,
            head_sha=pull_request.head.sha,
            merge_sha=merge,
            number=pull_request.number,
            branch=pull_request.head.ref,
            service=config.name,
        )
        for merge in reversed(merges)
    ]


def is_pinned(service: Service, head_sha: str, references: Sequence[str]) -> bool:
    """Return whether the image of this head is known already: it is looked for once per head and template."""
    return service.head_sha == head_sha and service.image in references


def pin_image(
    service: Service, head_sha: str, references: Sequence[str], lookup: ImageLookup | None
) -> Service:
    """Pin the image once per head and template; the container is resolved anew with it."""
    # One that is known, and refused all the same, is not allowed (any more).
    if is_pinned(service, head_sha, references) and not isinstance(lookup, ImageMissing):
        return service if service.waiting is None else replace(service, waiting=None)
    # From here on the digest counts and not the tag: what was looked at is what runs, also when the tag
    # moves. The container is forgotten, since the workload may have changed since the commit before.
    if isinstance(lookup, ImageFound):
        return replace(
            service,
            head_sha=head_sha,
            image=lookup.image,
            digest=lookup.digest,
            container="",
            meant_container="",
            without_ports=False,
            waiting=None,
            # What is known of its build is kept: it is for the commits that follow.
            built_by=lookup.built_by or service.built_by,
        )
    # If it was not time to look, what the last look found is still what is told.
    waiting = lookup.waiting if isinstance(lookup, ImageMissing) else service.waiting
    waiting = waiting or Waiting(reason=Reason.NO_IMAGE)
    if (service.head_sha, service.waiting) == ("", waiting):
        return service
    return replace(service, head_sha="", waiting=waiting)


def with_container(service: Service, target: Target | None, config: ServiceConfig) -> Service:
    """Note the container that the session replaces, once it is known, and what its readers should know."""
    if service.without_ports and config.ports is not None:
        # Said since, for the same commit.
        service = replace(service, without_ports=False)
    if service.container or target is None or not target.container:
        return service
    return replace(
        service,
        container=target.container,
        meant_container=target.meant,
        without_ports=target.without_ports,
    )


def service_status(
    prepared: Prepared,
    children: Sequence[Child],
    found: Sequence[Found],
    owner_uid: str,
    problems: Mapping[str, PodProblem],
    now: datetime,
) -> Service:
    """Return how a service stands: by its image first, then by that of its children which is worst off."""
    service = with_serving(prepared.service, found, owner_uid, now)
    # A service whose image is missing is normally left alone. The exception: its name is taken by a session
    # of a Preview that is gone, which is removed first.
    makes_way = any(child.state is ChildState.REPLACING for child in children)
    if not service.head_sha and not makes_way:
        missing = service.waiting.reason if service.waiting else Reason.NO_IMAGE
        return with_pod_problem(
            _with_phase(service, missing.phase or Phase.AWAITING_IMAGE, missing, now), None
        )
    if prepared.target_problem and not makes_way:
        return _with_phase(service, Phase.FAILED, Reason.TARGET_MISSING, now, prepared.target_problem)
    worst = min(children, key=lambda child: _WORST_FIRST.index(child.state), default=None)
    if worst is None:
        return _with_phase(service, Phase.DEPLOYING, Reason.CREATING, now)
    phase, reason = _phase_of(worst)
    message = worst.message if phase is Phase.FAILED else ""
    service = _with_phase(service, phase, reason, now, message)
    uid = next((child.uid for child in children if child.uid in problems), "")
    return with_pod_problem(service, problems.get(uid))


def with_serving(service: Service, found: Sequence[Found], owner_uid: str, now: datetime) -> Service:
    """Note what serves now; an older commit's session goes on serving while a new image is awaited."""
    # An older namesake's session is not ours to show, though it may still answer for a moment.
    serving = next((f for f in found if f.serving and f.owner_uid == owner_uid), None)
    sha = serving.head_sha if serving else ""
    since = service.serving_since if sha and sha == service.serving_sha else now
    now_serving = (sha, since if sha else None, serving.share_host if serving else "")
    if (service.serving_sha, service.serving_since, service.share_host) == now_serving:
        return service
    return replace(
        service, serving_sha=now_serving[0], serving_since=now_serving[1], share_host=now_serving[2]
    )


def with_pod_problem(service: Service, problem: PodProblem | None) -> Service:
    """Note what is wrong with a service's pod, or that nothing is any more.

    While it deploys that is also the reason. A failed service keeps what was wrong before: that is why.
    """
    if service.phase is Phase.FAILED:
        return service
    if service.phase not in (Phase.DEPLOYING, Phase.READY, Phase.IDLE):
        problem = None
    reason = service.reason
    if service.phase is Phase.DEPLOYING and problem is not None and reason in _STARTING:
        reason = problem.reason
    if (service.pod_problem, service.reason) == (problem, reason):
        return service
    return replace(service, pod_problem=problem, reason=reason)


def with_last_words(service: Service, problems: Iterable[PodProblem]) -> Service:
    """Note what was wrong with the pods of a session that failed: in the pass that fails it, they are there.

    What was known before stays, since that is how it began; it may lack the last words.
    """
    known, problem = service.pod_problem, next(iter(problems), None)
    if (service.phase, service.reason) != (Phase.FAILED, Reason.SESSION_FAILED) or problem is None:
        return service
    if known is None or known.reason is Reason.SESSION_FAILED:
        return service if known == problem or (known and known.log) else replace(service, pod_problem=problem)
    return (
        service
        if known.log or not problem.log
        else replace(service, pod_problem=replace(known, log=problem.log))
    )


def step_to_removed(
    service: Service, found: Sequence[Found], children: Sequence[Child], now: datetime
) -> Service:
    """Return a service that should not run: being removed, or stopped once nothing of it is left."""
    service = with_serving(service, (), "", now)
    stalled = any(child.reason is Reason.REMOVAL_STALLED for child in children)
    phase = Phase.STOPPING if found else Phase.STOPPED
    service = _with_phase(service, phase, Reason.REMOVAL_STALLED if stalled else None, now)
    return service if service.pod_problem is None else replace(service, pod_problem=None)


def without_route(service: Service, before: Service | None, problem: str, now: datetime) -> Service:
    """Return a service as failed because the cluster refuses the route; since `before`, if it failed then.

    No session is made meanwhile: whoever followed the link would see plain staging.
    """
    if service.phase is not Phase.DEPLOYING:
        return service
    refused = _with_phase(service, Phase.FAILED, Reason.ROUTE_REFUSED, now, problem)
    since = before.since if before and before.phase is Phase.FAILED and before.since else now
    return replace(refused, since=since)


def with_failed_services(
    status: Status, are: Callable[[str], bool], reason: Reason, message: str, now: datetime
) -> Status:
    """Return a status in which those services have failed that this is true of, by their names."""
    services = tuple(
        _with_phase(service, Phase.FAILED, reason, now, message) if are(service.name) else service
        for service in status.services
    )
    return replace(status, services=services)


_STARTING = (Reason.CREATING, Reason.SPLITTING_QUEUES)
"""What a service's own pod can say more of."""
_WORST_FIRST = (
    ChildState.FAILED,
    ChildState.REPLACING,
    ChildState.REMOVING,
    ChildState.PENDING,
    ChildState.CREATING,
    ChildState.IDLE,
    ChildState.READY,
)
_PHASES = {
    ChildState.FAILED: Phase.FAILED,
    ChildState.READY: Phase.READY,
    ChildState.IDLE: Phase.IDLE,
}


def _phase_of(child: Child) -> tuple[Phase, Reason | None]:
    if child.state is ChildState.PENDING and child.reason is Reason.LIMIT_REACHED:
        return Phase.QUEUED, Reason.LIMIT_REACHED
    phase = _PHASES.get(child.state, Phase.DEPLOYING)
    # A kind may not say what takes time; without a reason nobody would look again.
    return phase, child.reason or (Reason.CREATING if phase is Phase.DEPLOYING else None)


def _with_phase(
    service: Service, phase: Phase, reason: Reason | None, now: datetime, message: str = ""
) -> Service:
    """Return a service in this phase, since now if it was in another; the same one where nothing changes."""
    since = service.since if service.phase is phase and service.since else now
    if phase in (Phase.STOPPING, Phase.STOPPED):
        # While its session is being removed, the comment goes on saying why it failed.
        message = service.failure_message
    if (service.phase, service.reason, service.since, service.failure_message) == (
        phase,
        reason,
        since,
        message,
    ):
        return service
    return replace(service, phase=phase, reason=reason, since=since, failure_message=message)
