"""GitHub's deployments in memory, for passes; that they answer as GitHub does, contract tests show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from previewbot.api.deployments import Deployment, DeploymentState, DeploymentStatus
from previewbot.errors import NotFound


class Noting(Protocol):
    """Whoever counts calls, and fails those that a test wants to fail."""

    def note(self, call: str) -> None:
        """Note a call; raise what is to go wrong with it."""


@dataclass
class Made:
    """A deployment with all that was said of it."""

    made: Deployment
    environment: str
    at: datetime
    said: list[DeploymentStatus]

    @property
    def state(self) -> str:
        """The last word, `waits` before the first."""
        return str(self.said[-1].state) if self.said else "waits"


class DeploymentsInMemory:
    """The deployments of one repository."""

    def __init__(self, calls: Noting, now: Callable[[], datetime], app: int, bot: int) -> None:
        self._calls, self._now, self._app, self._bot = calls, now, app, bot
        self.all: dict[int, Made] = {}

    async def create(self, repository: str, environment: str, sha: str, preview: str) -> Deployment:
        self._calls.note("create deployment")
        made = Deployment(len(self.all) + 1, sha, self._bot, self._app, preview)
        self.all[made.id] = Made(made, environment, self._now(), [])
        return made

    async def of_commit(self, repository: str, environment: str, sha: str) -> list[Deployment]:
        self._calls.note("deployments")
        found = [
            each for each in self.all.values() if (each.environment, each.made.sha) == (environment, sha)
        ]
        return [each.made for each in reversed(found)]

    async def newest(self, repository: str, environment: str) -> list[Deployment]:
        self._calls.note("newest deployments")
        return [each.made for each in reversed(self.all.values()) if each.environment == environment]

    async def is_ended(self, repository: str, deployment_id: int) -> bool:
        self._calls.note("state of deployment")
        if deployment_id not in self.all:
            raise NotFound("deployment", status=404)
        return self.all[deployment_id].state == DeploymentState.INACTIVE

    async def say(self, repository: str, deployment_id: int, status: DeploymentStatus) -> None:
        self._calls.note("say of deployment")
        if deployment_id not in self.all:
            raise NotFound("deployment", status=404)
        self.all[deployment_id].said.append(status)

    def states(self) -> dict[str, str]:
        """Return the last word on each commit; raises AssertionError if one has two."""
        shas = [each.made.sha for each in self.all.values()]
        assert len(shas) == len(set(shas)), f"a commit has two deployments: {shas}"
        return {each.made.sha: each.state for each in self.all.values()}

    def said_of(self, sha: str) -> list[str]:
        """Return all that was said of a commit."""
        return [str(said.state) for each in self.all.values() if each.made.sha == sha for said in each.said]

    def last(self, sha: str) -> DeploymentStatus:
        """Return the last word on a commit."""
        return next(each.said[-1] for each in self.all.values() if each.made.sha == sha)

    def succeeded(self) -> set[str]:
        """Return the commits of which it is said now that they answer."""
        good = DeploymentState.SUCCESS
        return {each.made.sha for each in self.all.values() if each.state == good}
