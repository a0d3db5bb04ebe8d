"""Folds how services and children stand into the status: phase, clock, slot, link, conditions.

The very same status comes out where nothing changed, so that an idle pass makes no copies and renders
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from previewbot.api import Child, Lifecycle, Link, OtherLink, Phase, Reason, Service, Slot, Status
from previewbot.reconciler.children.actions import Action
from previewbot.reconciler.observation import Observation
from previewbot.reconciler.plan import conditions, lifecycle, notices
from previewbot.reconciler.plan.commands import settle_replies
from previewbot.reconciler.plan.decision import Decision, End, Hold, Leave, Run
from previewbot.reconciler.plan.first_look import why_unknown
from previewbot.reconciler.plan.isolation import with_isolation
from previewbot.reconciler.plan.link import link_of, other_links_of
from previewbot.reconciler.plan.link_check import checked
from previewbot.reconciler.plan.services import without_route
from previewbot.reconciler.plan.unseen import hidden


@dataclass(frozen=True)
class Steps:
    """How services and children stand, and what is to be done about them."""

    services: tuple[Service, ...]
    children: tuple[Child, ...]
    actions: tuple[Action, ...] = ()
    needs_slot: bool = False


def fold(
    observation: Observation, before: Status, decision: Decision, steps: Steps, others: Sequence[Child]
) -> Status:
    """Return the status that says how everything stands; `others` are children that no kind here looks
    after."""
    services = with_isolation(observation, steps.services, steps.children)
    services = _with_route_problem(before, decision, services, observation)
    # The cluster shows them no more than nothing, and they may run all the same.
    unseen = hidden(steps.children, observation.unseen)
    phase, reason = _phase(before, decision, services, observation, unseen)
    # The clock runs by what serves, whether or not a link to it can be shown.
    clock = _clock(observation, before.lifecycle, decision, phase)
    children = (*steps.children, *others)
    link = checked(observation, link_of(observation, services, children), services, children)
    if isinstance(decision, Run) and link.reason is not None and phase is not None and phase.runs:
        phase, reason = link.reason.phase, link.reason
    status = _with_parts(
        before,
        phase=phase,
        reason=reason,
        lifecycle=clock,
        slot=_slot(observation, before.slot, decision, steps.needs_slot or bool(unseen)),
        link=link,
        other_links=other_links_of(observation, services),
        services=services,
        children=children,
    )
    status = _with_notices(observation, before, status)
    return with_conditions(settle_replies(status), observation)


def _with_notices(observation: Observation, before: Status, status: Status) -> Status:
    """Return the status with what people are to be told; as it is while no configuration is known."""
    config = observation.facts.config if observation.facts else None
    if config is None:
        return status
    return notices.owe(before, notices.forget(status, config.notify), config.notify)


def with_conditions(status: Status, observation: Observation) -> Status:
    """Return a status whose conditions say how its parts stand; their messages are not known here."""
    generation = observation.preview.generation
    found = conditions.conditions_of(status, generation=generation, now=observation.now)
    return status if found == status.conditions else replace(status, conditions=found)


def _with_route_problem(
    before: Status, decision: Decision, services: tuple[Service, ...], observation: Observation
) -> tuple[Service, ...]:
    problem = route_problem(before)
    # A refused route fails only a preview that shows nothing yet. What serves already is still behind the
    # link of before, and stays.
    if not isinstance(decision, Run) or not problem or any(service.serving_sha for service in services):
        return services
    stored = {service.name: service for service in before.services}
    return tuple(without_route(each, stored.get(each.name), problem, observation.now) for each in services)


def route_problem(status: Status) -> str:
    """Return what the cluster said when it refused the route; empty if it did not."""
    refused = (c for c in status.children if c.reason is Reason.ROUTE_REFUSED)
    return next((child.message for child in refused), "")


def _phase(
    before: Status,
    decision: Decision,
    services: Sequence[Service],
    observation: Observation,
    unseen: Sequence[Child],
) -> tuple[Phase | None, Reason | None]:
    if isinstance(decision, Run):
        return conditions.phase_of(services)
    if isinstance(decision, Hold):
        return conditions.held_phase(before, decision.reason, services, why_unknown(observation.read_error))
    found = observation.found
    if not found and unseen and isinstance(decision, End):
        # It is not over. Of a Preview that goes itself, its owner reference ends them.
        return Phase.STOPPING, Reason.REMOVAL_FORBIDDEN
    if not found and decision.reason not in (Reason.REPOSITORY_GONE, Reason.PULL_REQUEST_GONE):
        return decision.reason.phase, decision.reason
    # As long as something is left the phase is Stopping, whatever the end's own phase is: "expired" would be
    # a lie while a session still serves.
    stalled = any(service.reason is Reason.REMOVAL_STALLED for service in services)
    return Phase.STOPPING, Reason.REMOVAL_STALLED if stalled else decision.reason


def _clock(observation: Observation, before: Lifecycle, decision: Decision, phase: Phase | None) -> Lifecycle:
    ttl, now = observation.ttl, observation.now
    head_sha = observation.facts.pull_request.head.sha if observation.facts else ""
    clock = before
    if isinstance(decision, Run) and phase is not None:
        ttl_max = observation.limits.ttl_max
        clock = lifecycle.start_clock(clock, phase, head_sha, ttl=ttl, ttl_max=ttl_max, now=now)
    if isinstance(decision, Run | Hold):
        clock = lifecycle.bound_clock(clock, observation.found, ttl=ttl, now=now)
    return clock


def _slot(observation: Observation, before: Slot, decision: Decision, needs_slot: bool) -> Slot:
    """Give the slot back once nothing is left that counts; note the place in the queue of what waits."""
    nothing_left = not observation.found and not needs_slot
    if nothing_left and isinstance(decision, Run) and observation.no_preview_because is not None:
        # Nobody gets any further while no preview can be made: who was in line keeps the place in it.
        return replace(before, held=False, held_since=None)
    # After a restart while GitHub is away nothing is known of the pull request. Then slot and place in the
    # queue are kept: nobody must lose them because of an outage.
    if nothing_left and (isinstance(decision, End | Leave) or observation.facts is not None):
        return Slot()
    if not needs_slot or before.held:
        return before
    grant = observation.slot
    return Slot(
        held=grant.granted,
        held_since=observation.now if grant.granted else None,
        waiting_since=before.waiting_since or observation.now,
        queue_position=grant.position,
        bound=grant.bound,
        limit=grant.limit,
        holders=grant.holders,
    )


def _with_parts(
    before: Status,
    *,
    phase: Phase | None,
    reason: Reason | None,
    lifecycle: Lifecycle,
    slot: Slot,
    link: Link,
    other_links: tuple[OtherLink, ...],
    services: tuple[Service, ...],
    children: tuple[Child, ...],
) -> Status:
    parts = (before.phase, before.reason, before.lifecycle, before.slot, before.link, before.other_links)
    same_parts = parts == (phase, reason, lifecycle, slot, link, other_links)
    if same_parts and (before.services, before.children) == (services, children):
        return before
    status = replace(
        before,
        phase=phase,
        reason=reason,
        service_names=", ".join(service.name for service in services),
        lifecycle=lifecycle,
        slot=slot,
        link=link,
        other_links=other_links,
        services=services,
        children=children,
    )
    return replace(status, expires=conditions.expiry_text(status))
