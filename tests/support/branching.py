"""Services whose previews have databases and queues of their own, for passes in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from previewbot.config.repository import RepositoryConfig, ServiceConfig
from previewbot.engine import translation
from previewbot.engine.parts import Branch, QueueSplit, SecretMount, SessionParts, taking

URL = {"connectionSource": {"url": {"env": {"container": None, "variable": "DATABASE_URL"}}}}


def a_branch(name: str, **changes: Any) -> Branch:
    """Return a branch of a PostgreSQL database of which only the schema is copied."""
    spec = {**URL, "databaseName": name, "postgresOptions": {"copy": {"mode": "schema"}}}
    return replace(Branch(name, "pg", spec, database=name, copy="schema"), **changes)


def migrating(name: str, command: str = "up") -> Branch:
    """Return a branch in which the image of the commit runs migrations."""
    return a_branch(name, migrations={"flavor": "container", "command": ["./migrate", command]})


ORDERS, USERS = a_branch("orders"), a_branch("users")
QUEUE = QueueSplit("orders", "sqs", {"baggage": ".*mirrord-session=\ue000.*"})
SECRET = SecretMount("/run/token", "bm90LWEtcmVhbC10b2tlbg==")


class Parts:
    """What sessions have of their own, by service, in the place of a configuration that says so."""

    def __init__(self) -> None:
        self.of: dict[str, SessionParts] = {}

    def __call__(self, config: RepositoryConfig, service: ServiceConfig) -> SessionParts:
        return self.of.get(service.name, taking(service.ports))

    def have(self, service: str, *branches: Branch, **parts: Any) -> None:
        """Let a service have these databases of its own, and whatever else is said."""
        self.of[service] = replace(taking((8080,)), branches=branches, **parts)


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> Parts:
    """Return what can be said of services without a configuration."""
    found = Parts()
    monkeypatch.setattr(translation, "parts_of", found)
    return found
