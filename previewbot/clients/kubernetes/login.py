"""A login at the API server that is renewed before it ends, for a process with threads and for one without.

It is the same for web (threads, or gevent's greenlets) and the controller (asyncio): a renewal runs in a
thread of its own and is a future, for which each waits in its way. What cannot be renewed is told by the
words of whoever should have given it; nothing is ever sent without a login in its place.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from previewbot.errors import Unauthorized

_EARLY = timedelta(seconds=60)
_LATEST_SHARE = 4
"""A login is renewed a minute before its end, or in the last quarter of its time if that is shorter."""

_FILE_SECONDS = 60.0
"""How often a file is read again, as client-go does; the kubelet writes a new token long before the end."""

_BACKOFF_SECONDS = (10.0, 300.0)

log = logging.getLogger(__name__)


class LoginFailed(Exception):
    """There is no login; the words say why, and never what was in it."""


@dataclass(frozen=True)
class Credential:
    """What is shown to the API server: a header, a certificate with its key (PEM), both, or nothing.

    `until` is when it ends, if that is known.
    """

    authorization: str = field(default="", repr=False)
    certificate: str = field(default="", repr=False)
    key: str = field(default="", repr=False)
    until: datetime | None = None

    def is_other(self, than: Credential) -> bool:
        """Return whether the API server would be shown something else."""
        shown = (self.authorization, self.certificate, self.key)
        return shown != (than.authorization, than.certificate, than.key)


@dataclass(frozen=True)
class Clock:
    """Time as others tell it (`now`), and as it is measured (`monotonic`, seconds)."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    monotonic: Callable[[], float] = time.monotonic


class Login:
    """Holds a credential, and asks `fetch` for the next in time; safe to use from several threads.

    `fetch` may take long, and raises LoginFailed. `files`: what it gives is read from files that may change.
    Without `renewable` it is asked once. `backoff` (first, last, in seconds) lies between attempts in vain.
    Raises LoginFailed at once if there is none to begin with.
    """

    def __init__(
        self,
        fetch: Callable[[], Credential],
        *,
        renewable: bool = True,
        files: bool = False,
        clock: Clock | None = None,
        backoff: tuple[float, float] = _BACKOFF_SECONDS,
    ) -> None:
        self._fetch = fetch
        self._renewable = renewable
        self._files = files
        self._clock = clock or Clock()
        self._backoff = backoff
        self._lock = threading.Lock()
        self._renewing: Future[None] | None = None
        self._pause, self._not_before = backoff[0], float("-inf")
        self._failure = ""
        self._credential = Credential()
        self._until: datetime | None = None
        self._due_at: datetime | None = None
        self._read_at = float("inf")
        self._take(fetch())

    async def current(self, patience: float) -> Credential:
        """Return the login that holds now; wait for `patience` seconds for a new one if it has ended.

        Raises Unauthorized, with the words of whoever did not renew it.
        """
        found, renewal = self._look()
        if found is None and renewal is not None:
            await _wait(renewal, patience)
            found, _ = self._look()
        return self._held(found)

    def current_in_thread(self, patience: float) -> Credential:
        """Do the same for a caller that is no coroutine."""
        found, renewal = self._look()
        if found is None and renewal is not None:
            _wait_in_thread(renewal, patience)
            found, _ = self._look()
        return self._held(found)

    async def after_refusal(self, refused: Credential, patience: float) -> Credential | None:
        """Return another login to try once more with, after the API server did not accept one (401).

        None if there is no other, or if it was asked for in vain a moment ago.
        """
        renewal = self._renew_refused(refused)
        if renewal is not None:
            await _wait(renewal, patience)
        return self._other(refused)

    def after_refusal_in_thread(self, refused: Credential, patience: float) -> Credential | None:
        """Do the same for a caller that is no coroutine."""
        renewal = self._renew_refused(refused)
        if renewal is not None:
            _wait_in_thread(renewal, patience)
        return self._other(refused)

    def accepted(self) -> None:
        """Note that the API server knew us: the next refusal is a new matter."""
        with self._lock:
            # A renewal that fails meanwhile has a pause of its own, which must not end.
            if not self._failure:
                self._pause, self._not_before = self._backoff[0], float("-inf")

    def _look(self) -> tuple[Credential | None, Future[None] | None]:
        """Return the login if it holds, and the renewal that is under way, if it is time for one."""
        with self._lock:
            over = self._until is not None and self._clock.now() >= self._until
            due = over or self._is_due()
            renewal = self._renew() if due else None
            return None if over else self._credential, renewal

    def _is_due(self) -> bool:
        due_at = self._due_at
        return self._clock.monotonic() >= self._read_at or (
            due_at is not None and self._clock.now() >= due_at
        )

    def _held(self, found: Credential | None) -> Credential:
        if found is None:
            why = self._failure or "the login has ended, and the next one is not there yet"
            raise Unauthorized("Kubernetes: login", status=401, message=why)
        return found

    def _renew_refused(self, refused: Credential) -> Future[None] | None:
        with self._lock:
            return None if self._credential is not refused else self._renew()

    def _other(self, refused: Credential) -> Credential | None:
        with self._lock:
            return self._credential if self._credential.is_other(refused) else None

    def _renew(self) -> Future[None] | None:
        """Begin a renewal, or return the one that is under way; None while a pause lasts. Under the lock."""
        if self._renewing is not None:
            return self._renewing
        if not self._renewable or self._clock.monotonic() < self._not_before:
            return None
        # Whatever comes of it: a plugin must not be asked again and again while the API server refuses what
        # it gives.
        self._not_before = self._clock.monotonic() + self._pause
        self._pause = min(self._pause * 2, self._backoff[1])
        self._renewing = Future()
        threading.Thread(target=self._run, args=(self._renewing,), name="login", daemon=True).start()
        return self._renewing

    def _run(self, renewing: Future[None]) -> None:
        try:
            credential = self._fetch()
        except Exception as error:
            # Also a bug: whoever waits for the future would wait for ever.
            words = str(error) if isinstance(error, LoginFailed) else f"{type(error).__name__}: {error}"
            log.warning("the login is not renewed", extra={"error": words})
            with self._lock:
                self._failure = words
                self._read_at = self._not_before
                self._renewing = None
        else:
            with self._lock:
                self._take(credential)
                self._renewing = None
        renewing.set_result(None)

    def _take(self, credential: Credential) -> None:
        now, until = self._clock.now(), credential.until
        self._failure = ""
        # What has ended when it comes is of another clock: then the API server's word counts.
        self._until = until if until is not None and until > now else None
        self._due_at = None
        if self._until is not None:
            self._due_at = self._until - min(_EARLY, (self._until - now) / _LATEST_SHARE)
        self._read_at = float("inf")
        if self._files:
            self._read_at = self._clock.monotonic() + _FILE_SECONDS
            # Files cost nothing: no pause but after a refusal.
            self._pause, self._not_before = self._backoff[0], float("-inf")
        # One that is the same stays the very same: whoever was refused it has nothing new to try.
        if credential.is_other(self._credential):
            self._credential = credential


async def _wait(renewal: Future[None], patience: float) -> None:
    await asyncio.wait({asyncio.wrap_future(renewal)}, timeout=patience)


def _wait_in_thread(renewal: Future[None], patience: float) -> None:
    try:
        renewal.result(patience)
    except (FutureTimeout, TimeoutError):
        return
