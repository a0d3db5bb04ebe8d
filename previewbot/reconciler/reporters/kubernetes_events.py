"""What `kubectl describe` shows of a Preview: an Event for each change, in the words of the comment."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from datetime import datetime

from previewbot.api import API_VERSION, KIND, Preview, Reason, Status, timestamp
from previewbot.errors import RemoteError
from previewbot.reconciler.reporters.reporter import Due, PublishResult, ReportContext, Reporter

NAMESPACE = "default"
"""Where Kubernetes keeps the Events of what has no namespace."""

log = logging.getLogger(__name__)


class KubernetesEvents(Reporter):
    """The reporter of Events. It keeps no state: one that is refused or lost is not tried again, and one that
    is there twice does no harm."""

    name = "events"

    def due(self, context: ReportContext, status: Status) -> tuple[Status, Sequence[Due]]:
        """Return an Event if the phase or its reason changed in this pass."""
        before = context.before
        if (status.phase, status.reason) == (before.phase, before.reason) or not status.phase:
            return status, ()
        return status, (Due(text=context.renderer.headline(context.view(status))),)

    async def publish(self, context: ReportContext, status: Status, due: Due) -> PublishResult:
        """Record the Event."""
        preview = context.view(status).preview
        try:
            # An Event is for whoever looks at this moment: one that is missing is no reason to repeat a pass.
            await context.kube.create_event(NAMESPACE, event_of(preview, due.text, context.now()))
        except RemoteError as error:
            log.info("no event recorded", extra={"preview": preview.name, "error": str(error)})
        return PublishResult(status)


def event_of(preview: Preview, note: str, now: datetime) -> dict[str, object]:
    """Return an Event in these words; the chart's admission policy lets only such a one through."""
    reason = preview.status.reason or Reason.UNKNOWN
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": f"{preview.name}.{secrets.token_hex(8)}", "namespace": NAMESPACE},
        "eventTime": timestamp(now),
        "type": "Warning" if reason.info.severity.is_warning else "Normal",
        "reason": str(preview.status.phase),
        "action": "Reconcile",
        "note": note,
        "regarding": {"apiVersion": API_VERSION, "kind": KIND, "name": preview.name, "uid": preview.uid},
        "reportingController": "previewbot.dev/controller",
        "reportingInstance": "previewbot-controller",
    }
