"""The listing of open pull requests, which makes good what webhooks missed.

It only pokes. Absence from a listing is a reason to look, never to delete.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta

from previewbot.errors import RemoteError, TryLater
from previewbot.github import GitHub
from previewbot.keys import environment_key
from previewbot.kube.client import Kube
from previewbot.model import OpenPullRequest, Repository
from previewbot.preview import Poke, Preview, Spec
from previewbot.reconcile import Untriggered
from previewbot.reconcile.observe import CONFIGURATION

log = logging.getLogger(__name__)


class Listing:
    """Lists, per installation and repository, and pokes what is missing or differs."""

    def __init__(
        self,
        *,
        github: GitHub,
        kube: Kube,
        previews: Callable[[], Iterable[Preview]],
        untriggered: Untriggered,
        now: Callable[[], datetime],
        interval: timedelta,
        app_id: int,
        github_host: str,
    ) -> None:
        self._github = github
        self._kube = kube
        self._previews = previews
        self._untriggered = untriggered
        self._now = now
        self._interval = interval.total_seconds()
        self._app_id = app_id
        self._github_host = github_host
        self._configurations: dict[int, str] = {}

    async def run(self) -> None:
        """List for ever, the first time at once; GitHub's own wish to wait is respected."""
        while True:
            wait = self._interval
            try:
                await self.list_once()
            except TryLater as error:
                wait = max(wait, error.after or 0.0)
                log.warning("listing failed", extra={"error": str(error)})
            except RemoteError as error:
                log.warning("listing failed", extra={"error": str(error)})
            await asyncio.sleep(wait)

    async def list_once(self) -> None:
        """List everything once; a repository that fails does not keep the others from being listed."""
        known = {(p.spec.repository_id, p.spec.number): p for p in self._previews()}
        listed: set[int] = set()
        for installation in await self._github.installations():
            if installation.suspended:
                continue
            for repository in await self._github.repositories(installation.id):
                listed.add(repository.id)
                try:
                    await self._repository(installation.id, repository, known)
                except TryLater:
                    raise
                except RemoteError as error:
                    extra = {"repository": repository.full_name, "error": str(error)}
                    log.warning("a repository could not be listed", extra=extra)
        await self._poke_the_lost(known, listed)

    async def _repository(
        self, installation_id: int, repository: Repository, known: Mapping[tuple[int, int], Preview]
    ) -> None:
        client = self._github.installation(installation_id)
        rows = await client.open_pull_requests(repository.full_name)
        changed = bool(rows) and await self._configuration_changed(installation_id, repository)
        listed = {row.number for row in rows}
        for row in rows:
            preview = known.get((repository.id, row.number))
            if self._is_due(repository, row, preview) or (changed and preview is not None):
                await self._poke(installation_id, repository, row.number, row.updated_at, create=True)
        for (repository_id, number), _ in known.items():
            if repository_id == repository.id and number not in listed:
                await self._poke(installation_id, repository, number, None, create=False)

    async def _configuration_changed(self, installation_id: int, repository: Repository) -> bool:
        client = self._github.installation(installation_id)
        file = await client.file(repository.full_name, CONFIGURATION, repository.default_branch)
        sha = file.sha if file else ""
        before = self._configurations.get(repository.id)
        self._configurations[repository.id] = sha
        if before is None or before == sha:
            return False
        self._untriggered.forget(repository.id)
        return True

    def _is_due(self, repository: Repository, row: OpenPullRequest, preview: Preview | None) -> bool:
        if preview is None:
            return not self._untriggered.remembers(repository.id, row.number, row.updated_at, row.head_sha)
        observed = preview.status.observed
        return observed.updated_at != row.updated_at or observed.head_sha != row.head_sha

    async def _poke(
        self,
        installation_id: int,
        repository: Repository,
        number: int,
        updated_at: datetime | None,
        *,
        create: bool,
    ) -> None:
        now = self._now()
        spec = Spec(
            github_host=self._github_host,
            repository_id=repository.id,
            number=number,
            repository=repository.full_name,
            installation_id=installation_id,
            app_id=self._app_id,
            environment_key=environment_key(self._github_host, repository.id, number, repository.full_name),
        )
        delivery = f"listing-{now.strftime('%Y%m%dT%H%M%S.%f')}"
        poke = Poke(delivery_id=delivery, poked_at=now, updated_at=updated_at)
        await self._kube.poke(spec, poke, create=create)

    async def _poke_the_lost(self, known: Mapping[tuple[int, int], Preview], listed: Collection[int]) -> None:
        """Look at Previews of repositories that no installation lists any more: removed, or uninstalled."""
        for preview in known.values():
            if preview.spec.repository_id not in listed and preview.spec.app_id == self._app_id:
                now = self._now()
                delivery = f"listing-{now.strftime('%Y%m%dT%H%M%S.%f')}"
                await self._kube.poke(preview.spec, Poke(delivery_id=delivery, poked_at=now), create=False)
