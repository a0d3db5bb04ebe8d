"""The page to which hosts of links lead at which no preview is.

A preview that is gone has no route, so its link would be answered by the Gateway, with a bare 404. The chart
makes one route beside web, for every host of the links' domain; a preview's own route names its host in full,
and such a one comes first (https://gateway-api.sigs.k8s.io/reference/spec/#httproutespec, `hostnames`). The
demo, which has no chart, makes the same one.
"""

from __future__ import annotations

PATH = "/p/none"
"""Where the page is, below `public_url`. No preview's page has this address: those have two numbers."""

NOBODYS = "previewbot-nobody"
"""The first part of a host that no preview has: keys begin with `p` and ten characters of a hash."""


def page_of(public_url: str) -> str:
    """Return the address of the page."""
    return f"{public_url.rstrip('/')}{PATH}"
