"""From what a configuration says to what a preview session has of its own: pure, nothing is refused here."""

from __future__ import annotations

from dataclasses import replace

from previewbot.config.mirrord import MirrordConfig
from previewbot.config.repository import RepositoryConfig, ServiceConfig
from previewbot.engine.parts import IncomingRequests, SessionParts
from previewbot.engine.translation.preview import parts_of_mirrord


def parts_of(config: RepositoryConfig, service: ServiceConfig) -> SessionParts:
    """Return what a service's session has of its own, by `preview.yaml` and the mirrord file it names."""
    parts = parts_of_mirrord(service.mirrord or MirrordConfig())
    return replace(parts, incoming=_incoming(service, parts.incoming))


def _incoming(service: ServiceConfig, said: IncomingRequests | None) -> IncomingRequests | None:
    """Return which requests it takes: on the ports that `preview.yaml` names, if it does; an empty list of
    them is none at all."""
    if service.ports is None or said is None:
        return said
    return replace(said, ports=service.ports) if service.ports else None
