"""The route for hosts at which no preview is, as both the chart and the demo have to make it."""

from __future__ import annotations

from typing import Any

from previewbot.config.server import GatewaySettings
from previewbot.engine import routes
from previewbot.engine.no_preview import page_of


def no_preview_spec(gateway: GatewaySettings, public_url: str) -> dict[str, Any]:
    """Return the `spec` of the route, attached and leading on as previews' own routes are."""
    return routes.attached(gateway, "*", [routes.redirect(page_of(public_url))])
