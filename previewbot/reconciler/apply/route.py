"""Makes the route of a preview what it should be, and says whether requests follow it by now."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Any

from previewbot.api import Child, Status
from previewbot.errors import Forbidden, Invalid, NotFound, RemoteError
from previewbot.reconciler.children.kind import Desired
from previewbot.reconciler.context import Context
from previewbot.reconciler.memory import Redirected
from previewbot.reconciler.plan.link import refused_route, route_child, route_of, with_route
from previewbot.reconciler.plan.planner import Plan
from previewbot.reconciler.store import PreviewStore
from previewbot.rules.masking import one_line
from previewbot.rules.refusals import in_short

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RouteResult:
    """Where the route stands.

    `switched`: requests do not reach the sessions any more, or may go on doing so. `timed_out`: that was
    waited for long enough. `error`: why the route could not be written.
    """

    switched: bool = True
    timed_out: bool = True
    error: RemoteError | None = None


def is_refusal(error: RemoteError | None) -> bool:
    """Return whether the cluster will not say otherwise soon."""
    return isinstance(error, Forbidden | Invalid | NotFound)


async def apply_route(context: Context, store: PreviewStore, plan: Plan) -> tuple[Status, RouteResult]:
    """Make the route what it should be, and say whether requests follow it by now.

    If the settings no longer name a Gateway, the route is removed: nobody would redirect it at the end.
    """
    name, desired, status = store.preview.name, plan.route, plan.status
    if context.limits.gateway is None:
        return await _remove_route(context, name, status), RouteResult()
    if desired is None:
        return _without_refusal(context, status), RouteResult()
    acknowledged, failure = False, None
    try:
        obj = await _write_route(context, status, desired)
        acknowledged = context.route.gateway_acknowledged(obj, context.limits)
        controller = context.memory.gateway.seen.state.controller
        answer = context.route.answer(obj, context.limits, controller)
        status = with_route(status, route_child(status, desired, answer, context.now()))
    except RemoteError as error:
        failure = error
        if is_refusal(error):
            refused = one_line(in_short(error.message or str(error)))
            status = with_route(status, refused_route(status, desired, refused, context.now()))
    if context.route.leads_to_sessions(desired):
        # The route leads to the sessions (again). When it is next redirected to the page, the wait for the
        # gateway must start from then, not from an earlier time.
        context.memory.redirected.pop(name, None)
        return status, RouteResult(error=failure)
    since, now = _note_redirect(context, name, acknowledged), context.now()
    in_time = context.route.gateway_switched(since.at, since.acknowledged_at, context.limits, now)
    # As if the gateway had never acknowledged the route: so long we wait for one that says nothing.
    timed_out = context.route.gateway_switched(since.at, None, context.limits, now)
    return status, RouteResult(failure is None and in_time, timed_out, failure)


async def _remove_route(context: Context, name: str, status: Status) -> Status:
    """Remove the route of a gateway that the settings had before."""
    status = _without_refusal(context, status)
    route = route_of(status, context.route.name)
    if route is None:
        return status
    try:
        # One that was refused from the first has no namespace: there is nothing to delete.
        if route.namespace:
            await context.kube.delete_child(context.route.resource, route.namespace, route.name)
    except RemoteError as error:
        # Without the gateway setting we may have lost the right to routes. The owner reference removes it
        # with the Preview.
        log.warning("a route stays", extra={"preview": name, "error": str(error)})
        return status
    return _without(status, route)


def _without_refusal(context: Context, status: Status) -> Status:
    """Forget a route that was refused before there was any, once none is wanted any more."""
    route = route_of(status, context.route.name)
    if route is None or route.namespace:
        return status
    return _without(status, route)


def _without(status: Status, route: Child) -> Status:
    return replace(status, children=tuple(child for child in status.children if child != route))


async def _write_route(context: Context, status: Status, desired: Desired) -> dict[str, Any]:
    before = route_of(status, context.route.name)
    if before is not None and before.namespace not in ("", desired.namespace):
        # The entry moved to another namespace. If the process dies after this deletion, the status still
        # names the old namespace: the next pass deletes once more, which is no error, and then writes the new
        # route.
        await context.kube.delete_child(context.route.resource, before.namespace, desired.name)
    return dict(await context.kube.apply_child(context.route.resource, desired.manifest))


def _note_redirect(context: Context, name: str, acknowledged: bool) -> Redirected:
    """Note that a route leads to the page, and whether its gateway knows."""
    now = context.now()
    # After a restart nothing is remembered. Then the wait begins anew, which costs some seconds; to guess
    # that the gateway had followed already could show plain staging behind the link.
    before = context.memory.redirected.get(name) or Redirected(now)
    redirected = Redirected(before.at, (before.acknowledged_at or now) if acknowledged else None)
    context.memory.redirected[name] = redirected
    return redirected
