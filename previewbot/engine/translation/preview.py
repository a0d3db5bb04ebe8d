"""The parts of a session out of a mirrord configuration."""

from __future__ import annotations

from previewbot.config.mirrord.configuration import MirrordConfig, Sleep
from previewbot.engine.parts import Idle, SessionParts
from previewbot.engine.translation.databases import branches_of
from previewbot.engine.translation.environment import (
    config_mounts_of,
    environment_of,
    labels_of,
    secret_mounts_of,
)
from previewbot.engine.translation.queues import splits_of
from previewbot.engine.translation.requests import incoming_of


def idle_of(sleep: Sleep | None) -> Idle | None:
    """Return when a session goes to sleep; None: never."""
    return None if sleep is None else Idle(sleep.start_idle, sleep.sleep_after, sleep.wake_timeout)


def parts_of_mirrord(config: MirrordConfig) -> SessionParts:
    """Return all that a mirrord configuration says of a session beyond its target and time to live."""
    return SessionParts(
        incoming=incoming_of(config.requests),
        replicas=1 if config.replicas is None else config.replicas,
        environment=environment_of(config.variables),
        labels=labels_of(config.labels),
        config_mounts=config_mounts_of(config.config_mounts),
        secret_mounts=secret_mounts_of(config.secret_mounts),
        idle=idle_of(config.idle),
        queues=splits_of(config.queues),
        branches=branches_of(config.copies, (config.target.container if config.target else None) or ""),
    )
