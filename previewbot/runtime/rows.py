"""What the listing makes of what it reads: which rows it pokes for, and of which it asks for more first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from previewbot.api import Preview, name_of
from previewbot.api.github import Details, ListedRepository, OpenPullRequest, Repository
from previewbot.clients.github import InstallationClient
from previewbot.clients.github.listing import MOST_DETAILS
from previewbot.config.repository import AgentPolicy, Triggers, parse_asking
from previewbot.config.server import Settings
from previewbot.errors import RemoteError
from previewbot.reconciler import OfAgents, Untriggered
from previewbot.reconciler.bounded import keep
from previewbot.reconciler.gather.configuration import read_content
from previewbot.rules.listing import Verdict, is_settled, may_trigger, of_row, recognised, wants_check
from previewbot.rules.repositories import Bounds, bounds_of
from previewbot.runtime.batches import Batches, NoSuchQuestions
from previewbot.runtime.lister import AT_ONCE, Lister
from previewbot.runtime.pokes import Pokes, say

Known = Mapping[tuple[int, int], Preview]
Asking = tuple[Triggers, Mapping[str, AgentPolicy]]
"""What a configuration says of what may trigger a preview."""

_CONFIGURATIONS_KEPT = 200


@dataclass(frozen=True)
class Asked:
    """A row of which the listing itself does not tell whether anything asks for a preview; `configuration` is
    the listed file's blob."""

    repository: Repository
    row: OpenPullRequest
    configuration: str


class Rows:
    """Compares rows with Previews and with what is known to trigger nothing, and pokes what differs.

    Nothing of it is stored: after a restart the few questions that it takes are asked once more (25 pull
    requests for one point), which costs less than to keep the answers safe.
    """

    def __init__(
        self,
        pokes: Pokes,
        untriggered: Untriggered,
        of_agents: OfAgents,
        lister: Lister,
        now: Callable[[], datetime],
        settings: Settings,
    ) -> None:
        self._pokes = pokes
        self._untriggered = untriggered
        self._of_agents = of_agents
        self._lister = lister
        self._now = now
        self._settings = settings
        self._read: OrderedDict[tuple[str, Bounds], Asking | None] = OrderedDict()
        self._configurations: dict[int, str] = {}
        self._told: dict[tuple[int, int], tuple[str, str]] = {}
        self._numbers: dict[int, frozenset[int]] = {}  # of the Previews, by repository
        self._listed: dict[int, frozenset[int]] = {}  # by this listing, by repository

    def begin(self, known: Known) -> None:
        """Begin a listing: `known` are the Previews of before it. What was told to others is forgotten."""
        self._listed = {}
        numbers: dict[int, set[int]] = {}
        for repository_id, number in known:
            numbers.setdefault(repository_id, set()).add(number)
        self._numbers = {which: frozenset(found) for which, found in numbers.items()}
        self._told = {which: news for which, news in self._told.items() if which in known}

    def end(self) -> None:
        """End a listing: of what triggered nothing what is closed by now is forgotten.

        Not when the next one begins: what was opened in between is in no listing yet, and would be asked
        about although a look has found that nothing triggers it.
        """
        self._untriggered.keep_listed(self._listed)

    async def take(
        self,
        installation_id: int,
        repository: Repository,
        listed: ListedRepository,
        known: Known,
        short: bool,
    ) -> list[Asked]:
        """Poke what its row is enough for; return the rows of which more must be asked.

        `short`: so little is left of the hour's requests that only agents' pull requests are looked at anew.
        """
        sha, rows, asked = listed.configuration, listed.pull_requests, list[Asked]()
        before = self._configurations.get(repository.id)
        # A new configuration may name other labels or triggers, so what triggered nothing must be asked about
        # again.
        if before is not None and sha != before:
            self._untriggered.forget(repository.id, self._now())
        for row in rows:
            preview = known.get((repository.id, row.number))
            if preview is None:
                more = await self._take_new(installation_id, repository, listed, row)
            else:
                more = await self._take_known(installation_id, repository, listed, row, preview, short)
            if more:
                asked.append(Asked(repository, row, sha))
        self._listed[repository.id] = numbers = frozenset(row.number for row in rows)
        for number in self._numbers.get(repository.id, frozenset()) - numbers:
            # Closed, and the webhook was lost; or the list is behind. The pass asks GitHub which it is.
            spec = self._pokes.spec(installation_id, repository, number)
            await self._pokes.poke(spec, None, create=False)
        # Only now: a poke that failed must not lose the news.
        self._configurations[repository.id] = sha
        return asked

    async def _take_new(
        self, installation_id: int, repository: Repository, listed: ListedRepository, row: OpenPullRequest
    ) -> bool:
        """Poke what has no Preview and wants a look; return whether more must be asked to know that."""
        verdict = self._verdict(repository, listed, row)
        if verdict is Verdict.LOOK:
            await self._pokes.poke_row(installation_id, repository, row)
        return verdict is Verdict.ASK

    async def _take_known(
        self,
        installation_id: int,
        repository: Repository,
        listed: ListedRepository,
        row: OpenPullRequest,
        preview: Preview,
        short: bool,
    ) -> bool:
        """Poke a Preview that differs from its row; return whether more must be asked first."""
        if preview.spec.installation_id != installation_id:
            # Transferred. A public repository goes on to answer the installation that it was of, where
            # nothing may be written any more, so that no look would find it out.
            await self._pokes.move(preview, installation_id, repository)
        if short and not preview.status.observed.head_sha and row.node_id:
            # It waits for its first look. That it is an agent's, nobody knows before that but who asks.
            return True
        news = (preview.status.observed.configuration_sha, listed.configuration)
        # A row of the listing has the time and the head. If both are as we saw them last, no webhook was
        # missed, and the pull request costs nothing.
        due = listed.archived or self._is_due(row, preview) or _has_other_readers(repository, preview)
        if due or self._is_news(repository, row, news):
            await self._pokes.poke_row(installation_id, repository, row)
            if news[0] != news[1]:
                self._told[repository.id, row.number] = news
        return False

    def _verdict(self, repository: Repository, listed: ListedRepository, row: OpenPullRequest) -> Verdict:
        state, now = (row.updated_at, row.head_sha), self._now()
        if self._untriggered.remembers(repository.id, row.number, *state, now):
            return Verdict.NOTHING
        settings, default = self._settings, repository.default_branch
        if wants_check(row, listed, settings.check, now) and bounds_of(settings, repository.full_name):
            return Verdict.LOOK
        return of_row(row, listed, default, settings.config_branches, settings.agents.known)

    async def ask(
        self, installation_id: int, client: InstallationClient, asked: Sequence[Asked]
    ) -> RemoteError | None:
        """Poke those of which something asks for a preview; return the limit that stopped it, if any.

        What cannot be asked about is poked: the look finds out.
        """
        look: list[Asked] = []

        async def ask(batch: Sequence[Asked]) -> None:
            looked_at = self._now()
            found = await client.details([each.row.node_id for each in batch])
            # GitHub's times are compared with GitHub's clock: ours may be minutes ahead.
            settled = {each for each in batch if is_settled(each.row.updated_at, client.time_at(looked_at))}
            for each in batch:
                details = found.get(each.row.node_id)
                if details is not None:
                    await self._take_details(
                        installation_id, each, details, looked_at if each in settled else None
                    )

        batches = Batches(asked, MOST_DETAILS, ask, lambda each, error: look.append(each))
        if self._lister.takes_questions(installation_id):
            try:
                await batches.run(AT_ONCE)
            except NoSuchQuestions:
                pass
            except RemoteError as error:
                return error
        for each in (*look, *batches.left):
            await self._poke_said(installation_id, each)
        return None

    async def _take_details(
        self, installation_id: int, asked: Asked, details: Details, settled_at: datetime | None
    ) -> None:
        repository, row, file = asked.repository, asked.row, details.configuration
        triggers, policies = self._asking(repository, details) or (Triggers(), {})
        agent = recognised(row, repository, details, self._settings.agents.known)
        if agent is not None:
            self._of_agents.note(name_of(repository.id, row.number))
        if may_trigger(row, repository, details, agent, triggers, self._settings.agents, policies):
            await self._poke_said(installation_id, asked)
        # What was changed a moment ago may not be seen whole yet, and another configuration than the listed
        # one was not what this listing began with: it is asked about once more.
        elif settled_at is not None and asked.configuration == (file.sha if file is not None else ""):
            self._untriggered.remember(repository.id, row.number, row.updated_at, row.head_sha, settled_at)

    def _asking(self, repository: Repository, details: Details) -> Asking | None:
        """Return what the file says of what may trigger a preview; None if nothing, or if it is broken.

        Read once for all pull requests that have it: nothing else moves while a long file is read.
        """
        file, bounds = details.configuration, bounds_of(self._settings, repository.full_name)
        if file is None or bounds is None:
            return None
        key = (file.sha, bounds)
        found = self._read[key] if key in self._read else _asking_of(file.content, bounds)
        keep(self._read, key, found, _CONFIGURATIONS_KEPT)
        return found

    def _is_news(self, repository: Repository, row: OpenPullRequest, news: tuple[str, str]) -> bool:
        """Return whether a Preview goes by another configuration than this, and was not told so yet.

        Once only: a Preview may go by the configuration of another branch (`config_branches`), and then it
        differs from the one that is listed for ever.
        """
        seen, listed = news
        return seen != listed and self._told.get((repository.id, row.number)) != news

    def _is_due(self, row: OpenPullRequest, preview: Preview) -> bool:
        observed = preview.status.observed
        same = (observed.updated_at, observed.head_sha) == (row.updated_at, row.head_sha)
        # Of the second of its last change not all was seen: GitHub tells the rest of it with the same time.
        # And where something else had it looked at since, reviews were not read, of which a webhook was lost.
        reviews_read = preview.status.requests.reviews_as_of == row.updated_at
        return not (same and observed.settled and reviews_read)

    async def _poke_said(self, installation_id: int, asked: Asked) -> None:
        try:
            await self._pokes.poke_row(installation_id, asked.repository, asked.row)
        except RemoteError as error:
            say("a pull request could not be poked", asked.repository.full_name, error)


def _has_other_readers(repository: Repository, preview: Preview) -> bool:
    """Return whether a repository was made private or public since its pull request was looked at.

    GitHub counts no pull request as updated by that, and an ended preview is looked at by nobody else: its
    page would go on to quote issues and logs that are not everybody's any more.
    """
    observed = preview.status.observed
    return bool(observed.head_sha) and repository.private is observed.public


def _asking_of(content: bytes, bounds: Bounds) -> Asking | None:
    read = read_content(content, bounds)
    if read.wanted is not None:
        # It names mirrord files, which say nothing of this.
        return parse_asking(content, bounds.agents)
    return (read.config.triggers, read.config.agents) if read.config is not None else None
