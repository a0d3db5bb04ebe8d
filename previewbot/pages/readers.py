"""Who asks for what programs read: whoever has the bearer of the settings, or anybody."""

from __future__ import annotations

import hmac
import logging
import time
from collections.abc import Callable
from enum import Enum, auto
from typing import Protocol

from flask import request

from previewbot.errors import SettingsError

log = logging.getLogger(__name__)

_SCHEME = "bearer "
_SAID_EVERY = 3600.0


class Reader(Enum):
    """Who asks."""

    TRUSTED = auto()
    """Has the bearer: may read what may be read in the pull request."""
    ANYBODY = auto()
    """Sends none."""
    WRONG = auto()
    """Sends one that does not count."""
    UNKNOWN = auto()
    """Sends one, of which nobody can say whether it counts: those that do cannot be read."""


class Readers(Protocol):
    """Says who sent the request that is under way."""

    def __call__(self) -> Reader:
        """Return who it is."""


class BearerReaders:
    """Knows who has the bearer; `read` returns those that count now, and raises SettingsError.

    It is asked anew for each request with a bearer, so that one that is taken away counts for nothing as soon
    as the file is changed, and one that cannot be read lets nobody in. `now` counts seconds.
    """

    def __init__(
        self, read: Callable[[], tuple[bytes, ...]], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._read, self._now = read, now
        self._said_at: float | None = None

    def __call__(self) -> Reader:
        """Return who sent the request that is under way."""
        sent = request.headers.get("Authorization")
        if sent is None or not sent.lower().startswith(_SCHEME):
            # A browser sends the password of a proxy in front with each request: that is no bearer.
            return Reader.ANYBODY
        # A header's bytes are latin-1 in WSGI (PEP 3333); what is not ASCII is no bearer, and compares all
        # the same.
        given = sent[len(_SCHEME) :].strip().encode("latin-1", errors="replace")
        try:
            bearers = self._read()
        except SettingsError as error:
            self._say(str(error))
            return Reader.UNKNOWN
        # Each is compared, whichever it is, so that time does not tell.
        same = [hmac.compare_digest(given, bearer) for bearer in bearers]
        return Reader.TRUSTED if any(same) else Reader.WRONG

    def _say(self, error: str) -> None:
        # Seldom: whoever sends any bearer brings this about.
        if self._said_at is None or self._now() - self._said_at >= _SAID_EVERY:
            self._said_at = self._now()
            log.error("api.bearer_file lets nobody in", extra={"error": error})
