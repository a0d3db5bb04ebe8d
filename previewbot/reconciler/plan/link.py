"""The link of the status, and why there is none to show where something serves.

That the API server took a route does not make it work: what the Gateway says of it is read after it was
written, and noted in the route's entry in `status.children`, from which the link follows. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from previewbot.api import Child, ChildState, Link, LinkKind, OtherLink, Reason, Service, Status
from previewbot.engine import links
from previewbot.engine.route_answers import RouteAnswer, Verdict
from previewbot.reconciler.children.kind import Desired
from previewbot.reconciler.observation import Observation

ROUTE_KIND = "HTTPRoute"

ANSWERS_WITHIN = timedelta(seconds=60)
"""So long a Gateway is waited for before the words say that it does not answer, and it still is then."""


def link_of(observation: Observation, services: Sequence[Service], children: Sequence[Child]) -> Link:
    """Return where a reviewer goes now; a `reason` where something serves and no link can be shown."""
    before, now = observation.preview.status.link, observation.now
    if not any(service.serving_sha for service in services):
        return Link()
    facts, gateway = observation.facts, observation.limits.gateway
    # Without the configuration the link cannot be computed anew. What serves keeps the link that it has.
    if facts is None or facts.config is None:
        return before
    wanted = links.link(gateway, facts.config, services, observation.preview.spec.environment_key)
    reason, message = _why_not(wanted, _route_in(children, ROUTE_KIND), before, now)
    if reason is None:
        return wanted
    entry = links.entry_of(facts.config, services)
    key = observation.preview.spec.environment_key
    extension = links.entry_extension_link(key, entry) if entry is not None else ""
    return Link(extension_url=extension, reason=reason, message=message)


def other_links_of(observation: Observation, services: Sequence[Service]) -> tuple[OtherLink, ...]:
    """Return the other entries behind which something serves, as `link_of` the one that the link opens."""
    if not any(service.serving_sha for service in services):
        return ()
    facts = observation.facts
    if facts is None or facts.config is None:
        return observation.preview.status.other_links
    return links.other_links(facts.config, services, observation.preview.spec.environment_key)


def route_of(status: Status, kind: str = ROUTE_KIND) -> Child | None:
    """Return the entry of the route, if there is or was one."""
    return _route_in(status.children, kind)


def route_child(status: Status, desired: Desired, answer: RouteAnswer, now: datetime) -> Child:
    """Return the entry of a route that the API server has, by what the Gateway says of it."""
    state, reason = _STATES[answer.verdict]
    return Child(
        kind=desired.kind,
        namespace=desired.namespace,
        name=desired.name,
        spec_hash=desired.spec_hash,
        state=state,
        reason=reason,
        message=answer.message,
        since=_since(route_of(status, desired.kind), state, reason, now),
    )


def refused_route(status: Status, desired: Desired, why: str, now: datetime) -> Child:
    """Return the entry of a route that the API server refuses.

    A refused change leaves the route of before in its old place, which must stay recorded so that it can be
    removed later. If there never was one, there is no place.
    """
    before = route_of(status, desired.kind)
    return Child(
        kind=desired.kind,
        namespace=before.namespace if before else "",
        name=desired.name,
        state=ChildState.FAILED,
        reason=Reason.ROUTE_REFUSED,
        message=why,
        since=_since(before, ChildState.FAILED, Reason.ROUTE_REFUSED, now),
    )


def with_route(status: Status, route: Child) -> Status:
    """Record how the route stands."""
    before = route_of(status, route.kind)
    if route == before:
        return status
    others = tuple(each for each in status.children if each.kind != route.kind)
    return replace(status, children=(*others, route))


def with_route_to_write(status: Status, desired: Desired | None, now: datetime) -> Status:
    """Record that what is known of the route is about another one than the one that is to be written."""
    before = route_of(status, desired.kind) if desired else None
    if desired is None or before is None or before.spec_hash == desired.spec_hash:
        return status
    if before.state is ChildState.FAILED and before.reason is Reason.ROUTE_REFUSED:
        return status
    state, reason = ChildState.CREATING, Reason.CREATING
    if (before.state, before.reason) == (state, reason):
        return status
    return with_route(status, replace(before, state=state, reason=reason, message="", since=now))


_STATES = {
    Verdict.ACCEPTED: (ChildState.READY, None),
    Verdict.REFUSED: (ChildState.FAILED, Reason.ROUTE_NOT_ACCEPTED),
    Verdict.OUTDATED: (ChildState.CREATING, Reason.CREATING),
    Verdict.SILENT: (ChildState.CREATING, Reason.CREATING),
}


def _route_in(children: Iterable[Child], kind: str) -> Child | None:
    return next((child for child in children if child.kind == kind), None)


def _since(before: Child | None, state: ChildState, reason: Reason | None, now: datetime) -> datetime | None:
    """Return since when a route stands as it does: kept while its state and its reason stay."""
    return before.since if before and (before.state, before.reason) == (state, reason) else now


def _why_not(wanted: Link, route: Child | None, before: Link, now: datetime) -> tuple[Reason | None, str]:
    """Return why a link cannot be shown, and in whose words; None if it can."""
    if wanted.kind is not LinkKind.GATEWAY:
        return None, ""
    if route is None:
        return Reason.CREATING, ""
    if route.state is ChildState.READY:
        return None, ""
    if route.reason is Reason.ROUTE_NOT_ACCEPTED:
        return Reason.ROUTE_NOT_ACCEPTED, route.message
    if route.reason is Reason.ROUTE_REFUSED:
        # What served before is still behind the link of before, which leads through the route of before.
        shown = before.kind is LinkKind.GATEWAY
        return (None, "") if shown else (Reason.ROUTE_NOT_ACCEPTED, route.message)
    waited = now - (route.since or now)
    if waited >= ANSWERS_WITHIN:
        return Reason.ROUTE_UNANSWERED, ""
    # A link that was shown stays for this moment: another listener in the settings, say, changes the route of
    # every preview, and none of them has become worse for it.
    return (None, "") if before.kind is LinkKind.GATEWAY else (Reason.CREATING, "")
