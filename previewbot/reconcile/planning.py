"""What a pass is going to do: the decision, the next step of each service, and the actions that follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from previewbot import images, plan
from previewbot.mirrord import Session, selector, session_from
from previewbot.plan import Create, Decision, Delete, Facts, ServiceStep, Surroundings
from previewbot.plan.services import find, pin, prepare, remove
from previewbot.policy import place
from previewbot.preview import Preview, Service
from previewbot.reconcile import images_of
from previewbot.reconcile.context import Context
from previewbot.reconcile.troubles_of import with_troubles
from previewbot.repoconfig import ServiceConfig

_LEAK_GUARD = timedelta(hours=1)


@dataclass(frozen=True)
class Planned:
    """What is to be done, and the sessions on which that rests."""

    decision: Decision
    services: tuple[Service, ...]
    actions: tuple[Create | Delete, ...]
    sessions: tuple[Session, ...]
    needs_place: bool = False


async def sessions_of(context: Context, preview: Preview) -> list[Session]:
    """List the sessions live: a cache could take one we just made for one that vanished."""
    found: list[Session] = []
    for namespace in context.settings.cluster.namespaces:
        items = await context.kube.list_sessions(namespace, selector(preview))
        found += [session_from(item) for item in items]
    return found


async def make_plan(
    context: Context, preview: Preview, facts: Facts | None, sessions: Sequence[Session]
) -> Planned:
    """Decide what is to be done; registries and targets are asked where the decision needs them."""
    decision, services = plan.decide(preview.status, facts), preview.status.services
    if decision.runs and facts is not None:
        return await _running(context, preview, facts, decision, sessions)
    if decision.keep:
        kept = tuple(_kept(service, sessions) for service in services)
        strays = plan.orphans(kept, sessions)
        return Planned(decision, kept, tuple(deletions(strays)), tuple(sessions))
    steps = [remove(service, find(service, sessions), context.now()) for service in services]
    return _planned(decision, steps, sessions, plan.orphans(services, sessions))


def deletions(sessions: Sequence[Session]) -> list[Create | Delete]:
    """Return the deletion of each session that is not being deleted yet."""
    return [Delete(session) for session in sessions if session.deleting_since is None]


def creates(planned: Planned) -> bool:
    """Return whether something is to be created."""
    return any(isinstance(action, Create) for action in planned.actions)


def without_creations(planned: Planned) -> Planned:
    """Return the plan without creations: nothing is made on facts that could not be confirmed now."""
    return replace(planned, actions=tuple(a for a in planned.actions if isinstance(a, Delete)))


async def _running(
    context: Context, preview: Preview, facts: Facts, decision: Decision, sessions: Sequence[Session]
) -> Planned:
    before = {service.name: service for service in preview.status.services}
    assert facts.config is not None
    changed = [config for config in facts.config.services if config.name in facts.files]
    prepared = [prepare(preview, c, facts.files[c.name], before.get(c.name)) for c in changed]
    strays = plan.orphans(prepared, sessions)
    around = _around(context, preview, facts, strays)
    steps = [
        await _step(context, config, facts, sessions, service, around)
        for config, service in zip(changed, prepared, strict=True)
    ]
    services = await with_troubles(context, preview, [step.service for step in steps], sessions)
    steps = [replace(step, service=service) for step, service in zip(steps, services, strict=True)]
    return _planned(decision, steps, sessions, strays)


async def _step(
    context: Context,
    config: ServiceConfig,
    facts: Facts,
    sessions: Sequence[Session],
    service: Service,
    around: Surroundings,
) -> ServiceStep:
    preview = around.preview
    look = await images_of.look_for_image(context, preview, config, service, facts)
    if look.waiting is not None:
        waiting = await images_of.why_missing(context, preview, facts, look.waiting, service.waiting)
        look = replace(look, waiting=waiting)
    references = images_of.candidates(config, facts, preview.status)
    service = pin(service, facts.pull_request.head.sha, references, look)
    service, problem = await images_of.with_container(context, config, service)
    image = images.pinned(service.image, service.digest) if service.digest else ""
    return plan.advance(service, config, image, sessions, around, problem)


def _planned(
    decision: Decision,
    steps: Sequence[ServiceStep],
    sessions: Sequence[Session],
    strays: Sequence[Session],
) -> Planned:
    actions = [step.action for step in steps if step.action] + deletions(strays)
    return Planned(
        decision,
        tuple(step.service for step in steps),
        tuple(actions),
        tuple(sessions),
        any(step.needs_place for step in steps),
    )


def _around(context: Context, preview: Preview, facts: Facts, strays: Sequence[Session]) -> Surroundings:
    settings = context.settings
    return Surroundings(
        preview=preview,
        head_sha=facts.pull_request.head.sha,
        ttl_seconds=int((settings.ttl.max + _LEAK_GUARD).total_seconds()),
        session_deadline=settings.deadlines.session,
        place_granted=place(preview, context.previews(), settings.limits.previews).granted,
        now=context.now(),
        strays=tuple(strays),
    )


def _kept(service: Service, sessions: Sequence[Session]) -> Service:
    """Note whether a service that is left as it is still serves."""
    session = find(service, sessions)
    if session is not None and session.serving:
        return replace(service, serving_sha=session.head_sha)
    return replace(service, serving_sha="", share_host="")
