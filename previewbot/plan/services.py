"""One service of a preview: from what was observed of it to its status and the next action.

Sessions are replaced, never patched. A session's recorded uid is cleared in the same write that precedes our
own delete, so a recorded uid that is gone can only mean that somebody else removed the session.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from previewbot.mirrord import Session, Wanted, noticeable, session_name
from previewbot.plan.steps import Create, Delete, ImageLook, Look, ServiceStep, Surroundings
from previewbot.preview import Phase, Preview, Service, Waiting
from previewbot.repoconfig import ServiceConfig
from previewbot.timing import format_duration

OPERATOR_SILENT_AFTER = timedelta(minutes=2)
_REMAKES = 1


def orphans(services: Iterable[Service], sessions: Sequence[Session]) -> list[Session]:
    """Return the sessions that no wanted service accounts for."""
    names = {(service.namespace, service.session_name) for service in services}
    return [session for session in sessions if (session.namespace, session.name) not in names]


def prepare(preview: Preview, config: ServiceConfig, files: int, before: Service | None) -> Service:
    """Carry a service's status over to what the configuration says of it now.

    Another target or namespace is another service: nothing of the old status holds for it.
    """
    name = session_name(preview.spec.environment_key, config.namespace, config.target)
    if before is None or before.session_name != name:
        before = Service(name=config.name, namespace=config.namespace, target=str(config.target))
    return replace(before, files=files, session_name=name, target=str(config.target))


def pin(service: Service, head_sha: str, candidates: Sequence[str], look: ImageLook) -> Service:
    """Pin the image once per head and template; the container is resolved anew with it."""
    pinned = service.head_sha == head_sha and service.image in candidates
    if pinned:
        return replace(service, waiting=None)
    if look.look is Look.FOUND:
        return replace(
            service,
            head_sha=head_sha,
            image=look.image,
            digest=look.digest,
            container="",
            waiting=None,
            remade=0,
        )
    waiting = look.waiting or service.waiting or Waiting(reason="NoImage")
    return replace(service, head_sha="", waiting=waiting)


def advance(
    service: Service,
    config: ServiceConfig,
    image: str,
    sessions: Sequence[Session],
    around: Surroundings,
    target_problem: str = "",
) -> ServiceStep:
    """Return the next step of a service whose preview should run; `image` is the pinned reference."""
    session = find(service, sessions)
    service = _observe(service, session, around)
    if session is not None and session.owner_uid != around.preview.uid:
        return _make_way(service, session, around)
    if not service.head_sha:
        return _await_image(service, session, around)
    if target_problem:
        return _step(replace(service, failure=target_problem), Phase.FAILED, "TargetMissing", around)
    wanted = Wanted(
        service=service.name,
        namespace=service.namespace,
        target=config.target,
        container=service.container,
        image=image,
        ports=config.ports,
        head_sha=around.head_sha,
        ttl_seconds=around.ttl_seconds,
    )
    if session is None:
        return _without_session(service, wanted, around)
    return _with_session(service, session, wanted, around)


def remove(service: Service, session: Session | None, now: datetime) -> ServiceStep:
    """Return the step of a service that should not run: delete its session and forget its uid."""
    service = replace(
        service,
        session_uid="",
        serving_sha="",
        serving_since=None,
        share_host="",
        deploying_since=None,
        session_ready=False,
        trouble=None,
        deleting_since=session.deleting_since if session else None,
    )
    phase = Phase.STOPPING if session else Phase.STOPPED
    action = Delete(session) if session and session.deleting_since is None else None
    return ServiceStep(_moved(service, phase, _silent(session, now, ""), now), action)


def find(service: Service, sessions: Sequence[Session]) -> Session | None:
    """Return the session of a service, whoever owns it."""
    return next(
        (s for s in sessions if s.name == service.session_name and s.namespace == service.namespace), None
    )


def question(preview: Preview, wanted: Wanted) -> str:
    """Return what a failure is the answer to: it holds until the commit or what would run changes."""
    return f"{wanted.head_sha}:{noticeable(preview.spec.environment_key, wanted)}"


def _observe(service: Service, session: Session | None, around: Surroundings) -> Service:
    """Note what serves now; an older commit's session goes on serving while a new image is awaited."""
    own = session is not None and session.owner_uid == around.preview.uid
    serving = session.head_sha if session and own and session.serving else ""
    since = service.serving_since if serving and serving == service.serving_sha else around.now
    return replace(
        service,
        serving_sha=serving,
        serving_since=since if serving else None,
        share_host=session.share_host if session and serving else "",
        deleting_since=session.deleting_since if session else None,
    )


def _await_image(service: Service, session: Session | None, around: Surroundings) -> ServiceStep:
    if session is None:
        service = replace(service, session_uid="")
    elif session.owner_uid == around.preview.uid:
        service = replace(service, session_uid=session.uid)
    waiting = service.waiting or Waiting(reason="NoImage")
    phase = Phase.FAILED if waiting.reason == "DeadlinePassed" else Phase.AWAITING_IMAGE
    return _step(replace(service, failure=""), phase, waiting.reason, around)


def _make_way(service: Service, session: Session, around: Surroundings) -> ServiceStep:
    """Remove what has our name and label, but an owner that is gone: Kubernetes may never collect it."""
    action = Delete(session) if session.deleting_since is None else None
    reason = _silent(session, around.now, "Replacing")
    return ServiceStep(_moved(service, Phase.DEPLOYING, reason, around.now), action)


def _without_session(service: Service, wanted: Wanted, around: Surroundings) -> ServiceStep:
    asked = question(around.preview, wanted)
    if service.failed_question == asked:
        return _step(replace(service, session_uid=""), Phase.FAILED, "SessionFailed", around)
    if service.session_uid:
        # A recorded uid without a session: removed by somebody else. Once that may be an accident.
        if service.remade >= _REMAKES:
            return _fail(service, asked, "its session was removed from the cluster twice", around)
        service = replace(service, session_uid="", remade=service.remade + 1)
    predecessor = next((s for s in around.strays if s.service == service.name), None)
    if predecessor is not None:
        # It has another target and is on its way out: two of a service would both take its requests.
        return _step(service, Phase.DEPLOYING, _silent(predecessor, around.now, "Replacing"), around)
    if not around.place_granted:
        return ServiceStep(_moved(service, Phase.QUEUED, "LimitReached", around.now), needs_place=True)
    service = replace(service, failure="", deploying_since=around.now, session_ready=False)
    return ServiceStep(
        _moved(service, Phase.DEPLOYING, "Creating", around.now), Create(wanted), needs_place=True
    )


def _with_session(service: Service, session: Session, wanted: Wanted, around: Surroundings) -> ServiceStep:
    key = around.preview.spec.environment_key
    if service.failed_question == question(around.preview, wanted):
        service = replace(service, session_uid="")
        action = None if session.deleting_since else Delete(session)
        return ServiceStep(_moved(service, Phase.FAILED, "SessionFailed", around.now), action)
    if session.deleting_since is not None:
        reason = _silent(session, around.now, "Replacing")
        return _step(service, Phase.DEPLOYING, reason, around)
    if session.noticeable != noticeable(key, wanted):
        return _replace(service, session, around)
    service = replace(
        service, session_uid=session.uid, deploying_since=service.deploying_since or session.created_at
    )
    if session.phase == "Failed":
        return _fail(
            service, question(around.preview, wanted), session.failure or "it failed", around, session
        )
    if session.phase in ("Ready", "Idle"):
        service = replace(service, failure="", session_ready=True)
        return _step(service, Phase.READY if session.phase == "Ready" else Phase.IDLE, "", around)
    return _in_progress(service, session, wanted, around)


def _in_progress(service: Service, session: Session, wanted: Wanted, around: Surroundings) -> ServiceStep:
    waited = around.now - session.created_at
    if waited >= around.session_deadline and not service.session_ready:
        what = "the mirrord operator did not answer" if session.phase == "Pending" else "it was not ready"
        message = f"{what} within {format_duration(around.session_deadline)}"
        return _fail(service, question(around.preview, wanted), message, around, session)
    reason = "Creating"
    if session.phase == "Pending" and waited >= OPERATOR_SILENT_AFTER:
        reason = "OperatorSilent"
    return _step(service, Phase.DEPLOYING, reason, around)


def _replace(service: Service, session: Session, around: Surroundings) -> ServiceStep:
    service = replace(_not_serving(service), session_uid="", deploying_since=None)
    return ServiceStep(_moved(service, Phase.DEPLOYING, "Replacing", around.now), Delete(session))


def _fail(
    service: Service, asked: str, message: str, around: Surroundings, session: Session | None = None
) -> ServiceStep:
    """Record the failure; the caller stores the message before it deletes the session."""
    service = replace(_not_serving(service), failed_question=asked, failure=message, session_uid="")
    moved = _moved(service, Phase.FAILED, "SessionFailed", around.now)
    return ServiceStep(moved, Delete(session) if session else None)


def _not_serving(service: Service) -> Service:
    return replace(service, serving_sha="", serving_since=None, share_host="")


def _silent(session: Session | None, now: datetime, otherwise: str) -> str:
    if session and session.deleting_since and now - session.deleting_since >= OPERATOR_SILENT_AFTER:
        return "OperatorSilent"
    return otherwise


def _step(service: Service, phase: Phase, reason: str, around: Surroundings) -> ServiceStep:
    return ServiceStep(_moved(service, phase, reason, around.now))


def _moved(service: Service, phase: Phase, reason: str, now: datetime) -> Service:
    since = service.since if service.phase is phase and service.since else now
    return replace(service, phase=phase, reason=reason, since=since)
