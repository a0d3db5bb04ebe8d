"""Where a preview is told of: one module per place, and generic code that knows none of them.

A new place is a module with a `TextReporter` (name, render, find, publish) and an entry in `TEXT_REPORTERS`.
Its state is an entry in `status.reports`; it holds up no other reporter, and no teardown.
"""

from previewbot.reconciler.reporters.kubernetes_events import record_event
from previewbot.reconciler.reporters.reporting import Reporting, TextReporter
from previewbot.reconciler.reporters.status_comment import StatusComment

TEXT_REPORTERS: tuple[TextReporter, ...] = (StatusComment(),)
"""Those that keep one text up to date, in the order in which they are written."""

__all__ = ["TEXT_REPORTERS", "Reporting", "TextReporter", "record_event"]
