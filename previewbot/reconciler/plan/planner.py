"""The plan: what should be, the next step towards it, and the status that says so. A function of an
observation.

facts and requests ─▶ lifecycle ─▶ decision ─▶ services and children ─▶ phase, clock, link, conditions
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from previewbot.api import Child, ChildState, Reason, Service, Status
from previewbot.reconciler.children.kind import ChildKind, Desired, Inputs, Route
from previewbot.reconciler.children.step import Around, ChildStep, Create, Delete, next_step, removed_step
from previewbot.reconciler.observation import Found, Observation, Prepared
from previewbot.reconciler.plan import lifecycle
from previewbot.reconciler.plan.commands import apply_request
from previewbot.reconciler.plan.decision import Decision, Hold, Leave, Run, decide
from previewbot.reconciler.plan.fold import Steps, fold
from previewbot.reconciler.plan.inbox import adopt, duplicates
from previewbot.reconciler.plan.services import (
    candidates,
    changed_services,
    pin_image,
    removed,
    stand,
    with_container,
    with_serving,
)


@dataclass(frozen=True)
class Plan:
    """What is to be done, and the status to store before any of it is done.

    `route` is what leads people there, None where there is nothing to change about it. `duplicates` are
    comments of ours beside the one that stays. `may_create` is false on facts that could not be confirmed
    now.
    """

    status: Status
    decision: Decision
    steps: Steps
    route: Desired | None = None
    duplicates: tuple[int, ...] = ()
    may_create: bool = True

    @property
    def creates(self) -> bool:
        """Whether something is to be created."""
        return any(isinstance(action, Create) for action in self.steps.actions)

    @property
    def removes(self) -> bool:
        """Whether something is to be deleted."""
        return any(isinstance(action, Delete) for action in self.steps.actions)


def take_in(observation: Observation) -> Status:
    """Return the stored status with what GitHub, people and the clock changed since."""
    status, facts, now = observation.preview.status, observation.facts, observation.now
    status = lifecycle.end_if_expired(status, now)
    if observation.fresh and facts is not None:
        status = lifecycle.record_facts(status, facts, now)
        status = adopt(status, observation.inbox.own)
        for request in observation.inbox.requests:
            status = apply_request(
                status,
                request,
                pull_request=facts.pull_request,
                ttl_max=observation.limits.ttl_max,
                now=now,
            )
            # What a command started triggers a preview, and the next command goes by that.
            status = lifecycle.record_facts(status, facts, now)
        looked_at = observation.looked_at or now
        status = replace(status, requests=replace(status.requests, looked_at=looked_at))
        delivery_id = observation.preview.poke.delivery_id
        status = lifecycle.record_facts(status, facts, now, delivery_id=delivery_id)
    return lifecycle.restart_clock(status, remaining=len(observation.found))


def make_plan(observation: Observation, kinds: Sequence[ChildKind], route: Route) -> Plan:
    """Decide what is to be done in this world."""
    before = take_in(observation)
    decision = decide(before, observation.facts)
    steps = _steps(replace(observation, preview=replace(observation.preview, status=before)), decision, kinds)
    doubled = duplicates(observation.preview.status, observation.inbox.own)
    return _plan(observation, before, decision, steps, kinds, route, doubled)


def plan_removal(observation: Observation, kinds: Sequence[ChildKind], route: Route) -> Plan:
    """Decide what is to be done where the repository is gone: everything goes, and there is nobody to
    tell."""
    decision = Leave(Reason.REPOSITORY_GONE)
    status = observation.preview.status
    steps = _removal(observation, kinds)
    return _plan(observation, status, decision, steps, kinds, route, ())


def with_route_result(
    plan: Plan, status: Status, observation: Observation, kinds: Sequence[ChildKind]
) -> Status:
    """Return how everything stands once it is known whether the cluster took the route, as `status` says."""
    steps = replace(plan.steps, children=tuple(_of_kinds(status.children, kinds)))
    return fold(observation, status, plan.decision, steps, _others(status, kinds))


def _plan(
    observation: Observation,
    before: Status,
    decision: Decision,
    steps: Steps,
    kinds: Sequence[ChildKind],
    route: Route,
    doubled: tuple[int, ...],
) -> Plan:
    status = fold(observation, before, decision, steps, _others(before, kinds))
    preview = replace(observation.preview, status=status)
    desired = route.desired(preview, observation.facts, observation.limits, begins=decision.begins_comment)
    return Plan(status, decision, steps, desired, doubled, observation.look_error is None)


def _steps(observation: Observation, decision: Decision, kinds: Sequence[ChildKind]) -> Steps:
    if isinstance(decision, Run) and observation.facts is not None:
        return _running(observation, kinds)
    if isinstance(decision, Hold):
        return _holding(observation, kinds)
    return _removal(observation, kinds)


def prepare(observation: Observation) -> list[Prepared]:
    """Return the services that should run, each with what is known of its image and its target."""
    facts, preview = observation.facts, observation.preview
    assert facts is not None
    head_sha, prepared = facts.pull_request.head.sha, []
    for config, service in changed_services(preview, facts):
        references = candidates(config, facts, preview.status.observed.merge_shas)
        service = pin_image(service, head_sha, references, observation.images.get(config.name))
        target = observation.targets.get(config.name)
        service = with_container(service, target)
        problem = target.problem if target and service.head_sha and not service.container else ""
        prepared.append(Prepared(config, service, head_sha, problem))
    return prepared


def _running(observation: Observation, kinds: Sequence[ChildKind]) -> Steps:
    facts, preview, now = observation.facts, observation.preview, observation.now
    assert facts is not None
    prepared = prepare(observation)
    inputs = Inputs(preview, facts, observation.limits, prepared)
    found = {child.identity: child for child in observation.found}
    wanted = [(kind, desired) for kind in kinds for desired in kind.desired(inputs)]
    names = {desired.identity for _, desired in wanted}
    orphans = [child for child in observation.found if child.identity not in names]
    steps: list[ChildStep] = []
    for kind, desired in wanted:
        was, here = _recorded(preview.status, desired), found.get(desired.identity)
        around = _around(observation, kind, desired, orphans, steps)
        health = kind.health(here, was, observation.limits, now) if here else None
        steps.append(next_step(desired, here, was, health, around))
    children = [step.child for step in steps]
    services = tuple(_stand(observation, each, children) for each in prepared)
    going = [c for c in _of_kinds(preview.status.children, kinds) if _identity(c) not in names]
    left, deletions = _removals(observation, orphans, going, kinds)
    actions = [step.action for step in steps if step.action is not None]
    needs_slot = any(step.needs_slot for step in steps)
    return Steps(services, (*children, *left), (*actions, *deletions), needs_slot)


def _around(
    observation: Observation,
    kind: ChildKind,
    desired: Desired,
    orphans: Sequence[Found],
    before: Sequence[ChildStep],
) -> Around:
    same = [o for o in orphans if (o.kind, o.service) == (desired.kind, desired.service)]
    earlier = [
        step.child
        for step in before
        if step.child.kind != kind.name and step.child.service in ("", desired.service)
    ]
    return Around(
        owner_uid=observation.preview.uid,
        now=observation.now,
        slot_granted=observation.slot.granted,
        predecessor=next(iter(same), None),
        blocked=any(child.state not in _UP for child in earlier),
    )


def _stand(observation: Observation, prepared: Prepared, children: Sequence[Child]) -> Service:
    name, preview = prepared.service.name, observation.preview
    own = [child for child in children if child.service in (name, "")]
    # What is about to be deleted serves no more: the route must lead elsewhere before it goes.
    staying = {_identity(child) for child in own if child.state not in _GOING}
    found = [child for child in observation.found if child.identity in staying]
    return stand(prepared, own, found, preview.uid, observation.pod_problems, observation.now)


def _removals(
    observation: Observation,
    found: Iterable[Found],
    going: Iterable[Child],
    kinds: Sequence[ChildKind],
) -> tuple[list[Child], list[Delete]]:
    """Return what is left of children that should go, recorded or found, and their deletions."""
    by_identity = {child.identity: child for child in found}
    recorded = {_identity(child): child for child in going}
    left: list[Child] = []
    deletions: list[Delete] = []
    for identity in dict.fromkeys((*recorded, *by_identity)):
        child, deletion = removed_step(recorded.get(identity), by_identity.get(identity), observation.now)
        left += [child] if child else []
        deletions += [deletion] if deletion else []
    return left, [d for d in deletions if not _is_needed(d.found, by_identity.values(), kinds)]


def _is_needed(child: Found, others: Iterable[Found], kinds: Sequence[ChildKind]) -> bool:
    """Return whether something is still there that was made after this child, since it needs it: that
    goes first."""
    order = [kind.name for kind in kinds]
    return any(
        order.index(other.kind) > order.index(child.kind)
        for other in others
        if other.service == child.service or not child.service
    )


def _holding(observation: Observation, kinds: Sequence[ChildKind]) -> Steps:
    """Leave what is there as it is, and remove only what nobody wanted before."""
    preview, now = observation.preview, observation.now
    recorded = _of_kinds(preview.status.children, kinds)
    kept = [child for child in recorded if child.state is not ChildState.REMOVING]
    names = {_identity(child) for child in kept}
    orphans = [child for child in observation.found if child.identity not in names]
    going = [child for child in recorded if child.state is ChildState.REMOVING]
    left, deletions = _removals(observation, orphans, going, kinds)
    services = tuple(
        with_serving(service, _found_of(observation, service, kept), preview.uid, now)
        for service in preview.status.services
    )
    return Steps(services, (*kept, *left), tuple(deletions))


def _removal(observation: Observation, kinds: Sequence[ChildKind]) -> Steps:
    """Remove everything."""
    status, now = observation.preview.status, observation.now
    left, deletions = _removals(observation, observation.found, _of_kinds(status.children, kinds), kinds)
    services = tuple(
        removed(
            service,
            _found_of(observation, service, left),
            [child for child in left if child.service == service.name],
            now,
        )
        for service in status.services
    )
    return Steps(services, tuple(left), tuple(deletions))


def _found_of(observation: Observation, service: Service, children: Sequence[Child]) -> list[Found]:
    """Return what the cluster shows of a service's recorded children."""
    names = {_identity(child) for child in children if child.service == service.name}
    return [child for child in observation.found if child.identity in names]


_UP = (ChildState.READY, ChildState.IDLE)
_GOING = (ChildState.REPLACING, ChildState.REMOVING, ChildState.FAILED)


def _identity(child: Child) -> tuple[str, str, str]:
    return child.kind, child.namespace, child.name


def _of_kinds(children: Iterable[Child], kinds: Sequence[ChildKind]) -> list[Child]:
    names = {kind.name for kind in kinds}
    return [child for child in children if child.kind in names]


def _others(status: Status, kinds: Sequence[ChildKind]) -> list[Child]:
    """Return the children that no kind here looks after: the route, and what a newer version knows."""
    names = {kind.name for kind in kinds}
    return [child for child in status.children if child.kind not in names]


def _recorded(status: Status, desired: Desired) -> Child:
    """Return what is recorded of a child that should be there; a new record if nothing is."""
    known = next((c for c in status.children if _identity(c) == desired.identity), None)
    if known is None:
        return Child(desired.kind, desired.namespace, desired.name, desired.service)
    # A service may be renamed, and its name go to another target: the child is whose it is now.
    return known if known.service == desired.service else replace(known, service=desired.service)
