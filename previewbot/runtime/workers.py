"""From what changed to which pull request to look at, and the workers that look."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from prometheus_client import CollectorRegistry, Counter, Histogram

from previewbot.api import Phase, Preview, preview_name_of
from previewbot.engine.mirrord import PodSession
from previewbot.errors import LeaseLost, RemoteError
from previewbot.reconciler import Outcome
from previewbot.runtime.health import Health
from previewbot.runtime.previews import readable
from previewbot.runtime.queue import WorkQueue

WORKERS = 8
_PASS_SECONDS = 120.0
_SIGN_OF_LIFE_SECONDS = 20.0

_WAIT_FOR_A_SESSION = (Phase.DEPLOYING, Phase.QUEUED)

log = logging.getLogger(__name__)
Object = Mapping[str, Any]
FirstInLine = Callable[[Sequence[Preview]], Iterable[str]]
GivingWay = Callable[[], Iterable[str]]


class Reconciles(Protocol):
    """What a worker calls."""

    async def reconcile(self, name: str) -> Outcome:
        """Make one pass over a Preview."""


class Workers:
    """The queue, what fills it, and the workers that empty it."""

    def __init__(self, metrics: CollectorRegistry, health: Health) -> None:
        self.queue: WorkQueue[str] = WorkQueue(metrics)
        self._line: FirstInLine | None = None
        self._giving_way: GivingWay | None = None
        self._moved = self._longer = False
        self._freed: list[Object] = []
        self._previews_of: dict[PodSession, str] = {}
        self._health = health
        self._passes = Counter(
            "previewbot_passes", "Passes over a pull request", ["outcome"], registry=metrics
        )
        self._seconds = Histogram("previewbot_pass_seconds", "Duration of a pass", registry=metrics)

    def preview_changed(self, before: Object | None, after: Object | None) -> None:
        """Queue a Preview that changed; when the line for slots moved by that, also those at its front."""
        obj = after or before
        assert obj is not None
        name = obj["metadata"]["name"]
        if before is None or after is None or not _only_status_changed(before, after):
            self.queue.add(name)
        # Also when the Preview was deleted with its slot.
        if before is not None and _holds_slot(before) and not _holds_slot(after):
            self._line_moved(before)
        # Who leaves the line makes others the first in it, also where it leaves with the slot that it got.
        elif _is_in_line(before) and not _is_in_line(after):
            self._line_moved()
        # Whoever sleeps may have to give its slot to one that begins to wait; and if one of them wakes
        # instead, another has to.
        if (_is_in_line(after) and not _is_in_line(before)) or (_sleeps(before) and not _sleeps(after)):
            self._line_grew()

    def lead(self, line: FirstInLine | None, giving_way: GivingWay | None = None) -> None:
        """Take whom to ask when the line for slots moves; None while nobody leads, and all wait.

        `giving_way` says who sleeps and gives its slot away, None where nobody does.
        """
        self._line, self._giving_way = line, giving_way

    def operator_changed(self, previews: Iterable[Preview]) -> None:
        """Queue those that wait for a session, now that one can be made again, or can no longer be."""
        # Who only stands by has nobody who would empty the queue; whoever begins to lead looks at all.
        if self._line is None:
            return
        for preview in previews:
            waits = preview.status.phase in _WAIT_FOR_A_SESSION
            if waits or any(service.phase in _WAIT_FOR_A_SESSION for service in preview.status.services):
                self.queue.add(preview.name)

    def _line_moved(self, *freed: Object) -> None:
        self._freed += freed
        # A list read anew after an outage tells of hundreds of changes in a row: the line is asked for once.
        if not self._moved:
            self._moved = True
            asyncio.get_running_loop().call_soon(self._wake_first_in_line)

    def _wake_first_in_line(self) -> None:
        """Queue those that get a slot now, or are told something else; whose turn it is, the pass says.

        Not all that wait: there may be thousands, and none of the others has anything to do.
        """
        freed, self._freed, self._moved = self._freed, [], False
        # Whoever begins to lead looks at all Previews.
        if self._line is None:
            return
        given_back = [preview for preview in map(readable, freed) if preview is not None]
        for name in self._line(given_back):
            self.queue.add(name)

    def _line_grew(self) -> None:
        # Of hundreds that begin to wait together, and of an installation that evicts nobody, as above.
        if self._giving_way is not None and not self._longer:
            self._longer = True
            asyncio.get_running_loop().call_soon(self._wake_those_giving_way)

    def _wake_those_giving_way(self) -> None:
        self._longer = False
        for name in self._giving_way() if self._giving_way is not None else ():
            self.queue.add(name)

    def child_changed(self, before: Object | None, after: Object | None) -> None:
        """Queue the Preview of a session that changed."""
        obj = after or before
        assert obj is not None
        name, metadata = preview_name_of(obj), obj["metadata"]
        session = metadata.get("namespace", ""), metadata.get("uid", "")
        if after is None:
            self._previews_of.pop(session, None)
        if name:
            if after is not None:
                # A pod knows its session only, not which Preview that belongs to.
                self._previews_of[session] = name
            self.queue.add(name)

    def route_changed(self, before: Object | None, after: Object | None) -> None:
        """Queue the Preview of a route that is gone, says something else, or of which its gateway does.

        A new one is ours, and nothing to wake for until its gateway speaks.
        """
        if before is None and not (after or {}).get("parents"):
            return
        if before is not None and after is not None and _said_of(after) == _said_of(before):
            return
        name = preview_name_of(before or after or {})
        if name:
            self.queue.add(name)

    def pods_changed(self, session: PodSession) -> None:
        """Queue the Preview of a session; one not seen yet will be queued when it is."""
        name = self._previews_of.get(session)
        if name is not None:
            self.queue.add(name)

    async def work(self, reconciler: Reconciles, number: int) -> None:
        """Work for ever; no error of a pass ends it but the loss of the Lease."""
        name = f"worker {number}"
        while True:
            self._health.note_progress(name)
            try:
                # An idle worker gives a sign of life too, so that one that hangs in a pass is told apart.
                # Not `wait_for`: before Python 3.12 it swallows a cancellation that comes in the moment in
                # which it has its result. A worker would go on without the Lease, and whoever stops it would
                # wait for ever.
                async with asyncio.timeout(_SIGN_OF_LIFE_SECONDS):
                    key = await self.queue.get()
            except TimeoutError:
                continue
            try:
                await self._run(reconciler, key)
            finally:
                self.queue.done(key)

    async def _run(self, reconciler: Reconciles, key: str) -> None:
        try:
            with self._seconds.time():
                # A pass that hangs keeps one of eight workers. Cut off here it ends like a crash at that
                # point, which every pass survives.
                async with asyncio.timeout(_PASS_SECONDS):
                    outcome = await reconciler.reconcile(key)
        except RemoteError as error:
            self._retry_after_failure(key, error)
        except LeaseLost:
            # Not a fault of this pass: whoever holds the Lease makes it again.
            raise
        # A fault of our own, in one pass. The others go on, and this one is made again after a backoff.
        except Exception:
            seconds = self.queue.failed(key)
            self._passes.labels("bug").inc()
            log.exception("pass failed", extra={"preview": key, "again": seconds})
        else:
            if outcome.error is not None:
                self._retry_after_failure(key, outcome.error)
            else:
                self.queue.succeeded(key)
                self._passes.labels("ok").inc()
            # With an error both are set, and the queue keeps the earlier time: a backoff of five minutes must
            # not make a preview outlast its end.
            if outcome.requeue_after is not None:
                self.queue.add_after(key, outcome.requeue_after)

    def _retry_after_failure(self, key: str, error: RemoteError) -> None:
        seconds = self.queue.failed(key, error.after)
        self._passes.labels("error").inc()
        log.warning("pass failed", extra={"preview": key, "error": str(error), "again": seconds})


def _only_status_changed(before: Object, after: Object) -> bool:
    """Our own status writes come back as events; they are no reason for another pass."""
    old, new = before["metadata"], after["metadata"]
    return (
        before.get("spec") == after.get("spec")
        and old.get("uid") == new.get("uid")
        and old.get("annotations") == new.get("annotations")
        and old.get("deletionTimestamp") == new.get("deletionTimestamp")
    )


def _said_of(route: Object) -> tuple[object, object]:
    """Return what a route says, and what is said of it."""
    return route.get("spec"), route.get("parents")


def _holds_slot(obj: Object | None) -> bool:
    return bool(_slot(obj).get("held"))


def _is_in_line(obj: Object | None) -> bool:
    """Return whether it waits for a slot; what failed last is overtaken (`rules/slots.py`)."""
    failed = ((obj or {}).get("status") or {}).get("lastError")
    return bool(_slot(obj).get("waitingSince")) and not _holds_slot(obj) and not failed


def _sleeps(obj: Object | None) -> bool:
    return bool(((obj or {}).get("status") or {}).get("phase") == Phase.IDLE)


def _slot(obj: Object | None) -> Mapping[str, Any]:
    return ((obj or {}).get("status") or {}).get("slot") or {}
