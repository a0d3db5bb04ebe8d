"""Asks GitHub what the doctor wants to know, as the App and as its installations; it writes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from previewbot.api.github import AppFacts, Installation, Repository
from previewbot.clients.github import GitHub
from previewbot.clients.github.limits import Quota, quota_from
from previewbot.config.server import Settings
from previewbot.doctor import github_judged as judged
from previewbot.doctor.check import Check, not_checked
from previewbot.doctor.deliveries_judged import DELIVERIES, deliveries, of_ours
from previewbot.doctor.repositories_judged import REPOSITORIES
from previewbot.doctor.running import Question
from previewbot.errors import NoAnswer, RemoteError

_MOST_REPOSITORIES = 5
"""Of how many repositories the open pull requests are listed, where GitHub tells of no delivery."""

_JUST_NOW = timedelta(minutes=2)
"""A change as young as this need not have been delivered yet."""

_PATIENCE_SECONDS = 15.0
"""How long GitHub may take to say who we are, until its silence is told with what to do."""

_KEPT = timedelta(days=3)
"""So long GitHub tells of deliveries."""


class Heard:
    """Takes the headers of GitHub's answers: its clock, and what is left of the hour."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.skew: timedelta | None = None
        self.quota: Quota | None = None

    def __call__(self, headers: Mapping[str, str]) -> None:
        """Take the headers of an answer that just came."""
        self.quota = quota_from(headers) or self.quota
        try:
            # It has whole seconds: half a one is the best guess of what was cut off.
            theirs = parsedate_to_datetime(headers.get("date", "")) + timedelta(seconds=0.5)
            self.skew = self._now() - theirs
        except (ValueError, TypeError):
            return


class OfGitHub:
    """The questions to GitHub; each keeps what the later ones need. `after` is what is asked before them."""

    def __init__(
        self,
        github: GitHub,
        settings: Settings,
        heard: Heard,
        now: Callable[[], datetime],
        after: tuple[str, ...] = (),
    ) -> None:
        self._github, self._settings, self._heard, self._now = github, settings, heard, now
        self._after = after
        self._facts = AppFacts("")
        self.served: Sequence[Installation] = ()

    def questions(
        self,
        of_repositories: Sequence[Question],
        covered: Callable[[], Sequence[tuple[Installation, Repository]]],
    ) -> list[Question]:
        """Return them in the order in which they are told, with those about repositories among them.

        `covered` gives the repositories, once these are answered.
        """
        self._covered = covered
        known = (judged.APP,)
        return [
            Question(judged.APP, self._app, after=self._after),
            Question(judged.CLOCK, self._clock, awaits=known),
            Question(judged.PERMISSIONS, self._permissions, after=known),
            Question(judged.EVENTS, self._events, after=known),
            Question(judged.INSTALLATIONS, self._installations, after=known),
            *of_repositories,
            Question(judged.HOOK, self._hook, after=known),
            Question(
                DELIVERIES, self._deliveries, after=known, awaits=(REPOSITORIES,), follows=(judged.HOOK,)
            ),
            Question(judged.QUOTA, self._quota, after=known, awaits=(DELIVERIES,)),
        ]

    async def _app(self) -> list[Check]:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                self._facts = await self._github.facts()
        except TimeoutError:
            silence = NoAnswer("GET /app", message="no answer in time")
            return [judged.app_refused(silence, self._settings)]
        except RemoteError as error:
            return [judged.app_refused(error, self._settings, self._heard.skew)]
        return [judged.app(self._facts, self._settings), *judged.client_id(self._facts, self._settings)]

    async def _clock(self) -> list[Check]:
        return [judged.clock(self._heard.skew)]

    async def _permissions(self) -> list[Check]:
        return [judged.permissions(self._facts, self._settings)]

    async def _events(self) -> list[Check]:
        return [judged.events(self._facts)]

    async def _installations(self) -> list[Check]:
        found = await self._github.installations()
        self.served = judged.served(found, self._settings)
        return judged.installations(found, self._facts, self._settings)

    async def _hook(self) -> list[Check]:
        try:
            return [judged.hook(await self._github.hook(), self._settings)]
        except RemoteError as error:
            return [judged.hook_refused(error, self._settings)]

    async def _deliveries(self) -> list[Check]:
        found = await self._github.deliveries()
        ours = of_ours(found, self.served)
        changed = None if found else await self._last_change()
        return [deliveries(ours, changed, self._now(), others=len(found) - len(ours))]

    async def _last_change(self) -> datetime | None:
        """Return when a pull request last changed of which a webhook should have told by now."""
        latest, earliest = self._now() - _JUST_NOW, self._now() - _KEPT
        moments: list[datetime] = []
        for installation, repository in self._covered()[:_MOST_REPOSITORIES]:
            client = self._github.installation(installation.id).sparing()
            opened = await client.open_pull_requests(repository.full_name)
            moments += [each.updated_at for each in opened if earliest < each.updated_at < latest]
        return max(moments, default=None)

    async def _quota(self) -> list[Check]:
        if not self.served:
            return [not_checked(judged.QUOTA, "there is no installation that counts")]
        return [judged.quota(self._heard.quota, self._now())]
