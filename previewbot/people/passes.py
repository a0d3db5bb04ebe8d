"""What lets a browser past the guard: a ticket, and the cookie of one preview that it is given for that.

The pull request's own code sees the cookie with each request. So there is nobody in it, only which host it is
for and until when: it opens nothing else, neither another preview nor anything of previewbot's.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from previewbot.people.sealing import Keys, Sealing

COOKIE = "__Host-previewbot-preview"
WAY_COOKIE = "__Host-previewbot-way"
"""Which browser set out: only there a ticket counts, so that neither an address that somebody passes on nor
one that somebody else made lets anybody in."""

WAY_LASTS = timedelta(minutes=10)
"""From the first look at a preview until GitHub has said who it is."""
TICKET_LASTS = timedelta(seconds=60)

_WAY = re.compile(r"[A-Za-z0-9_-]{43}")


def new_nonce() -> str:
    """Return what only one browser knows."""
    return secrets.token_urlsafe(32)


def is_nonce(text: str) -> bool:
    """Return whether a text looks like one of ours."""
    return _WAY.fullmatch(text) is not None


def way_of(nonce: str) -> str:
    """Return what may be told of a nonce, in an address."""
    digest = hashlib.sha256(nonce.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")


def is_way(text: str) -> bool:
    """Return whether a text looks like what is told of a nonce."""
    return _WAY.fullmatch(text) is not None


class Passes:
    """Makes and judges tickets and the cookies of previews; each raises SettingsError if there is no key."""

    def __init__(self, keys: Keys, now: Callable[[], datetime]) -> None:
        self._tickets, self._cookies, self._now = Sealing("ticket", keys), Sealing("preview", keys), now

    def ticket(self, host: str, way: str) -> str:
        """Return a ticket for a preview's host, for the browser that set out with the nonce of this way."""
        until = self._now() + TICKET_LASTS
        return self._tickets.seal({"host": host, "way": way, "until": int(until.timestamp())})

    def takes(self, ticket: str, host: str, nonce: str) -> bool:
        """Return whether a ticket lets in the browser that has this nonce."""
        values = self._tickets.opened(ticket) or {}
        way = values.get("way")
        same = isinstance(way, str) and hmac.compare_digest(way.encode(), way_of(nonce).encode())
        return same and is_nonce(nonce) and self._counts(values, host)

    def cookie(self, host: str, until: datetime) -> str:
        """Return the cookie that lets a browser into a preview until then."""
        return self._cookies.seal({"host": host, "until": int(until.timestamp())})

    def lets_in(self, cookie: str, host: str) -> bool:
        """Return whether a cookie opens the preview at this host now."""
        return self._counts(self._cookies.opened(cookie) or {}, host)

    def _counts(self, values: dict[str, object], host: str) -> bool:
        until = values.get("until")
        now = self._now().astimezone(UTC).timestamp()
        return values.get("host") == host and type(until) is int and until > now
