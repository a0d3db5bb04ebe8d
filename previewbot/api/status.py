"""The `status` of a Preview: what was observed and done.

It is written as a whole with its `resourceVersion`, so it is one immutable value here too. Its parts are
final: a later child, report or request is an entry in a list or map that exists, never a new part.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from previewbot.api.agent import AgentSeen
from previewbot.api.base_branch import BaseBranch
from previewbot.api.child import Child as Child
from previewbot.api.child import ChildState as ChildState
from previewbot.api.closing_issues import ClosingIssue, RequestSeen
from previewbot.api.conditions import Condition
from previewbot.api.isolation import Isolation
from previewbot.api.link import Link, OtherLink
from previewbot.api.phases import Phase
from previewbot.api.pictures import Pictures
from previewbot.api.reasons import AnyReason
from previewbot.api.reports import Report
from previewbot.api.requests import Reply, Requests
from previewbot.api.slot import Slot
from previewbot.api.value import Value
from previewbot.api.verdicts import Verdict


@dataclass(frozen=True)
class LeftOut(Value):
    """Changed services that are not previewed: so many, the first of them by name, beyond this limit."""

    count: int
    names: tuple[str, ...]
    limit: int


@dataclass(frozen=True)
class SharedChange(Value):
    """That nothing but what all services share was changed: by so many files, and what could be started.

    `services` are the first of so many as `count` says.
    """

    files: int
    services: tuple[str, ...]
    count: int


@dataclass(frozen=True)
class ConfigurationProblem(Value):
    """A mistake in the repository's configuration, or what it may not have, for the comment.

    `line` counts from 1, 0 is none.
    """

    line: int
    message: str


@dataclass(frozen=True)
class Observed(Value):
    """What the last complete look at GitHub saw; `trigger` is what asks for a preview, in words.

    `author` is the login of who opened the pull request, `author_id` the number of that account, which a
    change of its name keeps; `repository` is its name as GitHub says it, whatever the hint in the `spec`
    says. `settled`: all of the second of `updated_at` was seen, since GitHub's clock had passed it when the
    look began; else something of that very second may be new, although its time is the same. `base_branch` is
    None where the default branch's configuration counts in any case. `public` is whether anybody may read the
    repository, `fork` whether the head lies outside of it: their defaults, not known yet, are those with
    which less is shown. `held_back` are changed services that only a person's command starts.
    `shared` is None unless nothing but shared files changed; `configuration_elsewhere` is where a file lies
    that may have been meant, where there is no configuration. `closing_issues` are the first of the issues
    that the pull request closes, in GitHub's order, `request` what else is known of what was asked for.
    `notes` are what the configuration of services that changed says without effect, or with another one.
    `queue_heads` are the commits in which a merge queue tries the pull request, as of the delivery
    `queued_id`. `title` is the pull request's, in one line, cut at its end: somebody's words.
    `requesters` are the accounts that ever were assigned to a pull request which an agent opened
    with an account of its own, or named by its commits: whoever started the agent is one of them.
    """

    delivery_id: str = ""
    updated_at: datetime | None = None
    settled: bool = False
    head_sha: str = ""
    head_first_seen_at: datetime | None = None
    merge_shas: tuple[str, ...] = ()
    configuration_sha: str = ""
    author: str = ""
    base_branch: BaseBranch | None = None
    agent: AgentSeen | None = None
    author_id: int = 0
    repository: str = ""
    left_out: LeftOut | None = None
    trigger: str = ""
    problems: tuple[ConfigurationProblem, ...] = ()
    held_back: tuple[str, ...] = ()
    closed_at: datetime | None = None
    public: bool = False
    fork: bool = True
    closing_issues: tuple[ClosingIssue, ...] = ()
    request: RequestSeen | None = None
    shared: SharedChange | None = None
    configuration_elsewhere: str = ""
    notes: tuple[ConfigurationProblem, ...] = ()
    queued_id: str = ""
    queue_heads: tuple[str, ...] = ()
    title: str = ""
    requesters: tuple[int, ...] = ()


@dataclass(frozen=True)
class Ended(Value):
    """Why nothing should run: `reason` is TimeUp, GaveWay or ByCommand; `by` is a login for the latter.

    `data_lost`: the preview had copies of databases of its own, which go with it.
    """

    reason: AnyReason
    at: datetime
    by: str = ""
    head_sha: str = ""
    data_lost: bool = False


@dataclass(frozen=True)
class StoppedService(Value):
    """A service that somebody stopped, or left out, while others run; `by` is a login."""

    name: str
    by: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class Lifecycle(Value):
    """What people started, approved and stopped, and the clock that runs since a head was first Ready.

    `stopped` are services that are not to run although the preview does; a push does not change that.
    `by_name` are those that somebody started although nothing but what all share was changed, in that order.
    """

    started_by: str = ""
    approved_sha: str = ""
    ended: Ended | None = None
    ready_at: datetime | None = None
    ready_sha: str = ""
    expires_at: datetime | None = None
    stopped: tuple[StoppedService, ...] = ()
    by_name: tuple[str, ...] = ()


@dataclass(frozen=True)
class Waiting(Value):
    """Why an image is not there yet; `url` and `name` are those of a build, `detail` is the image or a
    host; `until` is when a registry may be asked again.

    `also_failed` and `also_wait` are workflows beside the build that failed, or wait for an approval. `tags`
    are some that the image has, `of_commit` whether they are of this very commit, and `instead` what to write
    as `image` then.
    """

    reason: AnyReason
    url: str = ""
    name: str = ""
    since: datetime | None = None
    detail: str = ""
    until: datetime | None = None
    also_failed: tuple[str, ...] = ()
    also_wait: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    of_commit: bool = False
    instead: str = ""


class ContainerPart(StrEnum):
    """Which part a container has in its pod: the service itself, beside it, or before it."""

    APP = "App"
    SIDECAR = "Sidecar"
    INIT = "Init"

    @classmethod
    def _missing_(cls, value: object) -> ContainerPart:
        """Read a part that only a newer version knows: the next pass finds its own."""
        return cls.APP


@dataclass(frozen=True)
class PodProblem(Value):
    """What is wrong with a service's pod; `log` is masked, and as it was when this problem began.

    `reason` is one of `POD_PROBLEMS`, or SessionFailed where of a session that failed nothing is known but
    its last words; `detail` is Kubernetes' own word. `longest_run` is for how many seconds the container ran
    at most between two ends: the problem is over once it has run for longer.
    """

    reason: AnyReason
    container: str = ""
    detail: str = ""
    exit_code: int = 0
    restarts: int = 0
    since: datetime | None = None
    log: tuple[str, ...] = ()
    part: ContainerPart = ContainerPart.APP
    longest_run: int = 0


@dataclass(frozen=True)
class Service(Value):
    """One service of the pull request; `phase` is its own, and `serving_sha` the commit that answers now.

    `meant_container` runs the service's image in staging, where the target names another, the `container`.
    `without_ports`: neither the configuration nor the pod says where it takes requests. `built_by` are the
    workflows (paths) one of which built its image: what was seen to run when one appeared.
    `isolation` is that of the session that serves, None while none does.
    """

    name: str
    namespace: str
    target: str
    files: int = 0
    phase: Phase = Phase.AWAITING_IMAGE
    reason: AnyReason | None = None
    since: datetime | None = None
    image: str = ""
    digest: str = ""
    head_sha: str = ""
    container: str = ""
    meant_container: str = ""
    without_ports: bool = False
    serving_sha: str = ""
    serving_since: datetime | None = None
    share_host: str = ""
    failure_message: str = ""
    waiting: Waiting | None = None
    built_by: tuple[str, ...] = ()
    pod_problem: PodProblem | None = None
    isolation: Isolation | None = None


@dataclass(frozen=True)
class Status(Value):
    """All that was observed and done; `last_error` is what kept the last pass from going on."""

    phase: Phase | None = None
    reason: AnyReason | None = None
    service_names: str = ""
    expires: str = ""
    last_error: str = ""
    observed: Observed = Observed()
    lifecycle: Lifecycle = Lifecycle()
    slot: Slot = field(default_factory=Slot)
    link: Link = field(default_factory=Link)
    other_links: tuple[OtherLink, ...] = ()
    services: tuple[Service, ...] = ()
    children: tuple[Child, ...] = ()
    requests: Requests = field(default_factory=Requests)
    replies: tuple[Reply, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    pictures: Pictures = field(default_factory=Pictures)
    reports: dict[str, Report] = field(default_factory=dict)
    conditions: tuple[Condition, ...] = ()

    def report(self, key: str) -> Report:
        """Return what is known of what is told under a key, or of none."""
        return self.reports.get(key, Report())

    def with_report(self, key: str, report: Report) -> Self:
        """Return the status with this known of what is told under a key."""
        return self if self.report(key) == report else replace(self, reports={**self.reports, key: report})

    @property
    def has_data(self) -> bool:
        """Whether it has a copy of a database in which somebody may have entered something."""
        return any(child.title and child.was_ready for child in self.children)

    @property
    def is_over(self) -> bool:
        """Whether it is at its end, or was removed."""
        return self.phase in (Phase.STOPPING, Phase.STOPPED, Phase.EXPIRED)

    @property
    def runs(self) -> bool:
        """Whether its sessions run, also where no link to them can be shown."""
        if self.phase is Phase.DEPLOYING:
            # A preview stands as its best service does, unless only its link is missing.
            return any(service.phase.runs for service in self.services)
        return self.phase is not None and self.phase.runs
