"""How long a refusal of GitHub's holds; and an optional place that takes nothing at all.

That is noted for the repository, said once, and tried again later.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime

from previewbot.api import Refusal, Report, Status
from previewbot.errors import NotFound, RemoteError, from_status
from previewbot.reconciler.plan.places import CLOSED_FOR, key_of_place
from previewbot.reconciler.plan.requeue import REFUSAL_HOLDS
from previewbot.reconciler.reporters.reporter import ReportContext
from previewbot.rules.app_rights import OPTIONAL_PLACES, is_not_granted

WHATEVER_IT_SAYS = ""
"""The hash of a refusal that is not about what was to be written."""

log = logging.getLogger(__name__)


def closes(error: RemoteError, *, exists: bool) -> bool:
    """Return whether an error is about the whole place, and not about a commit or what was to be said of it.

    `exists`: something of ours stood there, so that "not found" may be of that alone.
    """
    return is_not_granted(error.message) or (isinstance(error, NotFound) and not exists)


def why_closed(name: str, context: ReportContext, status: Status) -> Refusal | None:
    """Return why nothing is sent to a place now, None if it may be."""
    noted = status.report(key_of_place(name)).refusal
    return context.closed.refusal(context.preview.spec, name, noted, context.now())


def close(name: str, context: ReportContext, status: Status, error: RemoteError, now: datetime) -> Status:
    """Return the status with it noted that a place takes nothing, and say so if it was not said lately."""
    refusal, spec = Refusal(WHATEVER_IT_SAYS, now, error.status, error.message), context.preview.spec
    if context.closed.close(spec, name, refusal):
        place = OPTIONAL_PLACES.get(name)
        about = {
            "place": name,
            "installation": spec.installation_id,
            "repository": spec.repository,
            "permission": f"{place.permission}: write" if place else "",
            "error": str(error),
        }
        log.warning("nothing is told in a place at GitHub, which takes nothing from us", extra=about)
    return stays_closed(name, status, refusal)


def stays_closed(name: str, status: Status, refusal: Refusal) -> Status:
    """Return the status of a Preview that has something to tell in a place, and waits for it."""
    return status.with_report(key_of_place(name), Report(refusal=refusal))


def opened(name: str, context: ReportContext, status: Status, now: datetime) -> Status:
    """Return the status once a place took something: those that wait for it need not any longer."""
    if key_of_place(name) in status.reports or context.closed.was_closed(context.preview.spec, name):
        context.closed.open(context.preview.spec, name, now)
        context.opened()
    return without_place(name, status)


def without_place(name: str, status: Status) -> Status:
    """Return the status without what was noted of a place as a whole."""
    key = key_of_place(name)
    if key not in status.reports:
        return status
    return replace(
        status, reports={other: report for other, report in status.reports.items() if other != key}
    )


def gave_up(name: str, context: ReportContext, error: RemoteError) -> None:
    """Say that something is not told in a place, after many tries."""
    about = {"preview": context.preview.name, "place": name, "error": str(error)}
    log.warning("something is not told there", extra=about)


def refused_lately(state: Report, content_hash: str, now: datetime) -> RemoteError | None:
    """Return what was said when this was refused a while ago: it would be said again."""
    refusal = state.refusal
    if refusal is None or refusal.hash not in (content_hash, WHATEVER_IT_SAYS):
        return None
    holds = CLOSED_FOR if refusal.hash == WHATEVER_IT_SAYS else REFUSAL_HOLDS
    return from_status("GitHub", refusal.status, refusal.message) if now - refusal.at < holds else None
