"""The listing of open pull requests, which makes good what webhooks missed.

It only pokes. Absence from a listing is a reason to look, never to delete.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from previewbot.api import LISTING, Poke, Preview, Reason, Spec
from previewbot.api.github import Installation, OpenPullRequest, Repository
from previewbot.clients.github import GitHub
from previewbot.clients.kubernetes.client import Kube
from previewbot.config.repository import PATH
from previewbot.config.server import Settings
from previewbot.errors import Invalid, LeaseLost, RemoteError
from previewbot.reconciler import Untriggered
from previewbot.rules.environment_keys import spec_of
from previewbot.rules.repositories import bounds_of, serves
from previewbot.runtime.lacking_rights import LackingRights

log = logging.getLogger(__name__)

_LEFT_OUT_TOLD = 20

Known = Mapping[tuple[int, int], Preview]


@dataclass
class _Found:
    """What one listing has found so far, as the ids of repositories and of installations."""

    listed: set[int] = field(default_factory=set)
    unreadable: set[int] = field(default_factory=set)


class Resync:
    """Lists, per installation and repository, and pokes what is missing or differs.

    `pause` waits for so many seconds, or until a listing is asked for.
    """

    def __init__(
        self,
        *,
        github: GitHub,
        kube: Kube,
        previews: Callable[[], Iterable[Preview]],
        untriggered: Untriggered,
        now: Callable[[], datetime],
        settings: Settings,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._pause = pause
        self._github = github
        self._kube = kube
        self._previews = previews
        self._untriggered = untriggered
        self._now = now
        self._settings = settings
        self._interval = settings.listing.interval.total_seconds()
        self._app_id = settings.github.app_id
        self._configurations: dict[int, str] = {}
        self._told: dict[tuple[int, int], tuple[str, str]] = {}
        self._stopped_at: dict[int, int] = {}  # the repository at which a limit stopped, by installation
        self._rights = LackingRights()
        self._left_out: dict[str, set[str]] = {}  # what was said to be, by the words

    async def run(self) -> None:
        """List for ever, one listing after the other, the first at once; no error ends it."""
        while True:
            after = 0.0
            try:
                await self.list_once()
            except RemoteError as error:
                after = error.after or 0.0
                log.warning("listing failed", extra={"error": str(error)})
            # Before the branch for all others: it must end this task, since another controller lists by now.
            except LeaseLost:
                raise
            except Exception:
                log.exception("listing failed")
            # What GitHub asks for is waited out, whoever asks for a listing.
            await asyncio.sleep(after)
            await self._pause(max(0.0, self._interval - after))

    async def list_once(self) -> None:
        """List everything once.

        Neither an installation nor a repository that fails keeps the others from being listed, now or the
        next time: what a limit of GitHub's stops is not sent (`clients/github/limits.py`), so that to list it
        again costs nothing, and whoever uses up one installation's hour does not stop the listing of all.
        Raises RemoteError if not even the installations can be listed.
        """
        # What was known before a listing and is not in it is absent; what came in the meantime is not.
        known = {(p.spec.repository_id, p.spec.number): p for p in self._previews()}
        self._told = {which: news for which, news in self._told.items() if which in known}
        found = _Found()
        served = self._served(await self._github.installations())
        self._rights.look(served)
        for installation in served:
            # GitHub refuses everything about a suspended one. Its repositories are not gone: the App may be
            # let in again.
            if installation.suspended:
                found.unreadable.add(installation.id)
            await self._follow_suspension(installation, known)
            if installation.suspended:
                continue
            try:
                await self._installation(installation, known, found)
            except RemoteError as error:
                found.unreadable.add(installation.id)
                _say("an installation could not be listed", str(installation.id), error)
        await self._poke_the_lost(known, found)

    async def _follow_suspension(self, installation: Installation, known: Known) -> None:
        """Look at the Previews of an installation that was suspended or let in again."""
        for preview in known.values():
            ended = preview.status.reason is Reason.INSTALLATION_SUSPENDED
            if preview.spec.installation_id == installation.id and ended != installation.suspended:
                await self._poke_known(preview)

    async def _installation(self, installation: Installation, known: Known, found: _Found) -> None:
        repositories = self._included(installation, await self._github.repositories(installation.id))
        found.listed |= {repository.id for repository in repositories}
        for repository in _from(repositories, self._stopped_at.pop(installation.id, None)):
            try:
                await self._repository(installation.id, repository, known)
            except RemoteError as error:
                _say("a repository could not be listed", repository.full_name, error)
                if error.after is not None:
                    # The next repository would meet the same limit; other installations have their own. Were
                    # the first ones always the first again, the last would never have their turn.
                    self._stopped_at[installation.id] = repository.id
                    return

    def _served(self, installations: Sequence[Installation]) -> Sequence[Installation]:
        """Return the installations that the settings let have anything.

        The others are not listed at all. Previews of theirs are as absent as those of a repository that is
        gone: they are looked at, and go.
        """
        served = [each for each in installations if serves(self._settings, each.account)]
        others = {each.account for each in installations} - {each.account for each in served}
        self._say_left_out("installations of accounts that `owners` does not name are refused", others)
        return served

    def _included(
        self, installation: Installation, repositories: Sequence[Repository]
    ) -> Sequence[Repository]:
        """Return the repositories of an installation that may have anything; the same holds for others."""
        # In an archived one nobody can work on a pull request any more: what it has from before is looked at.
        kept = [each for each in repositories if not each.archived]
        included = [each for each in kept if bounds_of(self._settings, each.full_name) is not None]
        others = {each.full_name for each in kept} - {each.full_name for each in included}
        self._say_left_out(f"repositories of installation {installation.id} get nothing", others)
        return included

    def _say_left_out(self, words: str, names: set[str]) -> None:
        """Say what is left out, in one line, and not again until that changes."""
        if names != self._left_out.get(words, set()):
            about = {"number": len(names), "first": sorted(names)[:_LEFT_OUT_TOLD]}
            log.warning(words, extra=about)
        self._left_out[words] = names

    async def _repository(self, installation_id: int, repository: Repository, known: Known) -> None:
        client = self._github.installation(installation_id).sparing()
        rows = await client.open_pull_requests(repository.full_name)
        sha = await self._configuration(installation_id, repository) if rows else None
        before = self._configurations.get(repository.id)
        changed = sha is not None and before is not None and sha != before
        # A new configuration may name other labels or triggers, so what triggered nothing must be asked about
        # again.
        if changed:
            self._untriggered.forget(repository.id)
        for row in rows:
            preview = known.get((repository.id, row.number))
            news = (preview.status.observed.configuration_sha, sha or "") if preview else ("", "")
            # A row of the listing has the time and the head. If both are as we saw them last, no webhook was
            # missed, and the pull request costs nothing.
            if self._is_due(repository, row, preview) or self._is_news(repository, row, news):
                spec = self._spec(installation_id, repository, row.number)
                await self._poke(spec, row.updated_at, create=True)
                if news[0] != news[1]:
                    self._told[repository.id, row.number] = news
        open_numbers = {row.number for row in rows}
        for (repository_id, number), _ in known.items():
            # Closed, and the webhook was lost; or the list is behind. The pass asks GitHub which it is.
            if repository_id == repository.id and number not in open_numbers:
                await self._poke(self._spec(installation_id, repository, number), None, create=False)
        if sha is not None:
            # Only now: a poke that failed must not lose the news.
            self._configurations[repository.id] = sha

    def _is_news(self, repository: Repository, row: OpenPullRequest, news: tuple[str, str]) -> bool:
        """Return whether a Preview goes by another configuration than this, and was not told so yet.

        Once only: a Preview may go by the configuration of another branch (`config_branches`), and then it
        differs from the one that is listed for ever.
        """
        seen, listed = news
        return seen != listed and self._told.get((repository.id, row.number)) != news

    async def _configuration(self, installation_id: int, repository: Repository) -> str:
        client = self._github.installation(installation_id).sparing()
        try:
            file = await client.file(repository.full_name, PATH, repository.default_branch)
        except Invalid:
            # Too large: what that means is said where the pull request is looked at.
            return ""
        return file.sha if file else ""

    def _is_due(self, repository: Repository, row: OpenPullRequest, preview: Preview | None) -> bool:
        if preview is None:
            return not self._untriggered.remembers(repository.id, row.number, row.updated_at, row.head_sha)
        observed = preview.status.observed
        return observed.updated_at != row.updated_at or observed.head_sha != row.head_sha

    def _spec(self, installation_id: int, repository: Repository, number: int) -> Spec:
        return spec_of(
            github_host=self._settings.github_host,
            app_id=self._app_id,
            installation_id=installation_id,
            repository_id=repository.id,
            repository=repository.full_name,
            number=number,
        )

    async def _poke(self, spec: Spec, updated_at: datetime | None, *, create: bool) -> None:
        now = self._now()
        delivery = f"{LISTING}{now.strftime('%Y%m%dT%H%M%S.%f')}"
        poke = Poke(delivery_id=delivery, poked_at=now, updated_at=updated_at)
        await self._kube.poke(spec, poke, create=create)

    async def _poke_the_lost(self, known: Known, found: _Found) -> None:
        """Look at Previews of repositories that no installation lists any more: removed, or uninstalled.

        Where an installation could not be read, its repositories are not absent, only unseen.
        """
        for preview in known.values():
            spec = preview.spec
            unseen = spec.installation_id in found.unreadable
            if spec.repository_id in found.listed or unseen or spec.app_id != self._app_id:
                continue
            await self._poke_known(preview)

    async def _poke_known(self, preview: Preview) -> None:
        try:
            await self._poke(preview.spec, None, create=False)
        except RemoteError as error:
            _say("a Preview could not be poked", preview.name, error)


def _from(repositories: Sequence[Repository], first: int | None) -> Sequence[Repository]:
    """Return repositories from one of this number on, then those before it; as they are if it is gone."""
    index = next((place for place, each in enumerate(repositories) if each.id == first), 0)
    return [*repositories[index:], *repositories[:index]]


def _say(message: str, what: str, error: RemoteError) -> None:
    log.warning(message, extra={"what": what, "error": str(error)})
