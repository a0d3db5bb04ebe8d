"""From what a configuration says to what a preview session has of its own: pure, nothing is refused here."""

from __future__ import annotations

from dataclasses import replace

from previewbot.config.mirrord import MirrordConfig
from previewbot.config.repository import RepositoryConfig, ServiceConfig
from previewbot.config.repository.state_agrees import copies_of
from previewbot.engine.parts import Idle, IncomingRequests, SessionParts
from previewbot.engine.translation.databases import branches_of
from previewbot.engine.translation.preview import parts_of_mirrord
from previewbot.engine.translation.queues import in_order, queues_of


def parts_of(config: RepositoryConfig, service: ServiceConfig) -> SessionParts:
    """Return what a service's session has of its own, by `preview.yaml` and the mirrord file it names."""
    parts = parts_of_mirrord(service.mirrord or MirrordConfig())
    queues = queues_of({name: queue for name, queue in (service.queues or {}).items() if queue is not None})
    return replace(
        parts,
        incoming=_incoming(service, parts.incoming),
        idle=_idle(service, parts.idle),
        queues=in_order((*queues, *parts.queues)),
        branches=branches_of(copies_of(service, config.databases), service.target.container or ""),
    )


def _incoming(service: ServiceConfig, said: IncomingRequests | None) -> IncomingRequests | None:
    """Return which requests it takes: on the ports that `preview.yaml` names, if it does; an empty list of
    them is none at all."""
    if service.ports is None or said is None:
        return said
    return replace(said, ports=service.ports) if service.ports else None


def _idle(service: ServiceConfig, said: Idle | None) -> Idle | None:
    if service.idle is None:
        return said
    return Idle(sleep_after=service.idle.after) if service.idle else Idle(never=True)
