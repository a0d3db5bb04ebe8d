"""Who asks for what programs read: whoever has a bearer of the settings, or anybody."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable
from datetime import datetime
from enum import Enum, auto
from typing import Protocol

from flask import request

from previewbot.config.server import Bearer
from previewbot.errors import SettingsError
from previewbot.rules.seldom import Kind, Seldom

log = logging.getLogger(__name__)

_SCHEME = "bearer "


class Reader(Enum):
    """Who asks."""

    TRUSTED = auto()
    """Has a bearer that counts: may read what may be read in the pull requests that it is for."""
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

    def bearer(self) -> Bearer | None:
        """Return what somebody who is trusted sent; None if anybody else asks."""


class BearerReaders:
    """Knows who has a bearer; `read` returns those that count now, and raises SettingsError.

    It is asked anew for each request with a bearer, so that one that is taken away counts for nothing as soon
    as the file is changed, and one that cannot be read lets nobody in.
    """

    def __init__(self, read: Callable[[], tuple[Bearer, ...]], now: Callable[[], datetime]) -> None:
        self._read, self._now, self._said = read, now, Seldom()

    def __call__(self) -> Reader:
        """Return who sent the request that is under way."""
        return self._found()[0]

    def bearer(self) -> Bearer | None:
        """Return the bearer that it was sent with, if that counts."""
        return self._found()[1]

    def _found(self) -> tuple[Reader, Bearer | None]:
        sent = request.headers.get("Authorization")
        if sent is None or not sent.lower().startswith(_SCHEME):
            # A browser sends the password of a proxy in front with each request: that is no bearer.
            return Reader.ANYBODY, None
        # A header's bytes are latin-1 in WSGI (PEP 3333); what is not ASCII is no bearer, and compares all
        # the same.
        given = sent[len(_SCHEME) :].strip().encode("latin-1", errors="replace")
        try:
            bearers = self._read()
        except SettingsError as error:
            # Whoever sends any bearer brings this about.
            if self._said.is_due(Kind.BEARERS, "api.bearer_file", self._now()):
                log.error("api.bearer_file lets nobody in", extra={"error": str(error)})
            return Reader.UNKNOWN, None
        # Each is compared, whichever it is, so that time does not tell.
        same = [bearer for bearer in bearers if hmac.compare_digest(given, bearer.value)]
        return (Reader.TRUSTED, same[0]) if same else (Reader.WRONG, None)
