"""What the controller remembers between passes; losing it costs one look at GitHub per pull request."""

from __future__ import annotations

import logging
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from previewbot.api import ConfigurationProblem, Requests, Status
from previewbot.config.mirrord.files import FilesWanted
from previewbot.config.repository import RepositoryConfig
from previewbot.reconciler.bounded import keep, look_up
from previewbot.reconciler.builds_seen import BuildsSeen
from previewbot.reconciler.closed_places import ClosedPlaces
from previewbot.reconciler.edit_questions import EditQuestions
from previewbot.reconciler.files_memory import FilesMemory, Names
from previewbot.reconciler.listing_memory import OfAgents, Untriggered
from previewbot.reconciler.observation import GatewaySeen, Observation, PullRequestFacts
from previewbot.reconciler.pauses import FIRST, Pauses
from previewbot.reconciler.plan.refusals import ANSWERS_AN_HOUR, is_refusal
from previewbot.reconciler.pod_questions import PodQuestions
from previewbot.reconciler.request_questions import RequestQuestions
from previewbot.reconciler.unshown import Unshown
from previewbot.reconciler.watched import Watched
from previewbot.rules.changes import Changes
from previewbot.rules.glances import Heard
from previewbot.rules.repositories import Bounds
from previewbot.rules.seldom import Seldom

log = logging.getLogger(__name__)

Problems = tuple[ConfigurationProblem, ...]

_CONFIGURATIONS_KEPT = 200
_NO_FILES: Names = frozenset()
_WRITERS_KEPT = 10_000
_CONVERSATIONS_KEPT = 1_000
_REFUSED_KEPT = 10_000
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class ReadConfiguration:
    """What was read of a configuration file: `config` is None where it has `problems`.

    `not_allowed`: they are no mistakes of its author's, but what the settings do not let the repository have.
    `entry_refused`: one of these is that no link may lead to its entry. `wanted` are files of the repository
    that it names and that were not known when it was read, so that nothing else is known of it.
    """

    config: RepositoryConfig | None = None
    problems: Problems = ()
    not_allowed: bool = False
    entry_refused: bool = False
    wanted: FilesWanted | None = None


class Configurations:
    """What was read of the latest configuration files: many pull requests share one.

    By their blobs' SHAs, by the bounds that they were held to, and by what the files hold that they name. A
    blob's SHA says what is in it and not whose it is: two repositories that may have different things can
    have the same file. `files` has what was read of the others.
    """

    def __init__(self) -> None:
        self._read: OrderedDict[tuple[str, Bounds, Names], ReadConfiguration] = OrderedDict()
        self._of_commits: OrderedDict[tuple[str, str, Bounds], tuple[str, ReadConfiguration]] = OrderedDict()
        self.files = FilesMemory()

    def read(self, sha: str, bounds: Bounds, read: Callable[[], ReadConfiguration]) -> ReadConfiguration:
        """Return what `read` returned for this content and these bounds, now or before."""
        return self.known(sha, bounds, _NO_FILES) or self.remember(sha, bounds, _NO_FILES, read())

    def known(self, sha: str, bounds: Bounds, names: Names) -> ReadConfiguration | None:
        """Return what was read of this content within these bounds with these files, if it was read."""
        return look_up(self._read, (sha, bounds, names))

    def of_commit(self, repository: str, commit: str, bounds: Bounds) -> tuple[str, ReadConfiguration] | None:
        """Return the blob of a commit's configuration, and what was read of it with its files, if it was."""
        return look_up(self._of_commits, (repository, commit, bounds))

    def remember_commit(
        self, repository: str, commit: str, bounds: Bounds, sha: str, found: ReadConfiguration
    ) -> None:
        """Note what was read of a commit's configuration with the files that it names: none ever changes."""
        keep(self._of_commits, (repository, commit, bounds), (sha, found), _CONFIGURATIONS_KEPT)

    def remember(self, sha: str, bounds: Bounds, names: Names, found: ReadConfiguration) -> ReadConfiguration:
        """Note what was read, and return it."""
        keep(self._read, (sha, bounds, names), found, _CONFIGURATIONS_KEPT)
        return found


class Writers:
    """Who was found to have write access to a repository. They are asked about first, each time anew."""

    def __init__(self) -> None:
        self._found: OrderedDict[tuple[int, int], None] = OrderedDict()

    def note(self, repository_id: int, account: int, may_write: bool) -> None:
        """Note what GitHub said of an account."""
        if may_write:
            keep(self._found, (repository_id, account), None, _WRITERS_KEPT)
        else:
            self._found.pop((repository_id, account), None)

    def knows(self, repository_id: int, account: int) -> bool:
        """Return whether an account had write access when it was asked about last."""
        return (repository_id, account) in self._found


class Refusals:
    """How many of those who may not ask for anything were answered lately, by installation."""

    def __init__(self) -> None:
        self._given: dict[int, deque[datetime]] = {}

    def left(self, installation_id: int, now: datetime) -> int:
        """Return how many more may be answered now."""
        given = self._given.get(installation_id, deque())
        while given and now - given[0] >= _HOUR:
            given.popleft()
        return max(0, ANSWERS_AN_HOUR - len(given))

    def note(self, installation_id: int, number: int, now: datetime) -> None:
        """Note so many answers."""
        given = self._given.setdefault(installation_id, deque(maxlen=ANSWERS_AN_HOUR))
        given.extend([now] * number)


class Conversations:
    """What was carried out on pull requests whose Preview has gone again, by the Preview's name.

    Nothing triggers a preview there, so that each comment makes a Preview that is gone after a look; it must
    not have all the comments before carried out and answered again.
    """

    def __init__(self) -> None:
        self._left: OrderedDict[str, Requests] = OrderedDict()

    def remember(self, name: str, requests: Requests) -> None:
        """Note what was carried out when a Preview went."""
        keep(self._left, name, requests, _CONVERSATIONS_KEPT)

    def of(self, name: str) -> Requests | None:
        """Return what was carried out when the last Preview of this name went, if that is known."""
        return self._left.get(name)


class Refused:
    """Previews whose refusal the log has said, by their uids: it says each once."""

    def __init__(self) -> None:
        self._said: OrderedDict[str, None] = OrderedDict()

    def is_new(self, uid: str) -> bool:
        """Return whether this is the first time that it is asked about a Preview."""
        new = uid not in self._said
        keep(self._said, uid, None, _REFUSED_KEPT)
        return new


@dataclass(frozen=True)
class Redirected:
    """Since when a route leads to the page, and since when its gateway is known to know that."""

    at: datetime
    acknowledged_at: datetime | None = None


@dataclass
class GatewayMemory:
    """How the one Gateway stood at the last look, and when that was."""

    seen: GatewaySeen = field(default_factory=GatewaySeen)
    read_at: datetime | None = None


@dataclass
class Memory:
    """Per Preview: the facts of the last look, the changed files of the last head, looks for images.

    `heads` has what was read of the configuration files of pull requests' own commits, apart from those that
    count, which they must not push out; `changes_of_heads` by repository, head and base whether a pull
    request changes that file, where it was asked. `elsewhere` has by repository and commit where a file lies
    that may have been meant as configuration. `redirected` has those whose route does not lead to staging, as
    far as this process knows: a restart waits for the gateway once more. `heard` has what was read of the
    conversations, once what came of it is stored. `verdicts_asked_at` is when GitHub was last asked whether
    those are still there.
    """

    facts: dict[str, PullRequestFacts] = field(default_factory=dict)
    heard: dict[str, Heard] = field(default_factory=dict)
    glances_failed: OrderedDict[int, datetime] = field(default_factory=OrderedDict)
    configurations: Configurations = field(default_factory=Configurations)
    heads: Configurations = field(default_factory=Configurations)
    changes_of_heads: OrderedDict[tuple[str, str, str], bool] = field(default_factory=OrderedDict)
    files: dict[str, tuple[tuple[str, str, str], Changes]] = field(default_factory=dict)
    elsewhere: OrderedDict[tuple[str, str], str] = field(default_factory=OrderedDict)
    image_lookups: dict[str, datetime] = field(default_factory=dict)
    redirected: dict[str, Redirected] = field(default_factory=dict)
    untriggered: Untriggered = field(default_factory=Untriggered)
    of_agents: OfAgents = field(default_factory=OfAgents)
    writers: Writers = field(default_factory=Writers)
    refusals: Refusals = field(default_factory=Refusals)
    conversations: Conversations = field(default_factory=Conversations)
    pauses: Pauses = field(default_factory=Pauses)
    refused: Refused = field(default_factory=Refused)
    unshown: Unshown = field(default_factory=Unshown)
    said: Seldom = field(default_factory=Seldom)
    edit_questions: EditQuestions = field(default_factory=EditQuestions)
    verdict_questions: EditQuestions = field(default_factory=EditQuestions)
    verdicts_asked_at: dict[str, datetime] = field(default_factory=dict)
    pod_questions: PodQuestions = field(default_factory=PodQuestions)
    request_questions: RequestQuestions = field(default_factory=RequestQuestions)
    gateway: GatewayMemory = field(default_factory=GatewayMemory)
    builds: BuildsSeen = field(default_factory=BuildsSeen)
    watched: Watched = field(default_factory=Watched)
    closed: ClosedPlaces = field(default_factory=ClosedPlaces)

    def forget(self, name: str) -> None:
        """Forget a Preview that is gone."""
        self.forget_facts(name)
        self.files.pop(name, None)
        self.redirected.pop(name, None)
        self.unshown.forget(name)
        self.edit_questions.forget(name)
        self.verdict_questions.forget(name)
        self.verdicts_asked_at.pop(name, None)
        self.request_questions.forget(name)
        self.forget_image_lookups(name)
        self.builds.forget(name)
        self.watched.forget(name)

    def forget_facts(self, name: str) -> None:
        """Let the next pass read GitHub again."""
        self.facts.pop(name, None)
        self.heard.pop(name, None)

    def forget_image_lookups(self, name: str) -> None:
        """Let the next pass look for images again at once."""
        # The key goes on with service and commit, so the slash keeps `gh-1-2` from matching what is of
        # `gh-1-23`.
        for key in [key for key in self.image_lookups if key.startswith(f"{name}/")]:
            del self.image_lookups[key]
        self.builds.ask_anew(name)


def _note_heard(memory: Memory, observation: Observation) -> None:
    """Note which comments a look has read, now that the status is stored that came of them.

    Not before: if somebody else wrote the status in between, the next pass must find their commands again.
    """
    name, inbox = observation.preview.name, observation.inbox
    if inbox.heard is None:
        return
    if inbox.left is None and not inbox.unseen:
        memory.heard[name] = inbox.heard
    else:
        memory.heard.pop(name, None)


def note_look(memory: Memory, observation: Observation, *, approved: bool, runs: bool) -> None:
    """Let whoever caused a look wait longer for the next if this one came to nothing.

    `approved`: it took somebody's approval of a commit; `runs`: something is to run.
    """
    facts, pauses, preview = observation.facts, memory.pauses, observation.preview
    if not observation.fresh or facts is None:
        return
    _note_heard(memory, observation)
    now, author = observation.now, facts.pull_request.author
    callers, of_our_time = pauses.callers(preview, now), pauses.was_heard_of(preview)
    # A look that leaves commands to the next has not seen what somebody called for.
    if not facts.lagging and facts.again_at is None:
        pauses.note_heard(preview)
    else:
        pauses.note_unanswered(preview)
    if approved:
        pauses.forgive(author.id)
    elif facts.pull_request.is_fork and observation.may_wait and not runs:
        wait = pauses.note_in_vain(author.id, now)
        about = {"preview": preview.name, "author": author.login, "author_id": author.id}
        log.info("a look came to nothing", extra={**about, "next_after": wait.total_seconds()})
    # Whoever was found to have write access, in this look or in one that took an earlier portion, makes no
    # noise. Of others that is not known while commands are left: theirs may be among them. That GitHub does
    # not show a comment yet is believed for a moment only: whoever deletes theirs at once is never shown.
    young = now - (preview.poke.poked_at or now) < FIRST
    complete = facts.again_at is None and not (facts.lagging and young)
    for caller in callers:
        if memory.writers.knows(preview.spec.repository_id, caller):
            pauses.forgive(caller)
        elif complete and of_our_time:
            pauses.note_in_vain(caller, now)


def note_refusals(memory: Memory, observation: Observation, status: Status, before: Status) -> None:
    """Count those who may not ask and are answered: there are only so many answers in an hour."""
    known = {reply.request for reply in before.replies}
    new = [reply for reply in status.replies if reply.request not in known and is_refusal(reply)]
    if new:
        memory.refusals.note(observation.preview.spec.installation_id, len(new), observation.now)
