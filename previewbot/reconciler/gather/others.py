"""What of somebody else's is in the way of children that are about to be made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from previewbot.api import Reason
from previewbot.errors import Forbidden, NotFound
from previewbot.reconciler.children.kind import ChildKind, Desired, Mode, Object
from previewbot.reconciler.context import Context
from previewbot.reconciler.found import Identity
from previewbot.reconciler.observation import Observation, Prepared
from previewbot.reconciler.plan.steps import wanted_of

_TAKEN = (Reason.TARGET_TAKEN, Reason.BRANCH_TAKEN)


async def taken_by_others(
    context: Context, observation: Observation, services: Sequence[Prepared]
) -> tuple[Mapping[Identity, str], frozenset[str]]:
    """Return what is in the way of children of these services that are not there, by their identity; and the
    kinds of those that the cluster does not know.

    It is asked only where one could be made now, or was in somebody's way before: of all others that wait
    nobody needs to know. Raises RemoteError.
    """
    status = observation.preview.status
    waits = {child.identity for child in status.children if child.reason in _TAKEN}
    may_run = observation.slot.granted or status.slot.held
    if observation.no_preview_because is not None or not (waits or may_run):
        return {}, frozenset()
    taken, absent = {}, set[str]()
    listed: dict[tuple[str, str], list[Object]] = {}
    for kind, desired in _missing(context, observation, services):
        place = kind.name, desired.namespace
        if place not in listed:
            listed[place] = await _all_of(context, kind, desired.namespace, absent)
        words = kind.in_the_way(desired, listed[place], observation.operator.operator)
        if words:
            taken[desired.identity] = words
    return taken, frozenset(absent)


async def _all_of(context: Context, kind: ChildKind, namespace: str, absent: set[str]) -> list[Object]:
    """List all objects of a kind in a namespace; none of one that the cluster may be without, and is.

    Without the right to look, the making of one says so, and whose it is: the pass must not end here.
    """
    try:
        return [*await context.kube.list_children(kind.resource, namespace, "")]
    except (Forbidden, NotFound) as error:
        if not kind.optional:
            raise
        absent.update([kind.name] if isinstance(error, NotFound) else [])
        return []


def _missing(
    context: Context, observation: Observation, services: Sequence[Prepared]
) -> list[tuple[ChildKind, Desired]]:
    """Return the children that should be there and are not, but for those that failed already."""
    there = {found.identity for found in observation.found}
    failed = {(child.identity, child.failed_attempt) for child in observation.preview.status.children}
    return [
        (kind, desired)
        for kind, desired in wanted_of(observation, services, context.kinds)
        if desired.mode is Mode.MAKE
        and desired.identity not in there
        and desired.namespace not in observation.unseen
        and (desired.identity, desired.attempt) not in failed
    ]
