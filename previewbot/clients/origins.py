"""Which server an address is on: what credentials are bound to, whichever client sends them."""

from __future__ import annotations

from urllib.parse import urlsplit

_PORTS = {"https": 443, "http": 80}


def origin(url: str) -> tuple[str, str | None, int | None]:
    """Return scheme, host and port of an address; raises ValueError for a port that is none."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)
