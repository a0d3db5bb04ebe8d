"""What `kubectl describe` shows of a Preview: an Event for each change, in the words of the comment."""

from __future__ import annotations

import logging
import secrets

from previewbot.api import API_VERSION, KIND, Preview, Reason, Status, timestamp
from previewbot.engine.view import view_of
from previewbot.errors import RemoteError
from previewbot.reconciler.context import Context

NAMESPACE = "default"
"""Where Kubernetes keeps the Events of what has no namespace."""

log = logging.getLogger(__name__)


async def record_event(context: Context, preview: Preview, before: Status) -> None:
    """Record an Event if the phase or its reason changed; one that is refused or lost is not tried again."""
    status = preview.status
    if (status.phase, status.reason) == (before.phase, before.reason) or not status.phase:
        return
    try:
        # An Event is for whoever looks at this moment: one that is missing is no reason to repeat a pass.
        await context.kube.create_event(NAMESPACE, _event(context, preview))
    except RemoteError as error:
        log.info("no event recorded", extra={"preview": preview.name, "error": str(error)})


def _event(context: Context, preview: Preview) -> dict[str, object]:
    reason = preview.status.reason or Reason.UNKNOWN
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": f"{preview.name}.{secrets.token_hex(8)}", "namespace": NAMESPACE},
        "eventTime": timestamp(context.now()),
        "type": "Warning" if reason.info.severity.is_warning else "Normal",
        "reason": str(preview.status.phase),
        "action": "Reconcile",
        "note": context.renderer.headline(view_of(context.settings, preview)),
        "regarding": {"apiVersion": API_VERSION, "kind": KIND, "name": preview.name, "uid": preview.uid},
        "reportingController": "previewbot.dev/controller",
        "reportingInstance": "previewbot-controller",
    }
