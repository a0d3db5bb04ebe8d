"""The parts of a session out of a mirrord configuration."""

from __future__ import annotations

from previewbot.config.mirrord.configuration import MirrordConfig, Requests, Sleep
from previewbot.engine.parts import Idle, IncomingRequests, SecretMount, SessionParts
from previewbot.engine.translation.databases import branches_of
from previewbot.engine.translation.queues import splits_of


def parts_of_mirrord(config: MirrordConfig) -> SessionParts:
    """Return all that a mirrord configuration says of a session beyond its target and time to live."""
    return SessionParts(
        incoming=_incoming(config.requests),
        replicas=1 if config.replicas is None else config.replicas,
        environment=config.variables,
        labels=config.labels,
        config_mounts=config.config_mounts,
        secret_mounts=tuple(SecretMount(file.path, file.data) for file in config.secret_mounts),
        idle=_idle(config.idle),
        queues=splits_of(config.queues),
        branches=branches_of(config.copies, (config.target.container if config.target else None) or ""),
    )


def _incoming(requests: Requests | None) -> IncomingRequests | None:
    if requests is None:
        return None
    narrowed = requests.filter
    return IncomingRequests(
        requests.ports, requests.ignore_ports, narrowed.conditions, by_tracestate=narrowed.by_tracestate
    )


def _idle(sleep: Sleep | None) -> Idle | None:
    return None if sleep is None else Idle(sleep.start_idle, sleep.sleep_after, sleep.wake_timeout)
