"""When a session goes to sleep of which nobody said anything: where mirrord can, and something wakes it.

Asleep it has no pods; mirrord holds the request that wakes it
(https://metalbear.com/mirrord/docs/use-cases/preview-environments, "Auto Scaling Idle Mode").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from previewbot.api import Uses
from previewbot.config.types import TargetKind
from previewbot.engine.mirrord import KIND, SESSIONS
from previewbot.engine.operator import FLOOR, OperatorSeen, version_of
from previewbot.engine.parts import Idle, SessionParts
from previewbot.engine.published import properties_of, schema_of

AFTER = timedelta(minutes=30)
"""How long nobody must have asked anything of a session before it sleeps."""

_RUN_ON_A_SCHEDULE = ("cronjob",)
"""Targets whose sessions no request reaches."""


def knows_idle(published: Mapping[str, Any]) -> bool:
    """Return whether the cluster's CRD of sessions has `idle`, by what the API server publishes of its group.

    Without it a session that says when it sleeps would be refused.
    """
    schema = schema_of(published, SESSIONS, KIND) or {}
    return "idle" in properties_of(properties_of(schema).get("spec") or {})


def with_default(
    parts: SessionParts,
    kind: TargetKind,
    seen: OperatorSeen,
    *,
    uses: Uses,
    without_ports: bool = False,
) -> SessionParts:
    """Return parts that say when their session sleeps, if nobody said anything of it; else as they are.

    `uses` is what its service says that it uses in staging. `without_ports`: nobody says where the workload
    takes requests, so none may ever come.
    """
    if parts.idle is not None or not can_sleep(seen):
        return parts
    if _shares_a_queue(parts, uses) or not _is_woken(parts, kind, without_ports):
        return parts
    return replace(parts, idle=Idle(sleep_after=AFTER, by_default=True))


def can_sleep(seen: OperatorSeen) -> bool:
    """Return whether sessions may be put to sleep, as far as is known of the operator and its CRD."""
    # An operator that may not be asked tells no version; its CRD alone says enough. Before 3.185.1 sessions
    # woke wrongly.
    version = version_of(seen.operator.version)
    return seen.knows_idle and (version is None or version >= FLOOR)


def _shares_a_queue(parts: SessionParts, uses: Uses) -> bool:
    """Return whether it reads a queue of staging's: mirrord does not see these messages, and would put it to
    sleep in the middle of one, never to be woken by another."""
    return bool(set(uses.queues or ()) - {queue.id for queue in parts.queues})


def _is_woken(parts: SessionParts, kind: TargetKind, without_ports: bool) -> bool:
    """Return whether anything wakes a session: a request, or a message of a queue that is split."""
    if kind in _RUN_ON_A_SCHEDULE:
        return False
    return bool(parts.queues) or (parts.incoming is not None and not without_ports)
