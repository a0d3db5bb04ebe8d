"""The route by which `previewbot doctor` sees whether links would work: one shape, and never a preview's.

It leads the host of no pull request to the page of none. The admission policy knows exactly this shape
(`previewbot.probe` in charts/previewbot/templates/_admission.tpl). What the API server fills in by default is
written out: what is stored is what was sent.
"""

from __future__ import annotations

from typing import Any

from previewbot.config.server import GatewaySettings
from previewbot.engine import links, routes

NAME = "previewbot-doctor"
"""Its name, and the first part of its host. Keys of previews begin with `p` and ten characters of a hash."""

_NOBODYS_PAGE = "gh-0-0"


def page_of(public_url: str) -> str:
    """Return where the probe leads."""
    return links.page_url(public_url, _NOBODYS_PAGE)


def url_of(gateway: GatewaySettings) -> str:
    """Return the address that the probe answers at."""
    return links.gateway_url(gateway, NAME)


def probe(gateway: GatewaySettings, namespace: str, public_url: str) -> dict[str, Any]:
    """Return the route."""
    return {
        "apiVersion": f"{routes.ROUTE_GROUP}/{routes.ROUTE_VERSION}",
        "kind": "HTTPRoute",
        "metadata": {"name": NAME, "namespace": namespace},
        "spec": routes.attached(gateway, NAME, [routes.redirect(page_of(public_url))]),
    }
