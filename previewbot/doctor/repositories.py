"""Reads the preview.yaml of the repositories that the App covers, and looks at the workloads it names."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from previewbot.api import Service
from previewbot.api.github import Installation, Repository
from previewbot.clients.github import GitHub
from previewbot.config.repository import ServiceConfig
from previewbot.config.repository.values import sample_image
from previewbot.config.server import Settings
from previewbot.doctor import repositories_judged as judged
from previewbot.doctor import rights
from previewbot.doctor.check import Check
from previewbot.doctor.cluster_judged import LOGIN, RESOURCES, namespace_name
from previewbot.doctor.github_judged import APP, INSTALLATIONS
from previewbot.doctor.running import Question
from previewbot.errors import Forbidden
from previewbot.reconciler.context import Context
from previewbot.reconciler.gather.configuration import Configuration, read_configuration
from previewbot.reconciler.gather.targets import read_target
from previewbot.reconciler.memory import Configurations
from previewbot.rules.repositories import bounds_of

MOST = 20
"""Of so many repositories the file is read: each costs a request of the hour's."""

_SECONDS = 60.0


@dataclass(frozen=True)
class Named:
    """A service that a repository's file on its default branch names, and the settings let it have."""

    repository: str
    config: ServiceConfig


class OfRepositories:
    """The questions about what repositories have on their default branches.

    `served` gives the installations that count, once they are known; `context` what a pass asks the cluster
    with, once there is a login, and `closed` the namespaces that something is wrong with.
    """

    def __init__(
        self,
        github: GitHub,
        settings: Settings,
        served: Callable[[], Sequence[Installation]],
        context: Callable[[], Context],
        closed: Callable[[], Collection[str]],
    ) -> None:
        self._github, self._settings, self._served = github, settings, served
        self._context, self._closed = context, closed
        self._known = Configurations()
        self.covered: list[tuple[Installation, Repository]] = []
        self.services: list[Named] = []

    def questions(self) -> list[Question]:
        """Return the one to GitHub."""
        return [
            Question(
                judged.REPOSITORIES,
                self._repositories,
                after=(APP,),
                awaits=(INSTALLATIONS,),
                seconds=_SECONDS,
            )
        ]

    def questions_of_targets(self) -> list[Question]:
        """Return the one to the cluster: about the workloads that the files name."""
        return [
            Question(
                judged.TARGETS,
                self._targets,
                after=(LOGIN, RESOURCES, rights.name_of("controller")),
                awaits=(judged.REPOSITORIES, *map(namespace_name, self._settings.cluster.namespaces)),
                seconds=_SECONDS,
            )
        ]

    async def _repositories(self) -> list[Check]:
        for installation in self._served():
            listed = await self._github.repositories(installation.id)
            self.covered += [(installation, repository) for repository in listed]
        having = [one for one in self.covered if bounds_of(self._settings, one[1].full_name) is not None]
        found: dict[str, Configuration] = {}
        for installation, repository in having[:MOST]:
            try:
                found[repository.full_name] = await self._read(installation, repository)
            except Forbidden as error:
                return [judged.unreadable(repository.full_name, error, installation.permissions)]
        self.services += [
            Named(name, service)
            for name, configuration in found.items()
            if configuration.config is not None
            for service in configuration.config.services
        ]
        names = [repository.full_name for _, repository in self.covered]
        granted = {repository.full_name: each.permissions for each, repository in having}
        return judged.repositories(names, len(having), found, self._settings, granted)

    async def _read(self, installation: Installation, repository: Repository) -> Configuration:
        client = self._github.installation(installation.id).sparing()
        bounds = bounds_of(self._settings, repository.full_name)
        assert bounds is not None
        name, branch = repository.full_name, repository.default_branch
        return await read_configuration(self._known, client, bounds, name, branch)

    async def _targets(self) -> list[Check]:
        problems: dict[str, str] = {}
        closed = self._closed()
        # What is not there because its namespace is not is told of that one.
        asked = [named for named in self.services if named.config.namespace not in closed]
        for named in asked:
            config = named.config
            service = Service(config.name, config.namespace, str(config.target), image=image_of(config))
            found = await read_target(self._context(), config, service)
            if found.problem:
                problems[f"{named.repository}, {config.name}"] = found.problem
        return judged.targets(len(asked), problems, [*map(namespace_name, closed)])


def image_of(config: ServiceConfig) -> str:
    """Return what an image of a service may be called, with samples of what comes from a pull request."""
    return sample_image(config.image, config.name)
