"""The link of the status, and why there is none to show where something serves.

That the API server took a route does not make it work: what the Gateway says of it is read after it was
written, and noted in the route's entry in `status.children`, from which the link follows. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from previewbot.api import Child, ChildState, Link, LinkKind, OtherLink, Reason, Service, Status
from previewbot.engine import links
from previewbot.engine.gateway_state import GatewayState, Stands
from previewbot.engine.route_answers import RouteAnswer, Verdict
from previewbot.reconciler.children.kind import Desired
from previewbot.reconciler.children.routes import ROUTE_KIND, route_among
from previewbot.reconciler.observation import GatewaySeen, Observation

ANSWERS_WITHIN = timedelta(seconds=60)
"""So long a Gateway is waited for before the words say that it does not answer, and it still is then."""

SILENT_FOR = timedelta(seconds=10)
"""So long one is waited for that is served and says nothing of any route."""

DOUBT = timedelta(seconds=10)
"""So long a Gateway must refuse a route whose link people have: a controller that starts anew may, for a
moment."""

_CALM, _CALM_AT_MOST, _REMEMBERED = timedelta(seconds=30), timedelta(minutes=10), timedelta(hours=1)
"""A link that went comes back at once; one that goes again and again only once all was well for a while, with
each time twice as long: each coming and going edits the comment. What held for an hour is forgiven."""

_NUMBER_RE = re.compile("[0-9]+")

_PROGRESS = (None, Reason.CREATING, Reason.SPLITTING_QUEUES, Reason.CHECKING_LINK)


@dataclass(frozen=True)
class _Obstacle:
    """Why a link cannot be shown, in whose words; `since` when, where a moment of it may be nothing."""

    reason: Reason
    message: str = ""
    since: datetime | None = None


def link_of(observation: Observation, services: Sequence[Service], children: Sequence[Child]) -> Link:
    """Return where a reviewer goes now; a `reason` where something serves and no link can be shown."""
    before, now = observation.preview.status.link, observation.now
    if not any(service.serving_sha for service in services):
        return Link()
    facts = observation.facts
    # Without the configuration the link cannot be computed anew. What serves keeps the link that it has.
    if facts is None or facts.config is None:
        return before
    key = observation.preview.spec.environment_key
    wanted = links.link(observation.limits.gateway, facts.config, services, key)
    if wanted.kind is not LinkKind.GATEWAY:
        return wanted
    route = route_among(children)
    obstacle = _obstacle(route, observation.gateway, before, now)
    if obstacle is None:
        well_since = max((at for at in (route and route.since, observation.gateway.since) if at), default=now)
        return before if _is_too_soon(before, well_since, now) else _shown(wanted, before, now)
    in_doubt = obstacle.since is not None and now - obstacle.since < DOUBT
    if in_doubt and before.kind is LinkKind.GATEWAY:
        return _shown(wanted, before, now)
    entry = links.entry_of(facts.config, services)
    extension = links.entry_extension_link(key, entry) if entry is not None else ""
    return _withheld(obstacle, extension, before, now)


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
    return route_among(status.children, kind)


def route_child(status: Status, desired: Desired, answer: RouteAnswer, now: datetime) -> Child:
    """Return the entry of a route that the API server has, by what the Gateway says of it."""
    before = route_of(status, desired.kind)
    said_no = before is not None and before.reason is Reason.ROUTE_NOT_ACCEPTED
    if before is not None and said_no and before.spec_hash == desired.spec_hash and _says_nothing(answer):
        # It said no to this very route: silence is no new answer.
        return before
    state, reason = _STATES[answer.verdict]
    return Child(
        kind=desired.kind,
        namespace=desired.namespace,
        name=desired.name,
        spec_hash=desired.spec_hash,
        state=state,
        reason=reason,
        message=answer.message,
        since=_since(before, state, reason, now),
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


def _says_nothing(answer: RouteAnswer) -> bool:
    return answer.verdict in (Verdict.SILENT, Verdict.OUTDATED)


def _since(before: Child | None, state: ChildState, reason: Reason | None, now: datetime) -> datetime | None:
    """Return since when a route stands as it does: kept while its state and its reason stay."""
    return before.since if before and (before.state, before.reason) == (state, reason) else now


def _obstacle(route: Child | None, seen: GatewaySeen, before: Link, now: datetime) -> _Obstacle | None:
    """Return what keeps a link through the Gateway from working; None if nothing is known to."""
    gateway = seen.state
    if gateway.stands is Stands.MISSING:
        return _Obstacle(Reason.ROUTE_UNANSWERED, gateway.message)
    if route is None:
        return _Obstacle(Reason.CREATING)
    if route.reason is Reason.ROUTE_NOT_ACCEPTED:
        return _Obstacle(Reason.ROUTE_NOT_ACCEPTED, route.message, since=route.since)
    if route.reason is Reason.ROUTE_REFUSED:
        # What served before is still behind the link of before, which leads through the route of before.
        shown = before.kind is LinkKind.GATEWAY
        return None if shown else _Obstacle(Reason.ROUTE_NOT_ACCEPTED, route.message)
    if gateway.stands is Stands.REFUSED:
        return _Obstacle(Reason.ROUTE_NOT_ACCEPTED, gateway.message)
    if route.state is not ChildState.READY:
        return _silence(route, gateway, before, now)
    # One that was made anew: what the route says was said for the one of before, and nobody takes that away.
    return _Obstacle(Reason.ROUTE_UNANSWERED, gateway.message) if gateway.untaken else None


def _silence(route: Child, gateway: GatewayState, before: Link, now: datetime) -> _Obstacle | None:
    waited = now - (route.since or now)
    if gateway.silent and waited >= SILENT_FOR and not _is_elsewhere(route, gateway):
        return None
    if waited >= ANSWERS_WITHIN:
        return _Obstacle(Reason.ROUTE_UNANSWERED, _is_elsewhere(route, gateway) or gateway.trouble)
    # A link that was shown stays for this moment: another listener in the settings, say, changes the route of
    # every preview, and none of them has become worse for it.
    return None if before.kind is LinkKind.GATEWAY else _Obstacle(Reason.CREATING)


def _is_elsewhere(route: Child, gateway: GatewayState) -> str:
    """Return what to tell where a Gateway takes the routes of another namespace only."""
    if not gateway.own_namespace_only or route.namespace == gateway.namespace:
        return ""
    return (
        f"its listeners take routes of the namespace {gateway.namespace} alone "
        f"(allowedRoutes.namespaces), and not of {route.namespace}"
    )


def _shown(wanted: Link, before: Link, now: datetime) -> Link:
    came_back = before.reason is not None and before.lost > 0
    return Link(
        kind=wanted.kind,
        url=wanted.url,
        extension_url=wanted.extension_url,
        staging_url=wanted.staging_url,
        since=now if came_back else before.since if before.lost else None,
        lost=before.lost,
    )


def _withheld(obstacle: _Obstacle, extension_url: str, before: Link, now: datetime) -> Link:
    reason, message, lost = obstacle.reason, obstacle.message, before.lost
    if before.kind is not None and reason not in _PROGRESS:
        held = before.since is not None and now - before.since >= _REMEMBERED
        lost = 1 if held else lost + 1
    same = before.reason is reason
    # In words of which only a number is another each time, such as a count, the first ones stay: each change
    # of them edits the comment.
    if same and _NUMBER_RE.sub("0", before.message) == _NUMBER_RE.sub("0", message):
        message = before.message
    return Link(
        extension_url=extension_url,
        reason=reason,
        message=message,
        since=before.since if same else now,
        lost=lost,
    )


def _is_too_soon(before: Link, well_since: datetime, now: datetime) -> bool:
    """Return whether a link that keeps going must be well for longer before it is shown again."""
    if before.reason in _PROGRESS or before.lost < 2:
        return False
    calm: timedelta = _CALM * (1 << min(before.lost - 2, 10))
    return now - well_since < min(calm, _CALM_AT_MOST)
