"""Deployments of a commit, and what was said of each, as immutable values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from previewbot_demo.github.model import Account


@dataclass(frozen=True)
class DeploymentStatus:
    """One word on a deployment."""

    id: int
    state: str
    description: str
    environment_url: str
    log_url: str
    at: datetime


@dataclass(frozen=True)
class Deployment:
    """A deployment; `statuses` are oldest first, and as long as there are none it waits."""

    id: int
    repository_id: int
    sha: str
    ref: str
    environment: str
    task: str
    description: str
    payload: Mapping[str, Any] | str
    transient: bool
    production: bool
    creator: Account
    at: datetime
    statuses: tuple[DeploymentStatus, ...] = ()

    @property
    def state(self) -> str:
        """The last word on it."""
        return self.statuses[-1].state if self.statuses else "queued"

    @property
    def last(self) -> DeploymentStatus | None:
        """The last status, None before the first."""
        return self.statuses[-1] if self.statuses else None
