"""What lies in a namespace that previewbot may not look into: left as it is, and never taken for gone.

A role may be missing in one of the namespaces (403). What cannot be listed cannot be known to be absent: to
make a session there could make a second one, and to forget one would give its slot away while it runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from previewbot.api import Child, ChildState, Phase, Reason, Service
from previewbot.reconciler.children.kind import Desired

_UNDER_WAY = (ChildState.CREATING, ChildState.REPLACING, ChildState.REMOVING)


def hidden(children: Iterable[Child], unseen: frozenset[str]) -> list[Child]:
    """Return the children that may be there although nobody can see them.

    A route is not among them: it has no uid here, is written by its name, and holds no slot.
    """
    return [child for child in children if child.namespace in unseen and may_be_there(child)]


def may_be_there(child: Child) -> bool:
    """Return whether there may be an object of a child, by what is recorded of it."""
    return bool(child.uid) or child.state in _UNDER_WAY


def is_out_of_sight(desired: Desired, children: Iterable[Child], unseen: frozenset[str]) -> bool:
    """Return whether nothing can be done about a child: it, or one that must go before it, cannot be seen."""
    if desired.namespace in unseen:
        return True
    if desired.services:
        return False
    # Its service had another target before: two of one service would both take its requests.
    return any(
        (child.kind, child.service) == (desired.kind, desired.service) for child in hidden(children, unseen)
    )


def service_out_of_sight(service: Service, now: datetime) -> Service:
    """Return a service of which nothing can be seen; what served when it was last seen may still serve."""
    phase, reason = Phase.DEPLOYING, Reason.NAMESPACE_FORBIDDEN
    since = service.since if service.phase is phase and service.since else now
    found = replace(
        service, phase=phase, reason=reason, since=since, failure_message="", pod_problem=None, waiting=None
    )
    return service if found == service else found


def service_that_cannot_end(service: Service) -> Service:
    """Return a service that should not run, and whose session may, as far as anybody knows."""
    if service.reason is Reason.REMOVAL_FORBIDDEN:
        return service
    return replace(service, phase=Phase.STOPPING, reason=Reason.REMOVAL_FORBIDDEN)
