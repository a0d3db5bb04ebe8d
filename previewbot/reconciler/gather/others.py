"""What of somebody else's is in the way of children that are about to be made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from previewbot.api import Reason
from previewbot.reconciler.children.kind import ChildKind, Desired, Inputs, Mode, Object
from previewbot.reconciler.context import Context
from previewbot.reconciler.observation import Observation, Prepared

Identity = tuple[str, str, str]


async def taken_by_others(
    context: Context, observation: Observation, services: Sequence[Prepared]
) -> Mapping[Identity, str]:
    """Return what is in the way of children of these services that are not there, by their identity.

    It is asked only where one could be made now, or was in somebody's way before: of all others that wait
    nobody needs to know. Raises RemoteError.
    """
    status = observation.preview.status
    waits = {child.identity for child in status.children if child.reason is Reason.TARGET_TAKEN}
    may_run = observation.slot.granted or status.slot.held
    if observation.no_preview_because is not None or not (waits or may_run):
        return {}
    taken = {}
    listed: dict[tuple[str, str], list[Object]] = {}
    for kind, desired in _missing(context, observation, services):
        place = kind.name, desired.namespace
        if place not in listed:
            listed[place] = [*await context.kube.list_children(kind.resource, desired.namespace, "")]
        words = kind.in_the_way(desired, listed[place], observation.operator.operator)
        if words:
            taken[desired.identity] = words
    return taken


def _missing(
    context: Context, observation: Observation, services: Sequence[Prepared]
) -> list[tuple[ChildKind, Desired]]:
    """Return the children that should be there and are not, but for those that failed already."""
    preview, facts = observation.preview, observation.facts
    assert facts is not None
    inputs = Inputs(preview, facts, observation.limits, services)
    there = {found.identity for found in observation.found}
    failed = {(child.identity, child.failed_attempt) for child in preview.status.children}
    return [
        (kind, desired)
        for kind in context.kinds
        for desired in kind.desired(inputs)
        if desired.mode is Mode.MAKE
        and desired.identity not in there
        and desired.namespace not in observation.unseen
        and (desired.identity, desired.attempt) not in failed
    ]
