"""The route for the hosts of links at which no preview is: it leads to a page that says so.

A preview that is gone has no route, so its link would be answered by the Gateway, with a bare 404. The chart
makes this one route beside web, for every host of the links' domain; a preview's own route names its host in
full, and such a one comes first (https://gateway-api.sigs.k8s.io/reference/spec/#httproutespec, `hostnames`).
What the chart renders is held to this by tests/chart/test_no_preview_route.py, and what the demo makes, which
has no chart, by tests/unit/test_no_preview.py.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from previewbot.config.server import GatewaySettings
from previewbot.engine import links

PATH = "/p/none"
"""Where its page is, below `public_url`. No preview's page has this address: those have two numbers."""

NOBODYS = "previewbot-nobody"
"""The first part of a host that no preview has: keys begin with `p` and ten characters of a hash."""


def page_of(public_url: str) -> str:
    """Return the address of the page."""
    return f"{public_url.rstrip('/')}{PATH}"


def spec(gateway: GatewaySettings, public_url: str) -> dict[str, Any]:
    """Return the `spec` of the route."""
    return links.attached(gateway, "*", [links.redirect(page_of(public_url))])


def takes_pages(gateway: GatewaySettings, public_url: str) -> bool:
    """Return whether web's own host is one of those that the route is for.

    Then another route must lead that host to web, or the page would lead to itself for ever.
    """
    host = (urlsplit(public_url).hostname or "").rstrip(".")
    return host.endswith(f".{gateway.domain.lower()}")
