"""One child of a preview, whatever its kind: from what should be and what is to its status and the next
action.

Children are replaced, never patched. A recorded uid is cleared in the same write that precedes our own
delete, so a recorded uid that is gone can only mean that somebody else removed the object.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from previewbot.api import Child, ChildState, Phase, Reason
from previewbot.engine.operator import OPERATOR_REASONS
from previewbot.reconciler.children.actions import Action, Create, Delete, Give, Patch
from previewbot.reconciler.children.kind import ChildHealth, Desired, Mode
from previewbot.reconciler.found import Found

HOLDS = OPERATOR_REASONS | {Reason.FEATURE_MISSING}
"""The reasons for which nothing is made or replaced, and what is there stays."""

DELETION_STALLED_AFTER = timedelta(minutes=2)

_RECREATIONS = 1


@dataclass(frozen=True)
class StepInputs:
    """What a child's step needs to know of everything else.

    `predecessor` is another object of the same kind and service that is on its way out. `blocked`: something
    that has to be ready before it is not, and this is why; `broken`: it has failed. `needed`: something that
    cannot be without it is there, and must go first. `held`: nothing is made or replaced for now, and this is
    why, and more of it in words; it concerns the whole cluster. `taken`: something of somebody else's is in
    the way of a child that is not there, and this is what.
    """

    owner_uid: str
    now: datetime
    slot_granted: bool
    predecessor: Found | None = None
    blocked: Reason | None = None
    broken: bool = False
    needed: bool = False
    held: Reason | None = None
    held_words: str = ""
    taken: str = ""


@dataclass(frozen=True)
class ChildStep:
    """A child's new status and at most one action; `needs_slot` if it waits for nothing else, or has one."""

    child: Child
    action: Action | None = None
    needs_slot: bool = False


def next_step(
    desired: Desired, found: Found | None, was: Child, health: ChildHealth | None, inputs: StepInputs
) -> ChildStep:
    """Return the next step of a child that should be there; `health` is that of what was found."""
    if found is None or not _is_outdated(was):
        was = _as_desired_now(was, desired)
    if found is not None and found.owner_uid != inputs.owner_uid:
        # It has the name that we need, but its owner was another Preview of this pull request: somebody
        # deleted that one with `kubectl`, and the next webhook or listing made ours.
        return _make_way(was, found, inputs.now)
    if desired.mode is Mode.KEEP:
        return ChildStep(_keep(was, found, inputs.now))
    if found is None or health is None:
        return _absent(desired, was, inputs)
    if was.failed_attempt == desired.attempt:
        return _failed(desired, found, was, inputs)
    # A new one has the same name, so it cannot be made before the API server answers 404 for this one. Its
    # deletion event wakes us.
    if found.deleting_since is not None:
        reason = inputs.held or _replacing(found, inputs.now)
        return ChildStep(_with_state(was, ChildState.REPLACING, reason, inputs.now))
    if inputs.broken:
        # Without what it needs it shows nothing of use, and keeps that from being removed.
        broken = _with_state(was, ChildState.REPLACING, inputs.blocked, inputs.now, uid="")
        return ChildStep(broken, Delete(found))
    outdated = found.spec_hash != desired.spec_hash or _is_outdated(was)
    if inputs.held is not None and outdated:
        # What serves is better than nothing: it stays until one could be made in its place. It stays marked.
        return ChildStep(_held(was, ChildState.REPLACING, inputs))
    if inputs.held is not None and found.state is ChildState.CREATING:
        # Whoever would bring it up cannot, so no deadline of its own runs: see `began_to_wait`.
        return ChildStep(_held(was, ChildState.PENDING, inputs, uid=found.uid))
    if outdated:
        # The uid is cleared in the write before the deletion. If the process dies between the two, the next
        # pass finds the object with its old hash and plans this step again. If it dies after the deletion,
        # the next pass finds neither uid nor object, and makes the new one: nobody takes it for one that a
        # person removed.
        replacing = _with_state(was, ChildState.REPLACING, Reason.REPLACING, inputs.now, uid="")
        return ChildStep(replacing, None if inputs.needed else Delete(found))
    if found.in_place_hash != desired.in_place_hash:
        # What uses it is of the commit before and goes first. The patch may be lost or made twice: the object
        # says itself for what it was made, in the hash beside it.
        migrating = _with_state(was, ChildState.CREATING, Reason.MIGRATING, inputs.now, uid=found.uid)
        return ChildStep(migrating, None if inputs.needed else Patch(desired, found))
    step = _as_desired(desired, found, was, health, inputs)
    if desired.secrets and step.action is None and step.child.given != found.uid:
        # Its making and this are two requests, and the process may have died between them.
        return replace(step, action=Give(desired, found.uid))
    return step


def _failed(desired: Desired, found: Found, was: Child, inputs: StepInputs) -> ChildStep:
    """Return the step of what failed: it goes, unless it has data that somebody may still want."""
    reason = was.reason if was.reason and was.reason.phase is Phase.FAILED else desired.failure
    stays = inputs.needed or _has_data(desired, found, was)
    failed = _with_state(was, ChildState.FAILED, reason, inputs.now, uid=found.uid if stays else "")
    return ChildStep(failed, None if found.deleting_since or stays else Delete(found))


def _has_data(desired: Desired, found: Found, was: Child) -> bool:
    return desired.holds_data and was.was_ready and found.state is not ChildState.FAILED


def _held(was: Child, state: ChildState, inputs: StepInputs, *, uid: str | None = None) -> Child:
    child = _with_state(was, state, inputs.held, inputs.now, uid=uid)
    return _with_message(child, inputs.held_words) if inputs.held_words else child


def removed_step(was: Child | None, found: Found | None, now: datetime) -> tuple[Child | None, Delete | None]:
    """Return what is left of a child that should go, and its deletion if that was not asked for yet.

    What failed is remembered although the object is gone.
    """
    if found is None:
        if was is None or not was.failed_attempt:
            return None, None
        # Its removal may have stalled; now that it is gone that is over.
        kept = was.reason if was.reason and was.reason.phase is Phase.FAILED else None
        return _with_state(was, ChildState.FAILED, kept, now, uid=""), None
    child = was or Child(found.kind, found.namespace, found.name, found.service)
    reason = found.removal_stalled if is_deletion_stalled(found, now) else None
    child = _with_state(child, ChildState.REMOVING, reason, now, uid="")
    return child, None if found.deleting_since else Delete(found)


def is_deletion_stalled(found: Found, now: datetime) -> bool:
    """Return whether an object is being deleted for so long that nobody seems to carry it out."""
    return found.deleting_since is not None and now - found.deleting_since >= DELETION_STALLED_AFTER


def _replacing(found: Found, now: datetime) -> Reason:
    """Return why what comes after an object is not there yet."""
    return found.stalled if is_deletion_stalled(found, now) else Reason.REPLACING


def mark_outdated(child: Child) -> Child:
    """Return a child whose object is to be replaced although its spec is as desired.

    It stays marked, by an empty spec hash, until the object is gone: the deletion may wait for a route, and
    the passes in between must not take the object for a good one.
    """
    return replace(child, state=ChildState.REPLACING, reason=Reason.REPLACING, uid="", spec_hash="")


def with_failure(
    child: Child, desired: Desired, message: str, now: datetime, reason: Reason | None = None
) -> Child:
    """Record a failure; it is stored before the failed object is deleted, since only that has the words."""
    child = replace(child, failed_attempt=desired.attempt, message=message)
    return _with_state(child, ChildState.FAILED, reason or desired.failure, now, uid="")


def _is_outdated(child: Child) -> bool:
    return child.state is ChildState.REPLACING and not child.spec_hash


def _as_desired_now(was: Child, desired: Desired) -> Child:
    """Carry a child over to what is desired now; another spec may be made again as often as the first."""
    if desired.mode is Mode.KEEP or was.spec_hash == desired.spec_hash:
        return was
    return replace(was, spec_hash=desired.spec_hash, recreations=0)


def _make_way(was: Child, found: Found, now: datetime) -> ChildStep:
    """Remove what has our name and label, but an owner that is gone: Kubernetes may never collect it."""
    reason = _replacing(found, now)
    action = None if found.deleting_since else Delete(found)
    return ChildStep(_with_state(was, ChildState.REPLACING, reason, now), action)


def _keep(was: Child, found: Found | None, now: datetime) -> Child:
    if found is None:
        return _with_state(was, ChildState.PENDING, None, now, uid="")
    return _with_state(was, found.state, None, now, uid=found.uid)


def _absent(desired: Desired, was: Child, inputs: StepInputs) -> ChildStep:
    if was.failed_attempt == desired.attempt:
        reason = was.reason if was.reason and was.reason.phase is Phase.FAILED else desired.failure
        return ChildStep(_with_state(was, ChildState.FAILED, reason, inputs.now, uid=""))
    if inputs.held is not None:
        # It holds no slot for nothing. And if what was there went with the operator, nobody meant to remove
        # it.
        return ChildStep(_held(was, ChildState.PENDING, inputs, uid=""))
    if inputs.taken:
        # Perhaps by the very hand that removed ours: `mirrord preview start` with a key and a target of ours
        # does. It is made again when that goes, and not in a fight over it.
        taken = _with_state(was, ChildState.PENDING, desired.taken, inputs.now, uid="")
        return ChildStep(_with_message(taken, inputs.taken))
    if was.uid:
        # Somebody deleted our object. Re-create it once; the second time report a failure.
        # Whoever removes it twice means it, or something in the cluster does; to make it again and again
        # would be a fight that nobody sees.
        if was.recreations >= _RECREATIONS:
            by = f", as {desired.removed_by} does" if desired.removed_by else ""
            message = f"its {desired.what} was removed from the cluster twice{by}"
            return ChildStep(with_failure(was, desired, message, inputs.now))
        was = replace(was, uid="", recreations=was.recreations + 1)
    if inputs.predecessor is not None:
        # It has another target and is on its way out: two of a service would both take its requests.
        reason = _replacing(inputs.predecessor, inputs.now)
        return ChildStep(_with_state(was, ChildState.REPLACING, reason, inputs.now))
    if inputs.blocked is not None:
        # Of what it needs and what has failed there may be nothing left: others may have its slot.
        pending = _with_state(was, ChildState.PENDING, inputs.blocked, inputs.now)
        return ChildStep(pending, needs_slot=not inputs.broken)
    # The limit is reached, so it waits. When another preview gives up its slot, those whose turn it may
    # be are woken and ask again.
    if not inputs.slot_granted:
        queued = _with_state(was, ChildState.PENDING, Reason.LIMIT_REACHED, inputs.now)
        return ChildStep(queued, needs_slot=True)
    # This is stored before the object is created. After a crash right behind the create, the next pass finds
    # the object by its name and takes over its uid.
    child = replace(was, message="", was_ready=False, given="")
    creating = _with_state(child, ChildState.CREATING, Reason.CREATING, inputs.now)
    return ChildStep(creating, Create(desired), needs_slot=True)


def _as_desired(
    desired: Desired, found: Found, was: Child, health: ChildHealth, inputs: StepInputs
) -> ChildStep:
    now = inputs.now
    if health.state is ChildState.FAILED:
        # The failed object is deleted so that it holds no resources. Its message was stored by then, and the
        # attempt is remembered: without that the next pass would make it again, to fail again, for ever.
        stays = inputs.needed or _has_data(desired, found, was)
        failed = with_failure(was, desired, health.message, now, health.reason)
        if stays:
            return ChildStep(replace(failed, uid=found.uid))
        return ChildStep(failed, Delete(found))
    # One that is paused was not ready by that: should it never come up afterwards, its deadline ends it.
    up = health.state in (ChildState.READY, ChildState.IDLE) and health.reason is not Reason.PAUSED
    was = _with_message(replace(was, was_ready=True) if up and not was.was_ready else was, health.message)
    return ChildStep(_with_state(was, health.state, health.reason, now, uid=found.uid))


def began_to_wait(found: Found, was: Child, now: datetime) -> datetime:
    """Return since when a child that is not up yet could have come up: its deadline counts from then.

    That is its creation, or the end of what held it up through no fault of its own.
    """
    if was.reason in HOLDS or was.reason is Reason.PAUSED:
        return now
    since = was.since if was.state is ChildState.CREATING and was.uid == found.uid else None
    return max(found.created_at, since or found.created_at)


def _with_message(child: Child, message: str) -> Child:
    return child if child.message == message else replace(child, message=message)


def _with_state(
    child: Child, state: ChildState, reason: Reason | None, now: datetime, *, uid: str | None = None
) -> Child:
    """Return a child in this state, since now if it was in another; the same child where nothing changes."""
    since = child.since if child.state is state and child.since else now
    uid = child.uid if uid is None else uid
    if (child.state, child.reason, child.since, child.uid) == (state, reason, since, uid):
        return child
    return replace(child, state=state, reason=reason, since=since, uid=uid)
