"""What a pass observed, as values: everything that the plan may know, and nothing that asks.

`gather` fills an `Observation`; `make_plan` is a function of it. So a test of the plan is a table: this
world, that plan.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from previewbot.api import (
    AgentSeen,
    BaseBranch,
    ConfigurationProblem,
    LeftOut,
    Lifecycle,
    Picture,
    PodProblem,
    Preview,
    Reason,
    Service,
    Waiting,
)
from previewbot.api.github import PullRequest
from previewbot.config.agents import SignalKind
from previewbot.config.repository import AgentPolicy, RepositoryConfig, ServiceConfig
from previewbot.engine.gateway_state import UNREAD, GatewayState
from previewbot.engine.operator import OperatorSeen, problem_of
from previewbot.engine.parts import SessionParts
from previewbot.errors import RemoteError
from previewbot.reconciler.conversation import Inbox
from previewbot.reconciler.found import Found as Found
from previewbot.reconciler.limits import Limits
from previewbot.rules import policy
from previewbot.rules.asked_for import Requested
from previewbot.rules.link_answers import Answers
from previewbot.rules.pictures import Wish
from previewbot.rules.repositories import Bounds
from previewbot.rules.slots import SlotGrant


@dataclass(frozen=True)
class PullRequestFacts:
    """What a look at GitHub found; kept in memory, never written into the Preview.

    `bounds` is what the repository may have, by the name that this look found; None if it may have nothing.
    `config` is None where there is no file, or where it has `problems`; `base_branch` is a base that the
    settings name; `files` are the changed ones of the services that are previewed, `left_out` what other
    services changed; so many changed files are `shared` by all, with `room` for so many more services;
    `elsewhere` is a file that may have been meant as configuration; `merge_sha` is the test merge of this
    very head, where an image could be named by it; `command_only`: an App opened it that is on no list, and
    the settings let only a command start it. `lagging` means that GitHub does not yet show what the webhook
    told us of, `settled` that its clock had passed the second of the pull request's `updated_at` when the
    look began. With commands left for another look, `again_at` is when that is due; `unseen_at` is when to
    look again for comments that webhooks told of and GitHub did not show; `verdicts_at` when to ask again
    about those of which not all is known. `glanced`: a glance was enough for it, or for a part.
    `not_allowed`: the `problems` are what the settings do not let the repository have. `entry_refused`: among
    them is that no link may lead to the entry. `mistakes` are those that the pull request itself writes into
    the configuration file, which it may change. `queue_heads` are the commits in which a merge queue tries
    it; None where nobody asked.
    """

    pull_request: PullRequest
    config: RepositoryConfig | None
    bounds: Bounds | None = field(kw_only=True)
    config_sha: str = ""
    base_branch: BaseBranch | None = None
    problems: tuple[ConfigurationProblem, ...] = ()
    agent: AgentSeen | None = None
    files: Mapping[str, int] = field(default_factory=dict)
    left_out: LeftOut | None = None
    shared: int = 0
    room: int = 0
    elsewhere: str = ""
    merge_sha: str = ""
    lagging: bool = False
    settled: bool = False
    read_at: datetime | None = None
    again_at: datetime | None = None
    unseen_at: datetime | None = None
    verdicts_at: datetime | None = None
    not_allowed: bool = False
    entry_refused: bool = False
    command_only: bool = False
    glanced: bool = False
    changes_configuration: bool = False
    mistakes: tuple[ConfigurationProblem, ...] = ()
    queue_heads: tuple[str, ...] | None = None

    @property
    def policy(self) -> AgentPolicy:
        """What the repository wants of the agent behind the pull request."""
        return policy.policy_of(self.agent, self.config.agents if self.config else {})

    def is_agents_own(self, started_by: str) -> bool:
        """Return whether that is the agent itself, by the account that opened the pull request."""
        its_account = self.agent is not None and self.agent.kind == SignalKind.ACCOUNT
        return its_account and started_by == self.pull_request.author.login

    def changed(self, by_name: Sequence[str]) -> Mapping[str, int]:
        """Return the changed files of the services that may start.

        Beside those with a path of their own, these are what somebody started `by_name` although the pull
        request changes only what all share: the first of them for which there is room.
        """
        if not self.shared or self.config is None:
            return self.files
        order = [service.name for service in self.config.services]
        # In the order in which they were started: another one must not end what runs.
        more = [name for name in by_name if name in order and name not in self.files][: self.room]
        return {
            name: self.files.get(name, self.shared) for name in order if name in self.files or name in more
        }

    def started(self, lifecycle: Lifecycle) -> Mapping[str, int]:
        """Return the changed files of the services that start, by whose command if by one."""
        # What an agent's own command starts is what starts by itself: others are a person's to start.
        by = lifecycle.started_by
        asked = bool(by) and not self.is_agents_own(by)
        return policy.started(self.changed(lifecycle.by_name), self.policy, asked=asked)

    def held_back(self, lifecycle: Lifecycle) -> tuple[str, ...]:
        """Return the names of changed services that are left for a person to start."""
        starts = self.started(lifecycle)
        return tuple(name for name in self.changed(lifecycle.by_name) if name not in starts)


@dataclass(frozen=True)
class ImageFound:
    """The registry has the image of this head: under this reference, with this digest.

    `built_by` are the workflows one of which built it, where that was seen.
    """

    image: str
    digest: str
    built_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class ImageMissing:
    """The registry does not have it, or could not be asked; `waiting` says why."""

    waiting: Waiting


@dataclass(frozen=True)
class ImageNotDue:
    """Nobody looked: the last look was a moment ago."""


ImageLookup = ImageFound | ImageMissing | ImageNotDue


@dataclass(frozen=True)
class Target:
    """What a look at a service's target found: the container to replace, or what is wrong with it.

    `meant`: the target names `container`, although staging runs the service's image in this other one.
    `without_ports`: neither the configuration names a port nor does a container of the pod declare one.
    """

    container: str = ""
    problem: str = ""
    meant: str = ""
    without_ports: bool = False


@dataclass(frozen=True)
class Prepared:
    """A service with its image as far as that is known; `target_problem` says why it cannot run at all.

    `parts` are what its session has of its own.
    """

    config: ServiceConfig
    service: Service
    head_sha: str
    target_problem: str = ""
    parts: SessionParts = field(default_factory=SessionParts)

    @property
    def can_run(self) -> bool:
        """Whether everything is known that its session needs."""
        return bool(self.service.head_sha) and not self.target_problem


@dataclass(frozen=True)
class LogsRead:
    """What the services that run said last, by name, where somebody asks for it; of each few lines, masked.

    `withheld` names the words that say why it may not be shown, empty where it may. `unread` are services
    with a session of which nothing could be read.
    """

    lines: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    withheld: str = ""
    unread: tuple[str, ...] = ()


@dataclass(frozen=True)
class LinkAnswer:
    """What asking a link came to: `of` which inquiry, and when.

    `again`: only whether the guard is still before it.
    """

    of: str
    at: datetime
    answers: Answers
    again: bool = False


@dataclass(frozen=True)
class PicturesSeen:
    """How the pictures of a wish stand, as the worker says; no `wish`: there are none any more.

    `public` is the part of their addresses that nobody guesses, where anybody may see them.
    """

    wish: Wish | None
    taken: tuple[Picture, ...] = ()
    public: str = ""


@dataclass(frozen=True)
class PicturesAskedFor:
    """What the worker was last asked for a Preview: `of` which wish, `since` when of that one, and when.

    `until` is when that wish ended, and `only_asks` whether it asked for no look.
    It is not asked for the same before it `rests` so many seconds, since nothing came of that.
    """

    of: str
    since: datetime
    at: datetime
    until: datetime
    only_asks: bool = False
    rests: float = 0.0


@dataclass(frozen=True)
class GatewaySeen:
    """How the Gateway stood when it was looked at last, and since when it stands so."""

    state: GatewayState = UNREAD
    since: datetime | None = None


@dataclass(frozen=True)
class Observation:
    """One world, at one moment.

    `preview` is as it is stored, before anything of this pass; `now` is when all was gathered, `read_at`
    when the look at GitHub began: what is written there meanwhile is for the next one. `fresh`: the `facts`
    were read in this pass, and `inbox` with them; `may_wait`: that look was one that strangers wait for.
    `images` and `targets` are by service, `pod_problems` by the uid of the session; `taken` says of children
    that are not there, by their identity, what of somebody else's is in their way. What was not asked for is
    not in them. Of the namespaces in `unseen` we may not list every kind: what is there need not be in
    `found`. Of the kinds in `absent` the cluster has none, since it does not know them.
    `logs` is what was read for a command of people. `pods_again` is in how many seconds pods are to be
    looked at that are not up, if any are. `operator` is what the last poll knew of mirrord's operator.
    `requested` is what is known of the request, None if this look did not ask or had no reason to.
    `gives_way`: as it is stored it sleeps, and another that waits gets its slot.
    `link_answer` is there in the pass in which a link has answered, `link_asked_since` while it has not.
    `pictures` is there in the pass in which the worker answered, `pictures_asked` since it was asked in this
    process; for `pictures_rest` seconds nothing is asked of it.
    """

    preview: Preview
    now: datetime
    limits: Limits
    facts: PullRequestFacts | None = None
    fresh: bool = False
    may_wait: bool = False
    read_at: datetime | None = None
    read_error: RemoteError | None = None
    inbox: Inbox = field(default_factory=Inbox)
    found: tuple[Found, ...] = ()
    unseen: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()
    images: Mapping[str, ImageLookup] = field(default_factory=dict)
    targets: Mapping[str, Target] = field(default_factory=dict)
    pod_problems: Mapping[str, PodProblem] = field(default_factory=dict)
    pods_again: float | None = None
    logs: LogsRead = field(default_factory=LogsRead)
    taken: Mapping[tuple[str, str, str], str] = field(default_factory=dict)
    operator: OperatorSeen = field(default_factory=OperatorSeen)
    requested: Requested | None = None
    link_answer: LinkAnswer | None = None
    link_asked_since: datetime | None = None
    pictures: PicturesSeen | None = None
    pictures_asked: PicturesAskedFor | None = None
    pictures_rest: float = 0.0
    slot: SlotGrant = field(default_factory=lambda: SlotGrant(granted=False))
    gives_way: bool = False
    gateway: GatewaySeen = GatewaySeen()

    @property
    def no_preview_because(self) -> Reason | None:
        """Why no preview can be made in this cluster now, as far as that is known."""
        problem = problem_of(self.operator, self.now)
        return problem.reason if problem is not None else None

    @property
    def ttl(self) -> timedelta:
        """How long a preview stays after its head's first Ready."""
        config = self.facts.config if self.facts else None
        wanted = (self.facts.policy.ttl if self.facts else None) or (config.ttl if config else None)
        wanted = wanted or self.limits.ttl_default
        return min(wanted, self.limits.ttl_max)
