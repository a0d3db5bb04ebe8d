"""mirrord preview sessions: one per service that should run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from previewbot.api import Child, ChildState, Reason
from previewbot.engine import mirrord
from previewbot.engine.annotations import SPEC_HASH
from previewbot.engine.branches import KIND as BRANCH
from previewbot.engine.idle import with_default
from previewbot.engine.isolation import isolation_from
from previewbot.engine.operator import Operator
from previewbot.engine.other_sessions import in_the_way
from previewbot.reconciler.children.branches import branches_of, marks_of
from previewbot.reconciler.children.kind import ChildHealth, Desired, Inputs, Mode, Object
from previewbot.reconciler.children.step import DELETION_STALLED_AFTER, began_to_wait
from previewbot.reconciler.children.time_to_live import time_to_live
from previewbot.reconciler.found import Found
from previewbot.reconciler.limits import Limits
from previewbot.reconciler.observation import Prepared
from previewbot.rules import images
from previewbot.text.durations import format_duration

_STATES = {
    "Ready": ChildState.READY,
    "Idle": ChildState.IDLE,
    "Waking": ChildState.IDLE,
    "Failed": ChildState.FAILED,
    # Somebody answers, and the session itself waits for them to end: nothing of ours is to be awaited.
    "Paused": ChildState.READY,
}


class Sessions:
    """The kind `PreviewSession`."""

    name = mirrord.KIND
    resource = mirrord.SESSIONS
    patched = False
    optional = False

    def desired(self, inputs: Inputs) -> Sequence[Desired]:
        """Return a session per service; one whose image is not known leaves what is there as it is."""
        return [self._desired(inputs, prepared) for prepared in inputs.services]

    def read(self, obj: Object) -> Found:
        """Read a session."""
        session = mirrord.session_from(obj)
        return Found(
            kind=self.name,
            namespace=session.namespace,
            name=session.name,
            uid=session.uid,
            owner_uid=session.owner_uid,
            created_at=session.created_at,
            state=_STATES.get(session.phase, ChildState.CREATING),
            service=session.service,
            spec_hash=session.spec_hash,
            head_sha=session.head_sha,
            answered=session.phase != "Pending",
            reason=_reason(session),
            message=session.failure or session.unknown_phase,
            serving=session.serving,
            share_host=session.share_host,
            disbelieved=session.disbelieved,
            last_words=session.last_words,
            deleting_since=session.deleting_since,
            stalled=Reason.OPERATOR_SILENT,
            removal_stalled=Reason.REMOVAL_STALLED,
            isolation=isolation_from(obj["spec"]),
            needs=tuple((BRANCH, session.namespace, name) for name in session.branches),
        )

    def in_the_way(self, desired: Desired, others: Sequence[Object], operator: Operator) -> str:
        """Return whose session is in the way."""
        return in_the_way(desired.manifest, others, operator)

    def health(self, found: Found, was: Child, limits: Limits, now: datetime) -> ChildHealth:
        """Return how a session fares; one that was never ready in time has failed."""
        if found.state is ChildState.FAILED:
            return ChildHealth(ChildState.FAILED, message=found.message or "it failed")
        if found.state is not ChildState.CREATING:
            return ChildHealth(found.state, found.reason)
        waited = now - began_to_wait(found, was, now)
        # Only the first start has a deadline. One that was ready before and went to sleep may take its time
        # to wake up; that is no failure.
        deadline = _deadline(found, limits)
        if waited >= deadline and not was.was_ready:
            what = "it was not ready" if found.answered else "the mirrord operator did not answer"
            message = f"{what} within {format_duration(deadline)}"
            if found.reason is Reason.PHASE_UNKNOWN:
                message += f"; mirrord says that it is in the phase {found.message}"
            return ChildHealth(ChildState.FAILED, message=message)
        silent = not found.answered and waited >= DELETION_STALLED_AFTER
        starting = Reason.SPLITTING_QUEUES if _splits(found) else Reason.CREATING
        reason = Reason.OPERATOR_SILENT if silent else found.reason or starting
        return ChildHealth(ChildState.CREATING, reason, found.message)

    def _desired(self, inputs: Inputs, prepared: Prepared) -> Desired:
        key, service, target = inputs.preview.spec.environment_key, prepared.service, prepared.config.target
        name = mirrord.session_name(key, service.namespace, target)
        needs = branches_of(inputs, prepared)
        kept = Desired(self.name, service.namespace, name, service.name, mode=Mode.KEEP, needs=needs)
        # The new image is not there yet, so what the session should look like is not known. The session of
        # the commit before goes on serving meanwhile.
        if not prepared.can_run:
            return kept
        session = mirrord.DesiredSession(
            service=service.name,
            namespace=service.namespace,
            target=target,
            container=service.container,
            image=images.with_digest(service.image, service.digest),
            parts=with_default(
                prepared.parts,
                target.kind,
                inputs.operator,
                uses=prepared.config.uses,
                without_ports=service.without_ports,
            ),
            head_sha=prepared.head_sha,
            ttl_seconds=time_to_live(inputs.limits),
            stands_on=marks_of(inputs, needs),
        )
        manifest = mirrord.manifest(inputs.preview, session)
        return replace(
            kept,
            mode=Mode.MAKE,
            head_sha=prepared.head_sha,
            spec_hash=manifest["metadata"]["annotations"][SPEC_HASH],
            manifest=manifest,
            features=mirrord.features_of(prepared.parts),
            secrets=mirrord.secrets_of(prepared.parts),
            failure=Reason.SESSION_FAILED,
            what="session",
            removed_by=f"`mirrord preview stop --key {key}`",
        )


def _splits(found: Found) -> bool:
    return found.isolation is not None and bool(found.isolation.queues)


def _deadline(found: Found, limits: Limits) -> timedelta:
    """Return how long a session may take to be ready: longer where mirrord splits queues.

    The first split of a workload's queues restarts the workload in staging, with the names of other queues.
    """
    return limits.session_deadline + (limits.split_deadline if _splits(found) else timedelta(0))


def _reason(session: mirrord.Session) -> Reason | None:
    if session.phase == "Paused":
        return Reason.PAUSED
    if session.phase == "Waking":
        return Reason.WAKING
    return Reason.PHASE_UNKNOWN if session.unknown_phase else None
