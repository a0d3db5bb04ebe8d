"""Who asks for what programs read: whoever has the bearer of the settings, or anybody."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable
from datetime import datetime
from enum import Enum, auto
from typing import Protocol

from flask import request

from previewbot.errors import SettingsError
from previewbot.rules.seldom import Kind, Seldom

log = logging.getLogger(__name__)

_SCHEME = "bearer "


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
    as the file is changed, and one that cannot be read lets nobody in.
    """

    def __init__(self, read: Callable[[], tuple[bytes, ...]], now: Callable[[], datetime]) -> None:
        self._read, self._now, self._said = read, now, Seldom()

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
            # Whoever sends any bearer brings this about.
            if self._said.is_due(Kind.BEARERS, "api.bearer_file", self._now()):
                log.error("api.bearer_file lets nobody in", extra={"error": str(error)})
            return Reader.UNKNOWN
        # Each is compared, whichever it is, so that time does not tell.
        same = [hmac.compare_digest(given, bearer) for bearer in bearers]
        return Reader.TRUSTED if any(same) else Reader.WRONG
