"""Which requests a session takes, out of a mirrord configuration."""

from __future__ import annotations

from previewbot.config.mirrord.configuration import Requests
from previewbot.engine.parts import IncomingRequests


def incoming_of(requests: Requests | None) -> IncomingRequests | None:
    """Return which requests a session takes; None if it takes none."""
    if requests is None:
        return None
    narrowed = requests.filter
    return IncomingRequests(
        requests.ports, requests.ignore_ports, narrowed.conditions, by_tracestate=narrowed.by_tracestate
    )
