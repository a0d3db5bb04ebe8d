"""From what a configuration says to what a preview session has of its own: pure, nothing is refused here."""

from __future__ import annotations

from previewbot.config.repository import RepositoryConfig, ServiceConfig
from previewbot.engine.parts import SessionParts, taking


def parts_of(config: RepositoryConfig, service: ServiceConfig) -> SessionParts:
    """Return the parts of a service's session."""
    return taking(service.ports)
