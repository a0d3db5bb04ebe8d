"""Issues as GraphQL shows them to an installation."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from graphql import GraphQLError

from previewbot_demo.github.graphql_actors import actor
from previewbot_demo.github.model import PullRequest, State
from previewbot_demo.github.model_issues import Issue, closed_by
from previewbot_demo.github.shapes import Json, iso, node_id

_REMARK = re.compile(r"<!--.*?-->", re.DOTALL)
_MARKS = re.compile(r"[*_`]+|^[#>]+ ?", re.MULTILINE)
_REFUSED = "Resource not accessible by integration"


def closing_issues(
    state: State, pull: PullRequest, first: int, *, may_read: Callable[[int], bool], granted: bool
) -> Json:
    """Return the issues that a pull request closes; null with an error is one that is not for us to read.

    `granted`: the App may read issues at all. Those of public repositories everybody reads. What GitHub
    shows of an issue that is not for the asker it does not document: to leave it out is the easier reading.
    """
    found = closed_by(state, pull)
    if not granted:
        raise _refused()
    nodes = [_issue(state, each) if may_read(each.repository_id) else _refused() for each in found[:first]]
    return {
        "totalCount": len(found),
        "nodes": nodes,
        "pageInfo": {"hasNextPage": len(found) > first, "endCursor": str(first)},
    }


def may_read_issues(permissions: Mapping[str, str]) -> bool:
    """Return whether these permissions of an App let it read issues."""
    return permissions.get("issues") in ("read", "write")


def _issue(state: State, issue: Issue) -> Json:
    repository = state.repositories[issue.repository_id]
    return {
        "__typename": "Issue",
        "id": node_id("Issue", issue.id),
        "databaseId": issue.id,
        "number": issue.number,
        "title": issue.title,
        "body": issue.body,
        # GitHub renders the text and takes the words of that: no remarks, no marks of Markdown.
        "bodyText": _MARKS.sub("", _REMARK.sub("", issue.body)).strip(),
        "state": "CLOSED" if issue.closed_at else "OPEN",
        "closed": issue.closed_at is not None,
        "author": actor(issue.author),
        "createdAt": iso(issue.created_at),
        "updatedAt": iso(issue.updated_at),
        "repository": {
            "__typename": "Repository",
            "id": node_id("Repository", repository.id),
            "databaseId": repository.id,
            "nameWithOwner": repository.full_name,
            "isPrivate": repository.private,
            "isArchived": repository.archived,
        },
    }


def _refused() -> GraphQLError:
    # graphql-core takes an error in a list for that of this item.
    return GraphQLError(_REFUSED, extensions={"type": "FORBIDDEN"})
