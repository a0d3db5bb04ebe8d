"""Requests that are done with: given to their Preview, and removed after a while.

None of this holds up a pass: what fails is tried with the next.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from previewbot.api import (
    PREVIEW_REQUESTS,
    SAY,
    Preview,
    Status,
    owner_reference,
    request_from,
    request_name,
)
from previewbot.api.preview_request import created_at
from previewbot.errors import Conflict, NotFound, RemoteError
from previewbot.reconciler.context import Context
from previewbot.reconciler.plan.presses import (
    KEPT_FOR,
    MOST_KEPT,
    ORPHAN_AFTER,
    SAID_KEPT_FOR,
    is_for,
    is_over,
    taken,
    without_taken,
)

Object = Mapping[str, Any]

log = logging.getLogger(__name__)


async def tend(context: Context, preview: Preview, status: Status) -> Status:
    """Return the status without what is removed by now.

    `status` is what is stored: what is noted as carried out there, and nowhere else, may be removed.
    """
    numbers = taken(status)
    there = {obj["metadata"]["name"]: obj for obj in context.asked_elsewhere(preview.name)}
    if not numbers and not there:
        return status
    gone, now = list[int](), context.now()
    of = {request_name(preview.name, number): number for number in numbers}
    too_old = set(list(of)[:-MOST_KEPT])
    for name, number in of.items():
        obj = there.get(name)
        # What the watch does not show is removed by its name: a watch that lags behind, as that of a
        # controller that has just begun to lead, must not have it taken again once it is shown.
        if obj is None or name in too_old or is_over(created_at(obj), now):
            if await _removed(context, name, obj):
                gone.append(number)
        else:
            await _give(context, preview, obj)
    for name, obj in there.items():
        # Of an earlier Preview, or of another version, which may still take it in that time.
        if name not in of and now - created_at(obj) >= _unread_kept_for(obj):
            _tell_of_lost_words(name, obj)
            await _removed(context, name, obj)
    return without_taken(status, gone)


async def tend_orphans(context: Context, name: str) -> float | None:
    """Remove the requests of a Preview that is not there; return when to look again, in seconds."""
    found, now = context.asked_elsewhere(name), context.now()
    left: list[float] = []
    for obj in found:
        seconds = (created_at(obj) + ORPHAN_AFTER - now).total_seconds()
        if seconds > 0:
            left.append(seconds)
            continue
        _tell_of_lost_words(obj["metadata"]["name"], obj)
        if not await _removed(context, obj["metadata"]["name"], obj):
            left.append(ORPHAN_AFTER.total_seconds())
    return min(left, default=None)


def until_tended(context: Context, preview: Preview, status: Status) -> float | None:
    """Return in how many seconds a request of this Preview is to be removed; None if there is none."""
    found: Sequence[Object] = context.asked_elsewhere(preview.name)
    done = {request_name(preview.name, number) for number in taken(status)}
    if not found and not done:
        return None
    ends = [
        created_at(obj) + (KEPT_FOR if obj["metadata"]["name"] in done else _unread_kept_for(obj))
        for obj in found
    ]
    first = min(ends, default=context.now() + KEPT_FOR)
    # What could not be removed is tried again after a while.
    return max(60.0, (first - context.now()).total_seconds())


def _unread_kept_for(obj: Object) -> timedelta:
    """Return how long one is kept that nobody has taken."""
    found = request_from(obj)
    return SAID_KEPT_FOR if found is not None and found.ask.asked == SAY else KEPT_FOR


def _tell_of_lost_words(name: str, obj: Object) -> None:
    """Say in the log that somebody's words go with their request, and how many: they stand nowhere else."""
    found = request_from(obj)
    # What was carried out belongs to its Preview by then.
    if found is None or found.owners or found.ask.saying is None:
        return
    about = {"request": name, "characters": len(found.ask.saying.words)}
    log.warning("somebody's words are removed, of which it is not known that they were quoted", extra=about)


async def _give(context: Context, preview: Preview, obj: Object) -> None:
    """Make a Preview the owner of what it has taken: where it goes, Kubernetes removes both."""
    found, name = request_from(obj), obj["metadata"]["name"]
    if found is None or found.owners or not is_for(found, preview):
        return
    owners = [owner_reference(preview)]
    patch = {"metadata": {"uid": found.uid, "ownerReferences": owners}}
    try:
        await context.kube.patch_child(PREVIEW_REQUESTS, obj["metadata"]["namespace"], name, patch)
    except (NotFound, Conflict):
        return
    except RemoteError as error:
        log.warning("a request could not be given to its Preview", extra=_about(name, error))


async def _removed(context: Context, name: str, obj: Object | None) -> bool:
    """Remove a request, if it is there; return whether it is gone."""
    namespace = context.settings.cluster.inbox_namespace
    uid = str(obj["metadata"]["uid"]) if obj is not None else ""
    try:
        await context.kube.delete_child(PREVIEW_REQUESTS, namespace, name, uid)
    except Conflict:
        # The name belongs to another by now, which the watch will tell of.
        return False
    except RemoteError as error:
        log.warning("a request could not be removed", extra=_about(name, error))
        return False
    return True


def _about(name: str, error: RemoteError) -> dict[str, str]:
    return {"request": name, "error": str(error)}
