"""Acts on the cluster in order: the route, deletions, creations."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from previewbot import links
from previewbot.errors import Conflict, Forbidden, Invalid, NotFound, RemoteError
from previewbot.masking import one_line
from previewbot.mirrord import Session, Wanted, manifest, session_from, session_name
from previewbot.plan import Create, Delete, Facts
from previewbot.plan.services import question
from previewbot.preview import Phase, Service, Status, preview_name_of
from previewbot.reconcile.context import Context
from previewbot.reconcile.memory import Turned
from previewbot.reconcile.outcome import is_refusal
from previewbot.reconcile.stored import Stored

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Routed:
    """Where a route stands.

    `followed`: the gateway does not lead to staging any more, or may go on doing so. `overdue`: that was
    waited for long enough. `error`: why the route could not be written.
    """

    followed: bool = True
    overdue: bool = True
    error: RemoteError | None = None


@dataclass(frozen=True)
class Acted:
    """What came of acting: the world may have `moved`, a session is `held` back, there was an `error`."""

    moved: bool = False
    held: bool = False
    error: RemoteError | None = None


async def route(context: Context, stored: Stored, facts: Facts | None) -> Routed:
    """Make the HTTPRoute what it should be, if links go through a Gateway and the repository has an entry.

    While GitHub cannot be read the entry is unknown: then the route is only ever turned to the page. As long
    as the gateway may still lead to staging although the route does not, it is not `followed`: a session that
    went now would leave plain staging behind the link.
    """
    gateway, preview, status = context.gateway, stored.preview, stored.status
    config = facts.config if facts else None
    entry = config.entry if config else None
    serving = any(service.serving_sha for service in status.services)
    namespace = entry.namespace if entry else status.route_namespace
    if gateway is None:
        await _remove(context, stored)
    if gateway is None or not namespace or (entry is None and serving):
        return Routed()
    towards = entry if serving else None
    page = links.page_url(context.settings.public_url, preview.name)
    wanted = links.route(preview, gateway, namespace, towards, page=page)
    known, failure, problem = False, None, status.route_problem
    try:
        known, problem = links.known(await _apply(context, stored, wanted), gateway), ""
    except RemoteError as error:
        failure = error
        if is_refusal(error):
            problem = one_line(error.message or str(error))
    stored.status = replace(stored.status, route_problem=problem)
    if towards is not None:
        context.memory.turned.pop(preview.name, None)
        return Routed(error=failure)
    turned, now = _turned(context, preview.name, known), context.now()
    followed = failure is None and links.followed(gateway, turned.at, turned.known_at, now)
    return Routed(followed, links.followed(gateway, turned.at, None, now), failure)


async def _remove(context: Context, stored: Stored) -> None:
    """Remove the route of a gateway that the settings had before, lest it lead to staging after the end."""
    namespace = stored.status.route_namespace
    if not namespace:
        return
    try:
        await context.kube.delete_route(namespace, stored.preview.spec.environment_key)
    except RemoteError as error:
        # The permission goes with the setting; then the route goes with the Preview.
        log.warning("a route stays", extra={"preview": stored.preview.name, "error": str(error)})
        return
    stored.status = replace(stored.status, route_namespace="", route_problem="")


async def _apply(context: Context, stored: Stored, wanted: Mapping[str, Any]) -> Mapping[str, Any]:
    namespace, before = wanted["metadata"]["namespace"], stored.status.route_namespace
    if before and before != namespace:
        await context.kube.delete_route(before, wanted["metadata"]["name"])
    applied = await context.kube.apply_route(wanted)
    stored.status = replace(stored.status, route_namespace=namespace)
    return applied


def _turned(context: Context, name: str, known: bool) -> Turned:
    """Note that a route leads to the page, and whether its gateway knows."""
    now = context.now()
    before = context.memory.turned.get(name) or Turned(now)
    turned = Turned(before.at, (before.known_at or now) if known else None)
    context.memory.turned[name] = turned
    return turned


async def act(
    context: Context, stored: Stored, actions: Sequence[Create | Delete], *, followed: bool = True
) -> Acted:
    """Carry out the actions, deletions first.

    Until the route is `followed`, what serves stays; the next pass finds it and plans its end again. An
    action that fails keeps no other from being tried.
    """
    held = [a for a in actions if isinstance(a, Delete) and a.session.serving and not followed]
    first: RemoteError | None = None
    for action in sorted(actions, key=lambda action: isinstance(action, Create)):
        try:
            if isinstance(action, Create):
                await _create(context, stored, action.wanted)
            elif action not in held:
                await _delete(context, action.session)
        except RemoteError as error:
            first = first or error
    return Acted(bool(actions), bool(held), first)


async def _delete(context: Context, session: Session) -> None:
    try:
        await context.kube.delete_session(session.namespace, session.name, session.uid)
    except Conflict:
        # Another session has the name by now; the next pass sees whose it is.
        return


async def _create(context: Context, stored: Stored, wanted: Wanted) -> None:
    """Create a session and note its uid.

    A crash right after the create leaves the uid unnoted; the next pass finds the session by its name,
    with our uid as the owner's, and takes it over.
    """
    preview = stored.preview
    try:
        obj = await context.kube.create_session(wanted.namespace, manifest(preview, wanted))
    except Conflict:
        await _find_out(context, stored, wanted)
        return
    except (Invalid, Forbidden, NotFound) as error:
        _fail(stored, wanted, f"the cluster refused the preview session: {error.message or error}")
        return
    uid = obj["metadata"]["uid"]
    stored.status = _changed(stored.status, wanted.service, lambda service: replace(service, session_uid=uid))


async def _find_out(context: Context, stored: Stored, wanted: Wanted) -> None:
    """See who has the name of a session that we did not find.

    One of ours that lost its label goes, since nobody would ever see it again; a stranger's is told of.
    """
    name = session_name(stored.preview.spec.environment_key, wanted.namespace, wanted.target)
    for obj in await context.kube.list_sessions(wanted.namespace, ""):
        if obj["metadata"]["name"] != name or preview_name_of(obj) == stored.preview.name:
            # One that we find appeared since we listed: it is the next pass's.
            continue
        session = session_from(obj)
        if session.owner_uid == stored.preview.uid:
            await _delete(context, session)
        else:
            message = f"somebody else has a preview session named {name}; it must be removed first"
            _fail(stored, wanted, message)


def _fail(stored: Stored, wanted: Wanted, message: str) -> None:
    def failed(service: Service) -> Service:
        return replace(
            service,
            phase=Phase.FAILED,
            reason="SessionFailed",
            failed_question=question(stored.preview, wanted),
            failure=one_line(message),
        )

    stored.status = _changed(stored.status, wanted.service, failed)


def _changed(status: Status, name: str, change: Callable[[Service], Service]) -> Status:
    services = tuple(change(service) if service.name == name else service for service in status.services)
    return replace(status, services=services)
