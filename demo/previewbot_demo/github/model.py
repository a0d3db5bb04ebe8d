"""What the fake GitHub knows, as immutable values: a change makes a new `State`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from previewbot_demo.github.mappings import Same
from previewbot_demo.github.mappings import put as put
from previewbot_demo.github.mappings import without as without
from previewbot_demo.github.model_checks import Report
from previewbot_demo.github.trees import Tree

if TYPE_CHECKING:
    from previewbot_demo.github.model_deployments import Deployment
    from previewbot_demo.github.model_issues import Issue
    from previewbot_demo.github.model_reviews import LineComment, Review


class Person(Protocol):
    """Whatever has an account's fields."""

    @property
    def id(self) -> int:
        """The account's number."""

    @property
    def login(self) -> str:
        """The account's name."""

    @property
    def type(self) -> str:
        """Either `User`, `Bot` or `Organization`."""


@dataclass(frozen=True)
class Account:
    """An account; `type` is `User`, `Bot` or `Organization`."""

    id: int
    login: str
    type: str = "User"


def account(person: Person) -> Account:
    """Return the account of whatever has its fields."""
    return Account(person.id, person.login, person.type)


@dataclass(frozen=True)
class App:
    """The GitHub App: what it may do, and which events it hears."""

    id: int
    slug: str
    permissions: Mapping[str, str]
    events: tuple[str, ...]

    @property
    def bot(self) -> Account:
        """The account that its comments show as their author."""
        return Account(self.id + 900_000, f"{self.slug}[bot]", "Bot")


@dataclass(frozen=True)
class Installation:
    """The App in an account; it covers the repositories of that account that are `installed`."""

    id: int
    account: Account
    created_at: datetime
    suspended_at: datetime | None = None


@dataclass(frozen=True)
class Ruleset:
    """Rules, by their types, for the branches that a pattern matches; unless `active` they do nothing."""

    id: int
    pattern: str
    types: tuple[str, ...]
    active: bool = True

    def covers(self, branch: str) -> bool:
        """Return whether the rules are in force for a branch of this name; `*` stays within a part of it."""
        parts, wanted = branch.split("/"), self.pattern.split("/")
        same = len(parts) == len(wanted)
        return self.active and same and all(map(fnmatchcase, parts, wanted))


@dataclass(frozen=True)
class Repository:
    """A repository; `branches` has the tip of each, `tags` what each names, `collaborators` the role of each
    login.

    `protected` has the branches with protection of the older kind.
    """

    id: int
    owner: Account
    name: str
    private: bool
    created_at: datetime
    pushed_at: datetime
    default_branch: str = "main"
    branches: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    collaborators: Mapping[str, str] = field(default_factory=dict)
    protected: frozenset[str] = frozenset()
    rulesets: tuple[Ruleset, ...] = ()
    former_names: tuple[str, ...] = ()
    fork_of: int | None = None
    installed: bool = True
    archived: bool = False

    @property
    def full_name(self) -> str:
        """The name with the owner's before it."""
        return f"{self.owner.login}/{self.name}"

    def commit_at(self, ref: str) -> str:
        """Return the commit that a name stands for, as git does: a tag before a branch, unless the name says
        which (https://git-scm.com/docs/gitrevisions); the name itself if it is neither."""
        if ref.startswith("refs/heads/"):
            return self.branches.get(ref.removeprefix("refs/heads/"), ref)
        return self.tags.get(ref) or self.branches.get(ref, ref)


@dataclass(frozen=True)
class Commit:
    """A commit with its whole tree."""

    sha: str
    tree: Tree
    parents: tuple[str, ...]
    message: str
    author: Account
    at: datetime


@dataclass(frozen=True)
class PullRequest:
    """A pull request; `merge_base` is where its branch left the base, `commits` are its own, oldest first.

    `merge_commit_sha` is the test merge (or the merge, once merged), worked out by `merge_known_at`.
    """

    id: int
    number: int
    repository_id: int
    author: Account
    head_repository_id: int
    head_owner: Account
    head_ref: str
    head_sha: str
    base_ref: str
    base_sha: str
    merge_base: str
    commits: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    merge_known_at: datetime
    title: str = ""
    body: str = ""
    draft: bool = False
    merge_commit_sha: str | None = None
    conflict: bool = False
    labels: tuple[str, ...] = ()
    closed_at: datetime | None = None
    merged_at: datetime | None = None
    ended_by: Account | None = None

    @property
    def key(self) -> tuple[int, int]:
        """The key in `State.pulls`."""
        return (self.repository_id, self.number)

    @property
    def state(self) -> str:
        """Either `open` or `closed`."""
        return "closed" if self.closed_at else "open"


@dataclass(frozen=True)
class Reaction:
    """A reaction to a comment."""

    id: int
    author: Account
    content: str
    at: datetime


@dataclass(frozen=True)
class Edit:
    """An edit: whose (None: of a deleted account), and when."""

    by: Account | None
    at: datetime


@dataclass(frozen=True)
class Comment:
    """A comment on a pull request; `via` is the App whose token wrote it: its own, or that of a user."""

    id: int
    repository_id: int
    number: int
    author: Account
    body: str
    created_at: datetime
    updated_at: datetime
    via: App | None = None
    reactions: tuple[Reaction, ...] = ()
    edits: tuple[Edit, ...] = ()

    @property
    def by_app(self) -> bool:
        """Whether the App itself wrote it, in its own name."""
        return self.via is not None and self.author == self.via.bot


@dataclass(frozen=True)
class Run:
    """A check run, or a workflow run; they differ only in how they are shown.

    `suite` is the check suite in which a workflow's jobs are, 0 for one of its own. `file` is the workflow's,
    and `app` the slug of the App that reports a check; `report` is what it says there, None but of our own.
    """

    id: int
    repository_id: int
    sha: str
    name: str
    status: str
    conclusion: str | None
    started_at: datetime
    updated_at: datetime
    suite: int = 0
    file: str = "build.yml"
    app: str = "github-actions"
    report: Report | None = None

    @property
    def check_suite(self) -> int:
        """The number of the check suite that it is in."""
        return self.suite or self.id + 1_000_000


@dataclass(frozen=True)
class Happening:
    """What the timeline of a pull request shows beside comments."""

    id: int
    repository_id: int
    number: int
    author: Account
    text: str
    at: datetime


def _empty() -> Mapping[Any, Any]:
    return MappingProxyType({})


@dataclass(frozen=True)
class State:
    """Everything there is; commits are shared by a repository and its forks, as on GitHub."""

    users: Mapping[str, Account] = field(default_factory=_empty)
    installations: Mapping[int, Installation] = field(default_factory=_empty)
    repositories: Mapping[int, Repository] = field(default_factory=_empty)
    commits: Mapping[str, Commit] = field(default_factory=_empty)
    pulls: Mapping[tuple[int, int], PullRequest] = field(default_factory=_empty)
    issues: Mapping[tuple[int, int], Issue] = field(default_factory=_empty)
    comments: Mapping[int, Comment] = field(default_factory=_empty)
    reviews: Mapping[int, Review] = field(default_factory=_empty)
    line_comments: Mapping[int, LineComment] = field(default_factory=_empty)
    checks: Mapping[int, Run] = field(default_factory=_empty)
    workflow_runs: Mapping[int, Run] = field(default_factory=_empty)
    deployments: Mapping[int, Deployment] = field(default_factory=_empty)
    happenings: tuple[Happening, ...] = ()

    def repository(self, full_name: str) -> Repository | None:
        """Return the repository of this name (upper and lower case are one); not one that had it once."""
        return _by_name(Same(self.repositories)).get(full_name.lower())

    @cached_property
    def _by_repository(self) -> Mapping[int, list[PullRequest]]:
        found: dict[int, list[PullRequest]] = {}
        for pull in self.pulls.values():
            found.setdefault(pull.repository_id, []).append(pull)
        return found

    def formerly(self, full_name: str) -> Repository | None:
        """Return the repository that had this name once."""
        name = full_name.lower()
        return next((r for r in self.repositories.values() if name in r.former_names), None)

    def installation_of(self, repository: Repository) -> Installation | None:
        """Return the installation that covers a repository."""
        if not repository.installed:
            return None
        return next((i for i in self.installations.values() if i.account.id == repository.owner.id), None)

    def conversation(self, thread: PullRequest | Issue) -> list[Comment]:
        """Return the comments of a pull request or an issue, oldest first."""
        found = (c for c in self.comments.values() if (c.repository_id, c.number) == thread.key)
        return sorted(found, key=lambda comment: comment.id)

    def pulls_of(self, repository_id: int) -> list[PullRequest]:
        """Return a repository's pull requests, newest first."""
        return sorted(self._by_repository.get(repository_id, ()), key=lambda pull: -pull.number)

    def next_number(self, repository_id: int) -> int:
        """Return the number of the next pull request or issue of a repository."""
        pulls = (pull.number for pull in self._by_repository.get(repository_id, ()))
        issues = (number for home, number in self.issues if home == repository_id)
        return max((*pulls, *issues), default=0) + 1

    def with_pull(self, pull: PullRequest) -> State:
        """Return the state with this pull request in place of its older self."""
        return replace(self, pulls=put(self.pulls, pull.key, pull))


@lru_cache(maxsize=4)
def _by_name(repositories: Same[int, Repository]) -> Mapping[str, Repository]:
    """Return repositories by their names in lower case; the first of a name counts."""
    return {r.full_name.lower(): r for r in reversed(tuple(repositories.mapping.values()))}
