"""What GitHub told us, as plain values. Names are GitHub's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from previewbot.api.requests import RequestId, RequestKind
from previewbot.api.verdicts import SaidVerdict

MEMBERS = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})
"""Of `author_association`, what people with write access usually have
(https://docs.github.com/en/graphql/reference/enums#commentauthorassociation).

It says whom to ask about first, and never what somebody may do: a collaborator may be one who only reads.
"""


@dataclass(frozen=True)
class Account:
    """A GitHub account; `id` is what to trust, a login can be renamed. `type` is `User` or `Bot`."""

    id: int
    login: str
    type: str = "User"


@dataclass(frozen=True)
class Branch:
    """One side of a pull request; `repository_id` is None when the fork was deleted."""

    ref: str
    sha: str
    repository_id: int | None
    repository: str


@dataclass(frozen=True)
class PullRequest:
    """A pull request as `GET /repos/{owner}/{repo}/pulls/{number}` shows it.

    Of `body` only that is kept which recognises an agent; `assignees` are the numbers of accounts.
    """

    number: int
    state: Literal["open", "closed"]
    merged: bool
    title: str
    body: str
    draft: bool
    author: Account
    head: Branch
    base: Branch
    default_branch: str
    labels: tuple[str, ...]
    private: bool
    updated_at: datetime
    closed_at: datetime | None
    mergeable: bool | None
    merge_commit_sha: str | None
    changed_files: int
    html_url: str
    archived: bool = False
    node_id: str = ""
    assignees: tuple[int, ...] = ()

    @property
    def is_fork(self) -> bool:
        """Whether the head lives outside the base repository (or in a deleted one)."""
        # By number: a fork may have the same name, and a deleted one has none, which counts as a fork too.
        return self.head.repository_id != self.base.repository_id


@dataclass(frozen=True)
class OpenPullRequest:
    """One row of the listing of open pull requests; `node_id` is its name in GraphQL.

    `author` is None where GitHub did not say who that is.
    """

    number: int
    head_sha: str
    updated_at: datetime
    node_id: str = ""
    author: Account | None = None
    draft: bool = False
    head_ref: str = ""
    head_repository_id: int | None = None
    base_ref: str = ""


@dataclass(frozen=True)
class ListedRepository:
    """What a listing finds of a repository: its open pull requests, and the blob of its `preview.yaml`.

    `configuration` is that of the default branch, empty where there is none there.
    """

    configuration: str
    pull_requests: tuple[OpenPullRequest, ...] = ()
    archived: bool = False


@dataclass(frozen=True)
class Details:
    """What tells whether anything asks for a preview of a pull request, besides its row in the listing.

    Of `body` and commits only that is kept which recognises an agent. `asks`: somebody wrote a command that
    has no reaction of ours. `complete` is false where there is more of anything than was read.
    `configuration` is the default branch's file, None where there is none, or none that can be read whole.
    """

    body: str
    labels: tuple[str, ...]
    commits: tuple[Commit, ...]
    asks: bool
    complete: bool
    configuration: FileContent | None


@dataclass(frozen=True)
class Word:
    """A comment as a glance shows it: its id, when it was written or edited last, and its author's number.

    `author` is 0 where GitHub does not tell who that is.
    """

    id: int
    updated_at: datetime
    author: int = 0


@dataclass(frozen=True)
class Glance:
    """What a pull request looks like, by one question: all that changes of it but its test merge.

    Of `body` only that is kept which recognises an agent. `words` are the comments of the conversation that
    were written or edited last, the newest first, and there are `more_words` than these; `reviewed_at` is
    when the newest review, or comment on a line, was written or edited, None if there is none; of what is not
    shown (`more_reviews`) nothing is known. `mergeable` is None while GitHub works it out.
    """

    head_sha: str
    head_repository_id: int | None
    base_ref: str
    open: bool
    merged: bool
    closed_at: datetime | None
    draft: bool
    title: str
    body: str
    labels: tuple[str, ...]
    private: bool
    archived: bool
    repository_id: int
    full_name: str
    mergeable: bool | None
    changed_files: int
    updated_at: datetime
    words: tuple[Word, ...] = ()
    more_words: bool = False
    reviewed_at: datetime | None = None
    more_reviews: bool = False
    default_branch: str = ""
    assignees: tuple[int, ...] = ()


@dataclass(frozen=True)
class ChangedFile:
    """A changed file; a rename counts on both sides. A `submodule` is listed by its folder's own name."""

    path: str
    previous_path: str | None = None
    submodule: bool = False


@dataclass(frozen=True)
class ChangedFiles:
    """The changed files; `complete` is false where GitHub cuts the list off (3,000 files)."""

    files: tuple[ChangedFile, ...]
    complete: bool = True


@dataclass(frozen=True)
class Commit:
    """A commit of a pull request, with what recognises an agent; of `message` only that is kept."""

    sha: str
    message: str
    author_name: str
    author_email: str
    author: Account | None


@dataclass(frozen=True)
class Comment:
    """A comment on a pull request; `app_id` is the App that wrote it (`performed_via_github_app.id`).

    An App writes in its own name, as its bot account, or with a user's token in that user's name. Of the text
    only what may give a command is kept: `body`. Of one that begins with a marker of ours, which anybody can
    quote, also `marker`, and the `hash` of the whole text; of one that begins as a verdict does, `verdict`.
    `association` is what its author is to the
    repository (`author_association`, see MEMBERS). By `node_id` GraphQL finds it.

    What stands in a review, as its body or as a comment on lines, is of another `kind`: of these GitHub does
    not tell the App. A review was `created_at` when it was submitted, and REST knows no other time of it.
    """

    id: int
    author: Account
    app_id: int | None
    body: str
    created_at: datetime
    updated_at: datetime
    marker: str = ""
    hash: str = ""
    association: str = ""
    node_id: str = ""
    kind: RequestKind = RequestKind.ISSUE_COMMENT
    verdict: SaidVerdict | None = None

    @property
    def request(self) -> RequestId:
        """The id of the request that it makes."""
        return RequestId(kind=self.kind, id=self.id)

    @property
    def shown_at(self) -> datetime:
        """When others could read it first, or read it changed.

        Of a comment in a review that was begun as a draft, `created_at` is the draft's; GitHub sets
        `updated_at` when the review is submitted.
        """
        return max(self.created_at, self.updated_at)


@dataclass(frozen=True)
class Edits:
    """What was done to a text after it was written, whatever kind it is of (`Comment` of GitHub's GraphQL).

    `editors` are the numbers of all accounts that ever edited it, 0 for one that is not known (any more);
    `body` is what may give a command, as it was at the moment of this answer. It was `published_at` when
    others could read it first: of a draft in a review long after it was created, and no edit moves it.
    """

    created_at: datetime
    last_edited_at: datetime | None
    editors: frozenset[int] = frozenset()
    body: str = ""
    published_at: datetime | None = None

    def are_only_by(self, account: int) -> bool:
        """Return whether nobody but this account has ever edited it."""
        return self.last_edited_at is None or self.editors == {account}


@dataclass(frozen=True)
class AppIdentity:
    """An App as GitHub shows the author of what it writes: its number, and that of its bot account."""

    app_id: int
    bot_id: int

    def wrote(self, comment: Comment) -> bool:
        """Return whether the App itself wrote a comment, in its own name."""
        # Both: with a user's token the App is ours and the author is whoever that token belongs to; and a
        # person's comment that quotes our marker has neither.
        return (comment.app_id, comment.author.id) == (self.app_id, self.bot_id)

    def wrote_for_a_person(self, comment: Comment) -> bool:
        """Return whether a person wrote a comment through the App, with a token of the person's own."""
        is_person = comment.author.type == "User" and comment.author.id != self.bot_id
        return comment.app_id == self.app_id and is_person


@dataclass(frozen=True)
class FileContent:
    """A file at a ref: its bytes and its blob SHA."""

    sha: str
    content: bytes


@dataclass(frozen=True)
class TreeEntry:
    """What stands under a name in a folder of a commit: git's mode of it, the name of its object, its bytes.

    `size` is None of what is no file. Modes: https://docs.github.com/en/rest/git/trees#create-a-tree
    """

    mode: str
    sha: str
    size: int | None = None

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder of this repository."""
        return self.mode == "040000"

    @property
    def is_link(self) -> bool:
        """Whether it is a symbolic link, whose content is where it leads."""
        return self.mode == "120000"

    @property
    def is_file(self) -> bool:
        """Whether it is a plain file; no link, folder or submodule."""
        return self.mode in ("100644", "100755", "100664")


@dataclass(frozen=True)
class Repository:
    """A repository an installation may read; `node_id` is its name in GraphQL.

    `private` is whether not everybody may read it; None where GitHub does not tell it here.
    """

    id: int
    full_name: str
    default_branch: str
    archived: bool = False
    node_id: str = ""
    private: bool | None = None


@dataclass(frozen=True)
class Installation:
    """An installation of our App; `suspended` ones answer nothing.

    `account` is the login of whoever installed it; empty for what has none, such as an enterprise.
    `permissions` and `events` are those that it has accepted, at `url` whoever installed it changes that.
    """

    id: int
    suspended: bool
    account: str = ""
    permissions: Mapping[str, str] = field(default_factory=dict)
    events: tuple[str, ...] = ()
    url: str = ""


@dataclass(frozen=True)
class AppFacts:
    """What GitHub says of the App itself: its name in addresses, what it asks for, what it wants to hear.

    `client_id` is what it is called where people sign in, empty where GitHub does not say.
    """

    slug: str
    permissions: Mapping[str, str] = field(default_factory=dict)
    events: tuple[str, ...] = ()
    client_id: str = ""


@dataclass(frozen=True)
class Hook:
    """Where and how the App's webhook is delivered; all empty where none is set."""

    url: str = ""
    content_type: str = ""


@dataclass(frozen=True)
class Delivery:
    """A webhook that GitHub sent: when, about what, and how it was answered.

    `status_code` is 0 where nobody answered; `status` has GitHub's words ("timed out"). `installation_id` is
    0 for what is of the App itself, such as a ping.
    """

    delivered_at: datetime
    event: str
    status: str
    status_code: int
    installation_id: int = 0
