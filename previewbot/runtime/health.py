"""What Kubernetes' probes ask: is there progress, and is everything there that is needed?"""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from previewbot.errors import NoAnswer, Unauthorized

_NO_TICK_SECONDS = 60.0
_EX_SOFTWARE = 70


@dataclass
class Health:
    """Signs of life, by name, on the monotonic clock; and what keeps us from working now.

    What gives no sign of life for `limit` seconds has stalled. Each part gives its first sign when it is
    started, so that one that never gives another is noticed. `missing` is what is waited for before work
    begins.
    """

    monotonic: Callable[[], float] = time.monotonic
    limit: float = 300.0
    missing: str = "starting"
    _progress: dict[str, float] = field(default_factory=dict)
    _errors: dict[str, str] = field(default_factory=dict)
    _notes: dict[str, str] = field(default_factory=dict)

    def note_progress(self, what: str) -> None:
        """Note a sign of life, which also ends its trouble."""
        self._progress[what] = self.monotonic()
        self._errors.pop(what, None)

    def failed(self, what: str, error: Exception) -> None:
        """Note that something tries in vain, so that we are not ready.

        It lives as long as it is answered, be it with a refusal: a new process would fare no better. Where
        nothing is answered at all, or we are not known (401), what is broken may be ours.
        """
        # Example: the API server answers 500 for an hour. If that counted as a stall, every controller would
        # be restarted every few minutes, and each restart would list everything again. A login is another
        # matter: whoever starts reads the kubeconfig and asks its program anew.
        if not isinstance(error, NoAnswer | TimeoutError | Unauthorized):
            self._progress[what] = self.monotonic()
        self._errors[what] = str(error) or "no answer in time"

    def forget(self, *prefixes: str) -> None:
        """Expect no more signs of life from what has these names, or names that begin so."""
        for what in [what for what in self._progress if what.startswith(prefixes)]:
            del self._progress[what]
            self._errors.pop(what, None)

    def note(self, what: str, words: str) -> None:
        """Note what the platform team should see to though we are ready; without words, that it is over."""
        if words:
            self._notes[what] = words
        else:
            self._notes.pop(what, None)

    @property
    def notes(self) -> str:
        """What the platform team should see to, in one line."""
        return "; ".join(words for _, words in sorted(self._notes.items()))

    def not_ready(self) -> str:
        """Return what keeps us from working, or nothing."""
        known = self.missing
        troubles = [f"{what}: {why}" for what, why in sorted(self._errors.items()) if why not in known]
        return "; ".join([self.missing, *troubles] if self.missing else troubles)

    def stalled_parts(self) -> list[str]:
        """Return what has given no sign of life for too long."""
        now = self.monotonic()
        return sorted(what for what, at in self._progress.items() if now - at > self.limit)


def application(health: Health, metrics: CollectorRegistry) -> web.Application:
    """Return the app that serves `/healthz`, `/readyz` and `/metrics`."""

    async def healthz(_: web.Request) -> web.Response:
        stalled = health.stalled_parts()
        why = f" ({health.not_ready()})" if health.not_ready() else ""
        return _answer(f"no progress: {', '.join(stalled)}{why}" if stalled else "")

    async def readyz(_: web.Request) -> web.Response:
        return _answer(health.not_ready(), health.notes)

    async def show_metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(metrics), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.add_routes(
        [web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", show_metrics)]
    )
    return app


def _answer(problem: str, notes: str = "") -> web.Response:
    if problem:
        return web.Response(text="; ".join(filter(None, (problem, notes))), status=503)
    return web.Response(text=f"ok; {notes}" if notes else "ok")


def _die() -> None:
    """End the process without asking the loop, which does not answer; say first where it hangs."""
    faulthandler.dump_traceback(sys.__stderr__ or 2, all_threads=True)
    # Not `sys.exit`, which only raises in this thread. The Lease is not given back; it runs out by itself.
    os._exit(_EX_SOFTWARE)


class Watchdog(threading.Thread):
    """Calls `die` when the event loop has not ticked for `seconds`: nothing inside the loop could."""

    def __init__(self, seconds: float = _NO_TICK_SECONDS, die: Callable[[], None] = _die) -> None:
        super().__init__(name="watchdog", daemon=True)
        self._seconds = seconds
        self._die = die
        self._ticked = time.monotonic()
        self._stopped = threading.Event()

    def tick(self) -> None:
        """Note that the loop runs."""
        self._ticked = time.monotonic()

    def stop(self) -> None:
        """Stop watching."""
        self._stopped.set()

    def run(self) -> None:
        """Watch until stopped."""
        while not self._stopped.wait(min(1.0, self._seconds / 4)):
            # A thread of its own notices, since a coroutine that blocks the loop also blocks everything that
            # could say so.
            if time.monotonic() - self._ticked > self._seconds:
                self._die()
                return
