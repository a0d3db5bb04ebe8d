"""What the listing asks of GraphQL, as values: many repositories, or pull requests, at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from previewbot.api.github import (
    Account,
    Commit,
    Details,
    FileContent,
    ListedRepository,
    OpenPullRequest,
)
from previewbot.clients.github.fields import flag, has, items, moment, number, sha, text, text_or_empty
from previewbot.clients.github.graphql_answers import Answer
from previewbot.clients.github.parse import GHOST
from previewbot.config.repository import PATH
from previewbot.rules import commands

MOST_REPOSITORIES = 100
"""Of which one question may ask: they cost one point together."""

MOST_DETAILS = 25
"""Pull requests of which one question may ask: with four connections each they cost one point."""

_NUMBERED = frozenset({"User", "Bot"})

FILE = f"HEAD:{PATH}"
"""What the listing looks for. `HEAD` is the default branch, whatever else has a name like that: git takes it
for the repository's own (https://git-scm.com/docs/gitrevisions)."""


@dataclass(frozen=True)
class Page:
    """The first page of a repository; `next_cursor` is where the next one begins, empty if there is none."""

    found: ListedRepository
    next_cursor: str


def page_from(node: Any, repository_id: int) -> Page | None:
    """Read a repository; None if GitHub shows none, or another one."""
    if not node or not has(node, "databaseId") or number(node, "databaseId") != repository_id:
        return None
    rows, next_cursor = rows_from(node)
    found = ListedRepository(
        configuration=text_or_empty(node, "object.oid"),
        pull_requests=rows,
        archived=flag(node, "isArchived"),
    )
    return Page(found, next_cursor)


def rows_from(node: Any) -> tuple[tuple[OpenPullRequest, ...], str]:
    """Read a page of open pull requests, and where the next one begins."""
    rows = tuple(_row(each) for each in items(node, "pullRequests.nodes") if each)
    more = flag(node, "pullRequests.pageInfo.hasNextPage")
    return rows, text(node, "pullRequests.pageInfo.endCursor") if more else ""


def details_from(node: Any) -> Details | None:
    """Read the details of a pull request; None if GitHub does not show it."""
    if not node or not has(node, "commits"):
        return None
    labels, labels_read = _items(node, "labels")
    commits, commits_read = _items(node, "commits")
    comments, comments_read = _items(node, "comments")
    reviews, reviews_read = _items(node, "reviews")
    file, file_read = _file(node)
    return Details(
        body=text(node, "body"),
        labels=tuple(text(label, "name") for label in labels),
        commits=tuple(_commit(each) for each in commits),
        asks=any(_asks(each) for each in (*comments, *reviews)),
        complete=labels_read and commits_read and comments_read and reviews_read and file_read,
        configuration=file,
    )


def in_part(answer: Answer, asked: Sequence[str]) -> frozenset[str]:
    """Return the ids of which something inside is null because GitHub refused it: that is not known."""
    at = {
        error.path[1]
        for error in answer.errors
        # That a fork is not for us to read tells all that is asked of it: it is a fork.
        if len(error.path) > 2 and error.path[0] == "nodes" and "headRepository" not in error.path
    }
    return frozenset(node_id for place, node_id in enumerate(asked) if place in at)


def _row(obj: Any) -> OpenPullRequest:
    return OpenPullRequest(
        number=number(obj, "number"),
        head_sha=sha(obj, "headRefOid"),
        updated_at=moment(obj, "updatedAt"),
        node_id=text(obj, "id"),
        author=_author(obj),
        draft=flag(obj, "isDraft"),
        head_ref=text(obj, "headRefName"),
        head_repository_id=(
            number(obj, "headRepository.databaseId") if has(obj, "headRepository.databaseId") else None
        ),
        base_ref=text(obj, "baseRefName"),
    )


def _author(obj: Any) -> Account | None:
    """Return who opened it; None where GitHub does not say that account's number, so that it may be any."""
    if not has(obj, "author.databaseId"):
        return None if _is_numbered(obj) else GHOST
    login, is_bot = text(obj, "author.login"), text(obj, "author.__typename") == "Bot"
    # GraphQL leaves out what REST puts behind a bot's login.
    login = f"{login}[bot]" if is_bot and not login.endswith("[bot]") else login
    return Account(number(obj, "author.databaseId"), login, "Bot" if is_bot else "User")


def _is_numbered(obj: Any) -> bool:
    return has(obj, "author.__typename") and text(obj, "author.__typename") in _NUMBERED


def _items(node: Any, path: str) -> tuple[list[Any], bool]:
    """Return the items of a connection that were read, and whether these are all of them."""
    if not has(node, path):
        return [], True
    found = [each for each in items(node, f"{path}.nodes") if each]
    return found, number(node, f"{path}.totalCount") <= len(found)


def _asks(obj: Any) -> bool:
    """Return whether a text holds a command to which we have given no sign."""
    groups = items(obj, "reactionGroups") if has(obj, "reactionGroups") else []
    answered = any(flag(group, "viewerHasReacted") for group in groups if group)
    return bool(commands.parse(text(obj, "body"))) and not answered


def _commit(obj: Any) -> Commit:
    known = has(obj, "commit.author.user.databaseId")
    return Commit(
        sha=sha(obj, "commit.oid"),
        message=text(obj, "commit.message"),
        author_name=text_or_empty(obj, "commit.author.name"),
        author_email=text_or_empty(obj, "commit.author.email"),
        author=(
            Account(number(obj, "commit.author.user.databaseId"), text(obj, "commit.author.user.login"))
            if known
            else None
        ),
    )


def _file(node: Any) -> tuple[FileContent | None, bool]:
    path = "baseRepository.object"
    if not has(node, f"{path}.oid"):
        return None, True
    whole = has(node, f"{path}.text") and not flag(node, f"{path}.isTruncated")
    if not whole:
        return None, False
    return FileContent(text(node, f"{path}.oid"), text(node, f"{path}.text").encode()), True
