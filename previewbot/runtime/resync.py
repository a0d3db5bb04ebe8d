"""The listing of open pull requests, which makes good what webhooks missed.

It only pokes, and says of a Preview to which installation its repository was transferred. Absence from a
listing is a reason to look, never to delete. What a row tells already, and what is asked of many at once,
keeps it from poking for what cannot come to anything (`rules/listing.py`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from previewbot.api import Preview, Reason
from previewbot.api.github import (
    Installation,
    ListedRepository,
    Repository,
)
from previewbot.clients.github import GitHub
from previewbot.clients.github.spending import is_short, measured
from previewbot.clients.kubernetes.client import Kube
from previewbot.config.server import Settings
from previewbot.errors import LeaseLost, RemoteError, TryLater
from previewbot.reconciler import OfAgents, Untriggered
from previewbot.rules.repositories import bounds_of, serves
from previewbot.runtime.batches import first_of
from previewbot.runtime.lacking_rights import LackingRights
from previewbot.runtime.lister import Lister, say_unlisted
from previewbot.runtime.pace import Pace
from previewbot.runtime.pokes import Pokes, say
from previewbot.runtime.rows import Asked, Known, Rows

log = logging.getLogger(__name__)

_LEFT_OUT_TOLD = 20
_AT_ONCE = 4
"""Installations that are listed at once."""


@dataclass
class _Found:
    """What one listing has found so far, as the ids of repositories and of installations."""

    listed: set[int] = field(default_factory=set)
    unreadable: set[int] = field(default_factory=set)


class Resync:
    """Lists, per installation and repository, and pokes what is missing or differs.

    `pause` waits for so many seconds, or until a listing is asked for; `pace` says which installation is due.
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
        pace: Pace | None = None,
        of_agents: OfAgents | None = None,
    ) -> None:
        self._pause = pause
        self._github = github
        self._previews = previews
        self._now = now
        self._settings = settings
        self._interval = settings.listing.interval.total_seconds()
        self._app_id = settings.github.app_id
        self._pace = pace or Pace(self._interval)
        self._lister = Lister(now, base_files=bool(settings.config_branches))
        self._pokes = Pokes(kube, now, settings)
        self._rows = Rows(self._pokes, untriggered, of_agents or OfAgents(), self._lister, now, settings)
        self._last_covered: dict[int, Sequence[Repository]] = {}
        self._stopped_at: dict[int, int] = {}  # the repository at which a limit stopped, by installation
        self._rights = LackingRights(settings)
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
        """List everything once that is due.

        Neither an installation nor a repository that fails keeps the others from being listed, now or the
        next time: what a limit of GitHub's stops is not sent (`clients/github/limits.py`), so that to list it
        again costs nothing, and whoever uses up one installation's hour does not stop the listing of all.
        Raises RemoteError if not even the installations can be listed.
        """
        # What was known before a listing and is not in it is absent; what came in the meantime is not.
        known = {(p.spec.repository_id, p.spec.number): p for p in self._previews()}
        self._rows.begin(known)
        found, due = _Found(), []
        served = self._served(await self._github.installations())
        self._rights.look(served)
        self._pace.keep({installation.id for installation in served})
        for installation in served:
            await self._follow_suspension(installation, known)
            # GitHub refuses everything about a suspended one. Its repositories are not gone: the App may be
            # let in again.
            if installation.suspended or not self._pace.is_due(installation.id, self._now()):
                found.unreadable.add(installation.id)
            else:
                due.append(installation)
        turns = asyncio.Semaphore(_AT_ONCE)
        try:
            async with asyncio.TaskGroup() as group:
                for installation in due:
                    group.create_task(self._in_turn(turns, installation, known, found))
        except BaseExceptionGroup as errors:
            raise first_of(errors) from None
        self._rows.end()
        await self._poke_the_lost(known, found)
        self._pace.tell()

    async def _follow_suspension(self, installation: Installation, known: Known) -> None:
        """Look at the Previews of an installation that was suspended or let in again."""
        for preview in known.values():
            ended = preview.status.reason is Reason.INSTALLATION_SUSPENDED
            if preview.spec.installation_id == installation.id and ended != installation.suspended:
                await self._poke_known(preview)

    async def _in_turn(
        self, turns: asyncio.Semaphore, installation: Installation, known: Known, found: _Found
    ) -> None:
        async with turns:
            try:
                await self._installation(installation, known, found)
            except RemoteError as error:
                found.unreadable.add(installation.id)
                self._note_stopped(installation, error)
                say("an installation could not be listed", str(installation.id), error)

    async def _installation(self, installation: Installation, known: Known, found: _Found) -> None:
        began = self._now()
        client = self._github.installation(installation.id).sparing()
        with measured() as spent:
            repositories, kept_back = await self._covered(installation)
            covered = self._included(installation, repositories)
            found.listed |= {repository.id for repository in covered}
            asked: list[Asked] = []
            short = is_short(client.hours, began.timestamp())

            async def take(repository: Repository, listed: ListedRepository | None) -> None:
                if listed is None:
                    say_unlisted(repository, RemoteError("GraphQL", message="GitHub does not show it"))
                    return
                try:
                    asked.extend(await self._rows.take(installation.id, repository, listed, known, short))
                except RemoteError as error:
                    say("a repository could not be listed", repository.full_name, error)

            repositories = _from(covered, self._stopped_at.pop(installation.id, None))
            followed = {repository_id for repository_id, _ in known}
            stopped, error = await self._lister.read(installation.id, client, repositories, followed, take)
            # Also what a limit left undone: the details have the same limit, and cost nothing if it holds.
            error = await self._rows.ask(installation.id, client, asked) or error
        if stopped is not None:
            # Were the first ones always the first again, the last would never have their turn.
            self._stopped_at[installation.id] = stopped.id
        if error is None:
            self._pace.listed(installation.id, began, self._now(), spent, client.hours)
            if kept_back is not None:
                # Of what was listed all is known; what came to the installation meanwhile is not found.
                self._note_stopped(installation, kept_back)
        else:
            self._note_stopped(installation, error)
            say("an installation could not be listed to its end", str(installation.id), error)

    async def _covered(self, installation: Installation) -> tuple[Sequence[Repository], RemoteError | None]:
        """Return the repositories of an installation; those of the last time where it has no requests left,
        with the limit.

        GraphQL has an hour of its own, so that what agents open meanwhile is found nevertheless.
        """
        known = self._last_covered.get(installation.id)
        try:
            found = await self._github.repositories(installation.id, first=known is None)
        except TryLater as error:
            if known is None or error.after is None:
                raise
            return known, error
        self._last_covered[installation.id] = found
        return found, None

    def _note_stopped(self, installation: Installation, error: RemoteError) -> None:
        if error.after is not None:
            self._pace.stopped(installation.id, error, self._now())

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
            await self._pokes.poke(preview.spec, None, create=False)
        except RemoteError as error:
            say("a Preview could not be poked", preview.name, error)


def _from(repositories: Sequence[Repository], first: int | None) -> Sequence[Repository]:
    """Return repositories from one of this number on, then those before it; as they are if it is gone."""
    index = next((place for place, each in enumerate(repositories) if each.id == first), 0)
    return [*repositories[index:], *repositories[:index]]
