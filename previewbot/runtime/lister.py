"""How an installation's repositories are read for the listing: a hundred with one question of GraphQL's, or
one by one with REST where there is no GraphQL."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime, timedelta

from previewbot.api.github import ListedRepository, Repository
from previewbot.clients.github import InstallationClient
from previewbot.clients.github.listing import MOST_REPOSITORIES
from previewbot.config.repository import PATH
from previewbot.errors import Invalid, NotFound, RemoteError
from previewbot.runtime.batches import Batches, NoSuchQuestions

log = logging.getLogger(__name__)

AT_ONCE = 4
"""Questions under way at once for one installation. GitHub takes a hundred requests at once and 2,000 points
a minute (https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits)."""

_BY_ONE = 2
"""Requests under way at once where repositories are read one by one: of REST, 900 a minute are taken."""

_WITHOUT = timedelta(hours=1)
"""How long no question is sent to who takes none: a proxy, or an old Enterprise Server."""

Take = Callable[[Repository, ListedRepository | None], Awaitable[None]]
"""Takes what was read of a repository; None is what GitHub does not show, of which nothing is known."""


class Lister:
    """Reads repositories, and remembers which have no configuration and who takes no questions."""

    def __init__(self, now: Callable[[], datetime], *, base_files: bool) -> None:
        self._now = now
        self._base_files = base_files
        self._without: dict[int, datetime] = {}  # until when, by installation
        self._absent: dict[int, str] = {}  # by repository, the commit at which it had no configuration

    def takes_questions(self, installation_id: int) -> bool:
        """Return whether GraphQL is answered there, as far as is known."""
        return self._without.get(installation_id, self._now()) <= self._now()

    async def read(
        self,
        installation_id: int,
        client: InstallationClient,
        repositories: Sequence[Repository],
        followed: Collection[int],
        take: Take,
    ) -> tuple[Repository | None, RemoteError | None]:
        """Read repositories in their order; `followed` are the ids of those that have Previews.

        Returns where a limit stopped it, and the limit. What fails of one repository is said, and keeps none
        of the others from being read.
        """
        alone = list(repositories)
        if self.takes_questions(installation_id) and all(each.node_id for each in repositories):
            alone = []

            async def ask(batch: Sequence[Repository]) -> None:
                found = await client.listed(batch)
                for repository in batch:
                    listed = found.get(repository.id)
                    if listed is None and repository.id in found:
                        # One row of which GitHub refuses a part must not hide the others for ever.
                        alone.append(repository)
                    else:
                        await take(repository, listed)

            batches = Batches(
                repositories, MOST_REPOSITORIES, ask, lambda repository, error: alone.append(repository)
            )
            try:
                await batches.run(AT_ONCE)
            except NoSuchQuestions as found:
                self._no_questions(installation_id, found.error)
                alone += batches.left
            except RemoteError as error:
                return next(iter(batches.left), None), error
        return await self._one_by_one(client, alone, followed, take)

    def _no_questions(self, installation_id: int, error: RemoteError) -> None:
        about = {"installation": installation_id, "error": str(error)}
        log.warning("GraphQL is not answered: repositories are listed one by one", extra=about)
        self._without[installation_id] = self._now() + _WITHOUT

    async def _one_by_one(
        self,
        client: InstallationClient,
        repositories: Sequence[Repository],
        followed: Collection[int],
        take: Take,
    ) -> tuple[Repository | None, RemoteError | None]:
        async def ask(batch: Sequence[Repository]) -> None:
            [repository] = batch
            try:
                found = await self._by_rest(client, repository, repository.id in followed)
                await take(repository, found)
            except RemoteError as error:
                if error.after is not None:
                    raise
                say_unlisted(repository, error)

        batches = Batches(repositories, 1, ask, say_unlisted)
        try:
            await batches.run(_BY_ONE)
        except NoSuchQuestions as found:
            return None, found.error
        except RemoteError as error:
            return next(iter(batches.left), None), error
        return None, None

    async def _by_rest(
        self, client: InstallationClient, repository: Repository, followed: bool
    ) -> ListedRepository:
        configuration = await self._configuration(client, repository)
        # Nothing can come of its pull requests, so that not even their list is asked for.
        if not (configuration or followed or self._base_files):
            return ListedRepository("")
        rows = await client.open_pull_requests(repository.full_name)
        return ListedRepository(configuration, tuple(rows), repository.archived)

    async def _configuration(self, client: InstallationClient, repository: Repository) -> str:
        name, branch = repository.full_name, repository.default_branch
        try:
            # First, so that a push in between is seen by the next listing.
            tip = await client.tip(name, branch)
        except (NotFound, Invalid):
            # An empty repository has no branch yet.
            return ""
        if self._absent.get(repository.id) == tip:
            return ""
        try:
            file = await client.file(name, PATH, branch)
        except Invalid:
            # Too large: what that means is said where the pull request is looked at.
            return tip
        if file is None:
            self._absent[repository.id] = tip
            return ""
        self._absent.pop(repository.id, None)
        return file.sha


def say_unlisted(repository: Repository, error: RemoteError) -> None:
    """Say that a repository could not be listed."""
    log.warning("a repository could not be listed", extra={"what": repository.full_name, "error": str(error)})
