"""Acts on the children of a preview: deletions, then creations and what is changed in place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from previewbot.api import Child, ChildState, Reason, Status, preview_name_of
from previewbot.engine import mirrord
from previewbot.engine.annotations import MIGRATIONS_HASH
from previewbot.engine.merge_patch import merge_patch
from previewbot.errors import Conflict, Forbidden, Invalid, NotFound, RemoteError
from previewbot.reconciler.apply.route import RouteResult, is_refusal
from previewbot.reconciler.children.actions import Create, Delete, Give, Patch
from previewbot.reconciler.children.kind import ChildKind, Desired
from previewbot.reconciler.children.step import with_failure
from previewbot.reconciler.context import Context
from previewbot.reconciler.observation import Found
from previewbot.reconciler.plan.decision import Run
from previewbot.reconciler.plan.planner import Plan
from previewbot.reconciler.plan.services import with_failed_services
from previewbot.reconciler.store import PreviewStore
from previewbot.rules.masking import one_line
from previewbot.rules.refusals import in_short
from previewbot.text.durations import format_duration


@dataclass(frozen=True)
class ApplyResult:
    """What came of acting: the status after it, whether anything `changed` or was `deferred`, the first
    error."""

    status: Status
    changed: bool = False
    deferred: bool = False
    error: RemoteError | None = None


async def apply_actions(
    context: Context, store: PreviewStore, plan: Plan, status: Status, route: RouteResult
) -> ApplyResult:
    """Carry out the plan's actions, deletions first; an action that fails keeps no other from being tried.

    Until the route has switched, a session that serves is not deleted; the next pass plans that again. A
    replacement waits as long as it takes, since the old session serves and has an end of its own. An end
    waits some seconds for a route that cannot be written, and not at all for one that the cluster refuses.
    """
    past_waiting = is_refusal(route.error) or route.timed_out
    switched = route.switched or (past_waiting and not isinstance(plan.decision, Run))
    # A session whose route could not be written would be one that nobody reaches: whoever follows the link
    # would see plain staging and take it for the change. The slot must be held in the stored status, else a
    # crash after the create would leave a session that no slot accounts for.
    may_create = route.error is None and status.slot.held and plan.may_create
    actions = [a for a in plan.steps.actions if may_create or isinstance(a, Delete)]
    deferred = [a for a in actions if isinstance(a, Delete) and a.found.serving and not switched]
    if route.error is not None and not is_refusal(route.error):
        for create in (a for a in plan.steps.actions if isinstance(a, Create)):
            status = _given_up(context, status, create.desired, route.error) or status
    first: RemoteError | None = None
    for action in sorted(actions, key=lambda action: not isinstance(action, Delete)):
        try:
            if isinstance(action, Create):
                status = await _create(context, store, status, action.desired)
            elif isinstance(action, Patch):
                status = await _patch(context, status, action)
            elif isinstance(action, Give):
                status = await _give(context, status, action.desired, action.uid)
            elif action not in deferred:
                await _delete(context, action.found)
        except RemoteError as error:
            # Go on with the others. If the API server refuses one deletion, the session in another namespace
            # must still end on time.
            desired = None if isinstance(action, Delete) else action.desired
            given_up = _given_up(context, status, desired, error) if desired is not None else None
            if given_up is None:
                first = first or error
            else:
                status = given_up
    return ApplyResult(status, bool(actions), bool(deferred), first)


async def _delete(context: Context, found: Found) -> None:
    try:
        resource = _kind(context, found.kind).resource
        # With the uid as a precondition. The list is a moment old: by now the name may belong to a new
        # session, perhaps one that another controller made, and that one must not be deleted.
        await context.kube.delete_child(resource, found.namespace, found.name, found.uid)
    except Conflict:
        # Another object has the name by now; the next pass sees whose it is.
        return


async def _create(context: Context, store: PreviewStore, status: Status, desired: Desired) -> Status:
    """Create a child and note its uid.

    A crash right after the create leaves the uid unnoted; the next pass finds the object by its name, with
    our uid as the owner's, and takes it over.
    """
    try:
        resource = _kind(context, desired.kind).resource
        # The name is the fence: it depends on the pull request, the namespace and the target only. If two
        # controllers get here, the API server lets one of them create and answers 409 to the other.
        obj = await context.kube.create_child(resource, desired.namespace, desired.manifest)
    except Conflict:
        return await _name_is_taken(context, store, status, desired)
    except (Invalid, Forbidden, NotFound) as error:
        why = in_short(error.message or str(error))
        message = f"the cluster refused the preview {desired.what}, which is for your platform team: {why}"
        # An admission policy or a quota, say. It would be refused again, so people are told, and it is tried
        # again only for another commit or after `/preview start`.
        return _record_failure(context, status, desired, message)
    uid = str(obj["metadata"]["uid"])
    status = _with_child(status, desired, lambda child: replace(child, uid=uid))
    # Should the process die here, the next pass finds it without its secret files, and gives it these.
    return await _give(context, status, desired, uid) if desired.secrets else status


async def _give(context: Context, status: Status, desired: Desired, uid: str) -> Status:
    """Give mirrord's operator the secret files of a session; their contents are in no object and no log."""
    metadata = {**desired.manifest["metadata"], "uid": uid}
    body = mirrord.secret_mounts({**desired.manifest, "metadata": metadata}, desired.secrets)
    try:
        await context.kube.give_secret_mounts(body)
    except Conflict:
        # They were given, and the answer was lost.
        pass
    except (Invalid, Forbidden, NotFound) as error:
        # Not in its words, which may repeat what it was given.
        answer = f"it answered {error.status}, and its log says why"
        message = (
            f"mirrord's operator did not take the secret files, which is for your platform team: {answer}"
        )
        return _record_failure(context, status, desired, message)
    return _with_child(status, desired, lambda child: replace(child, given=uid))


async def _patch(context: Context, status: Status, action: Patch) -> Status:
    """Patch what is there, so that its data stays."""
    desired, found = action.desired, action.found
    annotations = {MIGRATIONS_HASH: desired.in_place_hash}
    patch = {
        # With the uid as a precondition, as for a deletion: the list is a moment old.
        "metadata": {"uid": found.uid, "annotations": annotations},
        "spec": merge_patch(found.in_place, desired.in_place),
    }
    try:
        resource = _kind(context, desired.kind).resource
        await context.kube.patch_child(resource, found.namespace, found.name, patch)
    except (Conflict, NotFound):
        # Another object has the name by now, or none has; the next pass sees it.
        return status
    except Forbidden as error:
        why = in_short(error.message or str(error))
        message = (
            "previewbot may not change the database branch, so that this commit's migrations cannot run. "
            f"That is for your platform team (docs/operations.md): {why}"
        )
        return _record_failure(context, status, desired, message, Reason.MIGRATION_FORBIDDEN)
    except Invalid as error:
        why = in_short(error.message or str(error))
        message = f"the cluster refused the migrations, which is for your platform team: {why}"
        return _record_failure(context, status, desired, message, Reason.MIGRATION_FORBIDDEN)
    return status


async def _name_is_taken(context: Context, store: PreviewStore, status: Status, desired: Desired) -> Status:
    """See who has the name of a child that we did not find.

    One of ours that lost its label goes, since nobody would ever see it again; a stranger's is told of.
    """
    kind = _kind(context, desired.kind)
    for obj in await context.kube.list_children(kind.resource, desired.namespace, ""):
        if obj["metadata"]["name"] != desired.name or preview_name_of(obj) == store.preview.name:
            # One that carries our label appeared since we listed: it is the next pass's.
            continue
        found = kind.read(obj)
        if found.owner_uid == store.preview.uid:
            await _delete(context, found)
        else:
            message = (
                f"somebody else has a preview {desired.what} named {desired.name}; it must be removed first"
            )
            status = _record_failure(context, status, desired, message)
    return status


def _given_up(context: Context, status: Status, desired: Desired, error: RemoteError) -> Status | None:
    """Record that a child failed which could not be made within the session's deadline; None before that.

    Its slot would be held for as long as the cluster does not take it: no clock runs for what was never
    there. The deadline counts only with an attempt that just failed, never after a pause of ours alone.
    """
    deadline = context.limits.session_deadline
    child = next((child for child in status.children if child.identity == desired.identity), None)
    since = child.since if child is not None and child.state is ChildState.CREATING else None
    if since is None or context.now() - since < deadline:
        return None
    # If the cluster made it all the same and only its answer was lost, the next pass finds it, and removes it
    # as it does with all that failed.
    why = in_short(error.message or str(error))
    message = (
        f"the cluster did not take the preview {desired.what} within {format_duration(deadline)}, which is "
        f"for your platform team: {why}"
    )
    return _record_failure(context, status, desired, message)


def _record_failure(
    context: Context, status: Status, desired: Desired, message: str, reason: Reason | None = None
) -> Status:
    """Record that a child could not be made; its services fail with it."""
    now, words, why = context.now(), one_line(message), reason or desired.failure
    status = _with_child(status, desired, lambda child: with_failure(child, desired, words, now, why))
    return with_failed_services(status, desired.is_of, why, words, now)


def _with_child(status: Status, desired: Desired, change: Callable[[Child], Child]) -> Status:
    children = tuple(
        change(child) if child.identity == desired.identity else child for child in status.children
    )
    return replace(status, children=children)


def _kind(context: Context, name: str) -> ChildKind:
    return next(kind for kind in context.kinds if kind.name == name)
