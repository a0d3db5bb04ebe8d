"""What `kubectl describe` shows of a Preview: a condition and Events, in the words of the comment."""

from __future__ import annotations

import logging
import secrets
from dataclasses import replace
from datetime import UTC
from typing import get_args

from previewbot.errors import RemoteError
from previewbot.preview import API_VERSION, KIND, Phase, Status
from previewbot.reconcile.context import Context
from previewbot.reconcile.report import view_of
from previewbot.reconcile.stored import Stored
from previewbot.render import headline
from previewbot.troubles import TroubleKind

NAMESPACE = "default"
"""Where Kubernetes keeps the Events of what has no namespace."""

_BAD = (Phase.FAILED,)
_BAD_REASONS = ("OperatorSilent", "Partial", "RepositoryGone", *get_args(TroubleKind))

log = logging.getLogger(__name__)


def with_message(context: Context, stored: Stored) -> Status:
    """Return the status with what the comment says as its conditions' message."""
    message = _words(context, stored)
    conditions = tuple(replace(c, message=message) for c in stored.status.conditions)
    return replace(stored.status, conditions=conditions)


async def tell(context: Context, stored: Stored, before: Status) -> None:
    """Record an Event if the phase or its reason changed; one that is refused or lost is not tried again."""
    status = stored.status
    if (status.phase, status.reason) == (before.phase, before.reason) or not status.phase:
        return
    try:
        await context.kube.create_event(NAMESPACE, _event(context, stored))
    except RemoteError as error:
        log.info("no event recorded", extra={"preview": stored.preview.name, "error": str(error)})


def _words(context: Context, stored: Stored) -> str:
    return headline(context.renderer.comment(view_of(context, stored.preview)))


def _event(context: Context, stored: Stored) -> dict[str, object]:
    preview, status = stored.preview, stored.status
    bad = status.phase in _BAD or status.reason in _BAD_REASONS
    moment = context.now().astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": f"{preview.name}.{secrets.token_hex(8)}", "namespace": NAMESPACE},
        "eventTime": moment,
        "type": "Warning" if bad else "Normal",
        "reason": str(status.phase),
        "action": "Reconcile",
        "note": _words(context, stored),
        "regarding": {"apiVersion": API_VERSION, "kind": KIND, "name": preview.name, "uid": preview.uid},
        "reportingController": "previewbot.dev/controller",
        "reportingInstance": "previewbot-controller",
    }
