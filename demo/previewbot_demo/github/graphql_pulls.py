"""Repositories and pull requests as GraphQL shows them: the open ones of many repositories, and what of one
tells whether anything asks for a preview."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from previewbot_demo.github.graphql_actors import actor
from previewbot_demo.github.model import Account, Comment, PullRequest, Repository, State
from previewbot_demo.github.model_reviews import Review
from previewbot_demo.github.shapes import Json, iso, node_id
from previewbot_demo.github.shapes_pull import changes_of
from previewbot_demo.github.trees import blob_sha

_MOST_OF_A_BLOB = 512_000
_HEAD = "HEAD:"
_CONTENTS = {"+1": "THUMBS_UP", "-1": "THUMBS_DOWN"}
_DESCENDING = "DESC"


def repository(state: State, found: Repository) -> Json:
    """Return a repository; what its lists have is worked out when it is asked for."""
    return {
        "__typename": "Repository",
        "id": node_id("Repository", found.id),
        "databaseId": found.id,
        "nameWithOwner": found.full_name,
        "isArchived": found.archived,
        "isPrivate": found.private,
        "visibility": "PRIVATE" if found.private else "PUBLIC",
        "defaultBranchRef": {"name": found.default_branch},
        "object": lambda info, expression: _object(state, found, expression),
        "pullRequests": lambda info, first, after=None, states=None, orderBy=None: _pulls(
            state, found, first, after, states, orderBy
        ),
    }


def pull_request(state: State, pull: PullRequest) -> Json:
    """Return a pull request."""
    head = state.repositories.get(pull.head_repository_id)
    base = state.repositories[pull.repository_id]
    return {
        "__typename": "PullRequest",
        "id": node_id("PullRequest", pull.id),
        "databaseId": pull.id,
        "number": pull.number,
        "state": "MERGED" if pull.merged_at else pull.state.upper(),
        "title": pull.title,
        "body": pull.body,
        "isDraft": pull.draft,
        "merged": pull.merged_at is not None,
        "closedAt": iso(pull.closed_at) if pull.closed_at else None,
        "changedFiles": lambda info: len(changes_of(state, pull)),
        "updatedAt": iso(pull.updated_at),
        "headRefName": pull.head_ref,
        "headRefOid": pull.head_sha,
        "headRepository": repository(state, head) if head is not None else None,
        "baseRefName": pull.base_ref,
        "baseRefOid": pull.base_sha,
        "baseRepository": repository(state, base),
        "author": actor(pull.author),
        "assignees": lambda info, first: _connection([], first),
        "labels": lambda info, first: _connection([{"name": name} for name in pull.labels], first),
        "commits": lambda info, first=None, last=None: _page(
            [{"commit": _commit(state, sha)} for sha in pull.commits], first, last
        ),
        "mergeable": lambda info: _mergeable(pull, info.root_value.now),
        "comments": lambda info, first=None, last=None, orderBy=None: _page(
            [_comment(each) for each in _in_order(state.conversation(pull), orderBy)], first, last
        ),
        "reviews": lambda info, last: _last(
            [_review(state, each) for each in state.reviews.values() if _is_shown(each, pull)], last
        ),
    }


def _mergeable(pull: PullRequest, now: datetime) -> str:
    """Return whether there is a conflict with the base, once that is worked out."""
    if pull.state != "open" or now < pull.merge_known_at:
        return "UNKNOWN"
    return "CONFLICTING" if pull.conflict else "MERGEABLE"


def _in_order(comments: Sequence[Comment], order: Json | None) -> Sequence[Comment]:
    if order is None:
        return comments
    return sorted(comments, key=lambda each: each.updated_at, reverse=order["direction"] == _DESCENDING)


def _pulls(
    state: State,
    found: Repository,
    first: int,
    after: str | None,
    states: Sequence[str] | None,
    order: Json | None,
) -> Json:
    pulls = [each for each in state.pulls_of(found.id) if states is None or each.state.upper() in set(states)]
    if order is not None:
        key: Callable[[PullRequest], Any] = (
            (lambda each: each.updated_at)
            if order["field"] == "UPDATED_AT"
            else (lambda each: each.created_at)
        )
        pulls.sort(key=key, reverse=order["direction"] == _DESCENDING)
    begin = int(after) if after and after.isdigit() else 0
    end = begin + first
    return {
        "totalCount": len(pulls),
        "pageInfo": {"hasNextPage": end < len(pulls), "endCursor": str(min(end, len(pulls)))},
        "nodes": [pull_request(state, each) for each in pulls[begin:end]],
    }


def _object(state: State, found: Repository, expression: str) -> Json | None:
    """Return what a name stands for that git's `rev-parse` takes: `HEAD:path`, or `branch:path`."""
    ref, _, path = expression.partition(":")
    sha = found.branches.get(found.default_branch, "") if ref == "HEAD" else found.commit_at(ref)
    commit = state.commits.get(sha)
    if commit is None:
        return None
    if path in commit.tree:
        content = commit.tree[path]
        return {
            "__typename": "Blob",
            "oid": blob_sha(content),
            "byteSize": len(content),
            "isTruncated": len(content) > _MOST_OF_A_BLOB,
            "text": content[:_MOST_OF_A_BLOB].decode(errors="replace"),
        }
    inside = any(name.startswith(f"{path}/") for name in commit.tree)
    return {"__typename": "Tree", "oid": "0" * 40} if inside else None


def _commit(state: State, sha: str) -> Json:
    commit = state.commits[sha]
    person = commit.author
    user = actor(person) if person.type == "User" else None
    return {
        "oid": commit.sha,
        "message": commit.message,
        "author": {"name": person.login, "email": _address(person), "user": user},
    }


def _address(person: Account) -> str:
    return f"{person.id}+{person.login}@users.noreply.github.com"


def _comment(comment: Comment) -> Json:
    ours = [reaction.content for reaction in comment.reactions if reaction.author.type == "Bot"]
    given = {reaction.content for reaction in comment.reactions}
    return {
        "__typename": "IssueComment",
        "id": node_id("IssueComment", comment.id),
        "databaseId": comment.id,
        "body": comment.body,
        "author": actor(comment.author),
        "createdAt": iso(comment.created_at),
        "updatedAt": iso(comment.updated_at),
        "reactionGroups": [
            {"content": _CONTENTS.get(each, each.upper()), "viewerHasReacted": each in ours}
            for each in sorted(given)
        ],
    }


def _is_shown(review: Review, pull: PullRequest) -> bool:
    """Return whether a review is of a pull request, and was submitted."""
    return (review.repository_id, review.number) == pull.key and review.submitted_at is not None


def _review(state: State, review: Review) -> Json:
    return {
        "__typename": "PullRequestReview",
        "id": node_id("PullRequestReview", review.id),
        "databaseId": review.id,
        "body": review.body,
        "author": actor(review.author),
        "createdAt": iso(review.created_at),
        "updatedAt": iso(review.updated_at),
        "comments": lambda info, first=None, last=None: _page(
            [
                {"updatedAt": iso(each.updated_at)}
                for each in state.line_comments.values()
                if each.review_id == review.id
            ],
            first,
            last,
        ),
    }


def _connection(items: Sequence[Json], first: int) -> Json:
    return {
        "totalCount": len(items),
        "nodes": items[:first],
        "pageInfo": {"hasNextPage": len(items) > first, "endCursor": str(first)},
    }


def _page(items: Sequence[Json], first: int | None, last: int | None) -> Json:
    return _connection(items, first) if first is not None else _last(items, last or 0)


def _last(items: Sequence[Json], last: int) -> Json:
    return {**_connection(items, last), "nodes": items[-last:]}
