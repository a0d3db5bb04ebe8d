"""The steps of a pass: for services that run, for what is held as it is, for what is removed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from previewbot.api import Child, ChildState, Service, Status
from previewbot.config.repository import ServiceConfig
from previewbot.engine import translation
from previewbot.reconciler.children.actions import Delete
from previewbot.reconciler.children.kind import ChildKind, Desired, Inputs
from previewbot.reconciler.children.step import HOLDS, ChildStep, next_step, removed_step
from previewbot.reconciler.observation import Found, Observation, Prepared, PullRequestFacts
from previewbot.reconciler.plan.decision import Decision, Hold, Run
from previewbot.reconciler.plan.dependencies import Wanted, is_needed, step_inputs
from previewbot.reconciler.plan.fold import Steps
from previewbot.reconciler.plan.services import (
    candidates,
    changed_services,
    pin_image,
    service_status,
    step_to_removed,
    with_container,
    with_last_words,
    with_serving,
)
from previewbot.reconciler.plan.unseen import (
    hidden,
    is_out_of_sight,
    service_out_of_sight,
    service_that_cannot_end,
)
from previewbot.rules.bounds import namespace_outside, target_outside


def steps_of(observation: Observation, decision: Decision, kinds: Sequence[ChildKind]) -> Steps:
    """Return how services and children stand under a decision, and what is to be done about them."""
    if isinstance(decision, Run) and observation.facts is not None:
        return _running(observation, kinds)
    if isinstance(decision, Hold):
        return _holding(observation, kinds)
    return removal(observation, kinds)


def prepare(observation: Observation) -> list[Prepared]:
    """Return the services that should run, each with what is known of its image and its target."""
    facts, preview = observation.facts, observation.preview
    assert facts is not None
    assert facts.config is not None
    head_sha, prepared = facts.pull_request.head.sha, []
    for config, service in changed_services(preview, facts):
        references = candidates(config, facts, preview.status.observed.merge_shas)
        service = pin_image(service, head_sha, references, observation.images.get(config.name))
        target = observation.targets.get(config.name)
        service = with_container(service, target, config)
        problem = target.problem if target and service.head_sha and not service.container else ""
        # The file was held to the bounds when it was read. Here it is asked once more, with what a session is
        # made of: no way past that reading may end in somebody else's workload.
        problem = outside(facts, config) or problem
        parts = translation.parts_of(facts.config, config)
        prepared.append(Prepared(config, service, head_sha, problem, parts))
    return prepared


def wanted_of(
    observation: Observation, services: Sequence[Prepared], kinds: Sequence[ChildKind]
) -> list[tuple[ChildKind, Desired]]:
    """Return the children that should be there for these services, in the order of their kinds."""
    assert observation.facts is not None
    inputs = Inputs(
        observation.preview,
        observation.facts,
        observation.limits,
        services,
        observation.found,
        observation.operator,
    )
    wanted: list[tuple[ChildKind, Desired]] = []
    for kind in kinds:
        before = [desired for _, desired in wanted]
        wanted += [(kind, desired) for desired in kind.desired(replace(inputs, before=before))]
    return wanted


def outside(facts: PullRequestFacts, config: ServiceConfig) -> str:
    """Return why a service may not run in this repository; empty if it may."""
    if facts.bounds is None:
        return "this repository may have no preview"
    namespace = namespace_outside(facts.bounds, config.namespace)
    return namespace or target_outside(facts.bounds, str(config.target))


def _running(observation: Observation, kinds: Sequence[ChildKind]) -> Steps:
    facts, preview, now = observation.facts, observation.preview, observation.now
    assert facts is not None
    prepared = prepare(observation)
    found = {child.identity: child for child in observation.found}
    wanted = wanted_of(observation, prepared, kinds)
    names = {desired.identity for _, desired in wanted}
    orphans = [child for child in observation.found if child.identity not in names]
    # Another commit may lose its session by accident once more, as the first might.
    heads = {service.name: service.head_sha for service in preview.status.services}
    services_now = [each.service for each in prepared]
    pinned_anew = {s.name for s in services_now if s.head_sha and heads.get(s.name) != s.head_sha}
    steps: list[ChildStep] = []
    out_of_sight: set[str] = set()
    # In the order of the kinds: a later kind sees in `steps` whether what it needs is up.
    for kind, desired in wanted:
        if is_out_of_sight(desired, preview.status.children, observation.unseen):
            out_of_sight.add(desired.service)
            continue
        was, here = _record_of(preview.status, desired), found.get(desired.identity)
        was = replace(was, recreations=0) if was.recreations and any(map(was.is_of, pinned_anew)) else was
        others = step_inputs(observation, Wanted(kind, desired, wanted), orphans, [s.child for s in steps])
        health = kind.health(here, was, observation.limits, now) if here else None
        steps.append(next_step(desired, here, was, health, others))
    children = [step.child for step in steps]
    services = tuple(
        service_out_of_sight(each.service, now)
        if each.service.name in out_of_sight
        else _status_of(observation, each, children)
        for each in prepared
    )
    # A failure is remembered for what should be there, not for what nobody asks for any more.
    going = [c for c in of_kinds(preview.status.children, kinds) if c.identity in found.keys() - names]
    left, deletions = _removals(observation, orphans, going, kinds)
    actions = [step.action for step in steps if step.action is not None]
    needs_slot = any(step.needs_slot for step in steps)
    kept = _hidden_beside(orphans, of_kinds(preview.status.children, kinds), observation)
    return Steps(services, (*children, *left, *kept), (*actions, *deletions), needs_slot)


def _status_of(observation: Observation, prepared: Prepared, children: Sequence[Child]) -> Service:
    name, preview = prepared.service.name, observation.preview
    own = [child for child in children if child.is_of(name)]
    # What is about to be deleted serves no more: the route must lead elsewhere before it goes.
    staying = {child.identity for child in own if child.state not in _GOING or _is_held(child)}
    found = [child for child in observation.found if child.identity in staying]
    problems = observation.pod_problems
    service = service_status(prepared, own, found, preview.uid, problems, observation.now)
    failed = {child.identity for child in own if child.state is ChildState.FAILED}
    ended = [child.uid for child in observation.found if child.identity in failed]
    return with_last_words(service, [problems[uid] for uid in ended if uid in problems])


def _removals(
    observation: Observation,
    found: Iterable[Found],
    going: Iterable[Child],
    kinds: Sequence[ChildKind],
) -> tuple[list[Child], list[Delete]]:
    """Return what is left of children that should go, recorded or found, and their deletions."""
    by_identity = {child.identity: child for child in found}
    recorded = {child.identity: child for child in going}
    left: list[Child] = []
    deletions: list[Delete] = []
    for identity in dict.fromkeys((*recorded, *by_identity)):
        child, deletion = removed_step(recorded.get(identity), by_identity.get(identity), observation.now)
        left += [child] if child else []
        deletions += [deletion] if deletion else []
    # In reverse order: what a session needs is deleted in a later pass, when the session is gone.
    going_too = by_identity.values()
    return left, [d for d in deletions if not is_needed(d.found, going_too, observation.found, kinds)]


def _holding(observation: Observation, kinds: Sequence[ChildKind]) -> Steps:
    """Leave what is there as it is, and remove only what nobody wanted before."""
    preview, now = observation.preview, observation.now
    recorded = of_kinds(preview.status.children, kinds)
    unseen = hidden(recorded, observation.unseen)
    stopped = {each.name for each in preview.status.lifecycle.stopped}
    # What was being removed already goes on being removed, and what somebody stops now is not wanted either.
    going = [child for child in recorded if child.state is ChildState.REMOVING or child.service in stopped]
    going = [child for child in going if child not in unseen]
    kept = [child for child in recorded if child not in going]
    kept += _unrecorded_children(observation, recorded)
    names = {child.identity for child in kept}
    orphans = [child for child in observation.found if child.identity not in names]
    left, deletions = _removals(observation, orphans, going, kinds)
    services = tuple(
        service
        if service.namespace in observation.unseen
        else with_serving(service, _found_of(observation, service, kept), preview.uid, now)
        for service in preview.status.services
        if service.name not in stopped
    )
    return Steps(services, (*kept, *left), tuple(deletions))


def _unrecorded_children(observation: Observation, recorded: Sequence[Child]) -> list[Child]:
    """Return records of children of ours that no status tells of, such as that of another version.

    Nothing is torn down because GitHub cannot be read: what serves a known service is kept, not taken for an
    orphan.
    """
    preview = observation.preview
    stopped = {each.name for each in preview.status.lifecycle.stopped}
    names = {"", *(service.name for service in preview.status.services)} - stopped
    known = {(child.kind, child.service) for child in recorded if child.service}
    identities = {child.identity for child in recorded}
    return [
        Child(f.kind, f.namespace, f.name, f.service, uid=f.uid, spec_hash=f.spec_hash, state=f.state)
        for f in observation.found
        if f.owner_uid == preview.uid
        and f.service in names
        and (f.kind, f.service) not in known
        and f.identity not in identities
    ]


def removal(observation: Observation, kinds: Sequence[ChildKind]) -> Steps:
    """Remove everything."""
    status, now = observation.preview.status, observation.now
    recorded = of_kinds(status.children, kinds)
    unseen = _hidden_beside(observation.found, recorded, observation)
    going = [child for child in recorded if child not in unseen]
    left, deletions = _removals(observation, observation.found, going, kinds)
    services = tuple(
        step_to_removed(
            service,
            _found_of(observation, service, left),
            [child for child in left if child.is_of(service.name)],
            now,
        )
        for service in status.services
    )
    unended = {child.service for child in unseen}
    services = tuple(service_that_cannot_end(s) if s.name in unended else s for s in services)
    return Steps(services, (*left, *unseen), tuple(deletions))


def _hidden_beside(
    going: Iterable[Found], recorded: Iterable[Child], observation: Observation
) -> list[Child]:
    """Return the recorded children that may be there although nobody can see them, beside those that go.

    A namespace may refuse the list of one kind only: what of another was found there is removed as ever, and
    must not be recorded a second time with each pass.
    """
    names = {found.identity for found in going}
    return [child for child in hidden(recorded, observation.unseen) if child.identity not in names]


def _found_of(observation: Observation, service: Service, children: Sequence[Child]) -> list[Found]:
    """Return what the cluster shows of a service's recorded children."""
    names = {child.identity for child in children if child.service == service.name}
    return [child for child in observation.found if child.identity in names]


def _is_held(child: Child) -> bool:
    """Return whether what is to be replaced stays until mirrord's operator could make another."""
    return child.reason in HOLDS


_GOING = (ChildState.REPLACING, ChildState.REMOVING, ChildState.FAILED)


def of_kinds(children: Iterable[Child], kinds: Sequence[ChildKind]) -> list[Child]:
    """Return the children that these kinds look after."""
    names = {kind.name for kind in kinds}
    return [child for child in children if child.kind in names]


def _record_of(status: Status, desired: Desired) -> Child:
    """Return what is recorded of a child that should be there; a new record if nothing is."""
    known = next((c for c in status.children if c.identity == desired.identity), None)
    if known is None:
        return Child(*desired.identity, desired.service, services=desired.services, title=desired.title)
    # A service may be renamed, and its name go to another target: the child is whose it is now.
    whose = (desired.service, desired.services, desired.title)
    if (known.service, known.services, known.title) == whose:
        return known
    return replace(known, service=desired.service, services=desired.services, title=desired.title)
