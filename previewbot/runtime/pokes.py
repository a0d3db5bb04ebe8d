"""Pokes of the listing: they ask for a look, and for a Preview where there is none yet."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from previewbot.api import LISTING, Poke, Preview, Spec
from previewbot.api.github import OpenPullRequest, Repository
from previewbot.clients.kubernetes.client import Kube
from previewbot.config.server import Settings
from previewbot.errors import NotFound, RemoteError
from previewbot.rules.environment_keys import spec_of

log = logging.getLogger(__name__)


class Pokes:
    """Writes pokes in the name of the listing."""

    def __init__(self, kube: Kube, now: Callable[[], datetime], settings: Settings) -> None:
        self._kube = kube
        self._now = now
        self._settings = settings

    def spec(self, installation_id: int, repository: Repository, number: int) -> Spec:
        """Return the identity of a pull request's Preview."""
        return spec_of(
            github_host=self._settings.github_host,
            app_id=self._settings.github.app_id,
            installation_id=installation_id,
            repository_id=repository.id,
            repository=repository.full_name,
            number=number,
        )

    async def poke(self, spec: Spec, updated_at: datetime | None, *, create: bool) -> None:
        """Ask for a look; `create` if there may be no Preview yet."""
        now = self._now()
        delivery = f"{LISTING}{now.strftime('%Y%m%dT%H%M%S.%f')}"
        poke = Poke(delivery_id=delivery, poked_at=now, updated_at=updated_at)
        await self._kube.poke(spec, poke, create=create)

    async def move(self, preview: Preview, installation_id: int, repository: Repository) -> None:
        """Say of a Preview which installation its repository belongs to by now."""
        hints = {"repository": repository.full_name, "installationId": installation_id}
        # What is gone by now is poked into being again, with what this listing says.
        with suppress(NotFound):
            await self._kube.patch_preview_spec(preview.name, hints)

    async def poke_row(self, installation_id: int, repository: Repository, row: OpenPullRequest) -> None:
        """Ask for a look at a pull request that is listed."""
        await self.poke(self.spec(installation_id, repository, row.number), row.updated_at, create=True)


def say(message: str, what: str, error: RemoteError) -> None:
    """Say in the log what a listing went on without."""
    log.warning(message, extra={"what": what, "error": str(error)})
