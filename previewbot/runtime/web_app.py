"""The Flask application of web: what GitHub delivers to, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from flask import Flask
from prometheus_client import CollectorRegistry

from previewbot.config.server import LEAST_WEBHOOK_SECRET, Settings
from previewbot.runtime.bare_app import Answers, alive, bare_app
from previewbot.webhook import intake


class Cluster(intake.Pokes, Answers, Protocol):
    """What web needs of the cluster: one write per delivery. `WebClient` is the real one."""


def create_app(
    settings: Settings,
    webhook_secrets: tuple[bytes, ...],
    cluster: Cluster,
    metrics: CollectorRegistry,
    *,
    now: Callable[[], datetime],
    body_limit: int = intake.BODY_LIMIT,
) -> Flask:
    """Return what takes GitHub's deliveries, of `body_limit` bytes at most.

    It has a `/healthz` too, for load balancers that look at the port they send requests to. What people and
    programs read is answered by `create_pages`, in a process of its own.

    Raises ValueError without a secret, or for one that lets anybody in.
    """
    if min(map(len, webhook_secrets), default=0) < LEAST_WEBHOOK_SECRET:
        raise ValueError("there is no webhook secret, or one that is too short")
    app = bare_app()
    deliveries = intake.Intake(settings, webhook_secrets, cluster, now)
    app.register_blueprint(intake.blueprint(deliveries, metrics, body_limit))
    app.add_url_rule("/healthz", view_func=alive)
    return app
