"""What a child has to wait for: others that must be ready before it, and others that must go before it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from previewbot.api import Child, ChildState, Reason
from previewbot.engine.operator import lacking
from previewbot.reconciler.children.kind import ChildKind, Desired, Mode
from previewbot.reconciler.children.step import StepInputs
from previewbot.reconciler.found import Found, Identity
from previewbot.reconciler.observation import Observation

_UP = (ChildState.READY, ChildState.IDLE)


class Wanted(NamedTuple):
    """A child that should be there, among `all` of them in the order of their kinds."""

    kind: ChildKind
    desired: Desired
    all: Sequence[tuple[ChildKind, Desired]]


def step_inputs(
    observation: Observation, wanted: Wanted, orphans: Sequence[Found], before: Sequence[Child]
) -> StepInputs:
    """Return what a child's step needs to know; `before` are the children of kinds before its own, as they
    are by now."""
    desired = wanted.desired
    earlier = [child for child in before if child.kind != wanted.kind.name and _blocks(child, desired)]
    down = [child for child in earlier if child.state not in _UP]
    failed = [child for child in down if child.state is ChildState.FAILED]
    first = next(iter(failed or down), None)
    held, words = _held(observation, wanted)
    return StepInputs(
        owner_uid=observation.preview.uid,
        now=observation.now,
        slot_granted=observation.slot.granted,
        predecessor=_predecessor(desired, orphans),
        blocked=(first.reason or Reason.CREATING) if first is not None else None,
        broken=any(child.identity in desired.needs for child in failed),
        needed=_is_used(observation, wanted),
        held=held,
        held_words=words,
        taken=observation.taken.get(desired.identity, ""),
    )


def is_needed(
    child: Found, going: Iterable[Found], there: Iterable[Found], kinds: Sequence[ChildKind]
) -> bool:
    """Return whether an object that is there may need this one until it is gone.

    That is whatever names it, also where it only makes way for its successor, and of those that are `going`
    too all of a later kind.
    """
    order = [kind.name for kind in kinds]
    later = (other for other in going if order.index(other.kind) > order.index(child.kind))
    return any(child.identity in other.needs for other in there) or any(
        _go_together(other.service, child.service) for other in later
    )


def _is_used(observation: Observation, wanted: Wanted) -> bool:
    """Return whether an object that is about to make way uses this one still.

    One that is kept as it is for an older commit makes no way, so nothing waits for it.
    """
    kept = {desired.identity for _, desired in wanted.all if desired.mode is Mode.KEEP}
    identity: Identity = wanted.desired.identity
    return any(identity in other.needs and other.identity not in kept for other in observation.found)


def _held(observation: Observation, wanted: Wanted) -> tuple[Reason | None, str]:
    """Return why nothing of it can be made in this cluster now, or of what it needs; and more of that."""
    if observation.no_preview_because is not None:
        return observation.no_preview_because, ""
    needed = [d for _, d in wanted.all if d is wanted.desired or d.identity in wanted.desired.needs]
    for desired in needed:
        if desired.mode is Mode.KEEP:
            continue
        missing = lacking(observation.operator, desired.features)
        if not missing and desired.kind in observation.absent:
            missing = next(iter(desired.features), "")
        if missing:
            return Reason.FEATURE_MISSING, f"{desired.features[missing]} ({missing})"
    return None, ""


def _predecessor(desired: Desired, orphans: Sequence[Found]) -> Found | None:
    if desired.services:
        # What is for several services is told from others by its name alone.
        return None
    same = (o for o in orphans if (o.kind, o.service) == (desired.kind, desired.service))
    return next(same, None)


def _blocks(child: Child, desired: Desired) -> bool:
    """Return whether a child must be ready before another: one of its service, or for several one that it
    names."""
    return child.identity in desired.needs if child.services else child.is_of(desired.service)


def _go_together(service: str, other: str) -> bool:
    """Return whether what is of these services depends on each other; a child without one is of all."""
    return service == other or not service or not other
