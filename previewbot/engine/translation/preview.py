"""The parts of a session out of a mirrord configuration."""

from __future__ import annotations

from previewbot.config.mirrord.configuration import MirrordConfig, Requests, Sleep
from previewbot.engine.parts import Idle, IncomingRequests, SecretMount, SessionParts
from previewbot.engine.translation.queues import splits_of


def parts_of_mirrord(config: MirrordConfig) -> SessionParts:
    """Return all that a mirrord configuration says of a session beyond its target, its time to live and its
    databases: `preview.yaml` may name more of these."""
    return SessionParts(
        incoming=_incoming(config.requests),
        replicas=1 if config.replicas is None else config.replicas,
        environment=config.variables,
        labels=config.labels,
        config_mounts=config.config_mounts,
        secret_mounts=tuple(SecretMount(file.path, file.data) for file in config.secret_mounts),
        idle=_idle(config.idle),
        queues=splits_of(config.queues),
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
