"""GraphQL at `/api/graphql`: questions about the same state as REST's, with a budget of their own.

The schema (`schema.graphql`) has what is asked, under GitHub's names. A new type is one there, and a function
in `_FINDERS` that finds its nodes; a new field of `Query` is a method of `_Root` with its name.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from aiohttp import web
from graphql import (
    ExecutionResult,
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLSchema,
    build_schema,
    graphql_sync,
)

from previewbot_demo.github import graphql_issues, graphql_pulls
from previewbot_demo.github.answers import ApiError
from previewbot_demo.github.auth import Doorkeeper, Limits, Quota
from previewbot_demo.github.graphql_actors import actor
from previewbot_demo.github.model import Comment, Installation, Repository, State
from previewbot_demo.github.model_reviews import LineComment, Review
from previewbot_demo.github.points import cost_of
from previewbot_demo.github.shapes import Json, iso, node_id
from previewbot_demo.github.store import Clock, Store

PATH = "/api/graphql"

Info: TypeAlias = "GraphQLResolveInfo[Any]"

_MOST_IDS = 100
_EXCEEDED = "API rate limit exceeded for installation."


@cache
def schema() -> GraphQLSchema:
    """Return the schema."""
    return build_schema(Path(__file__).with_name("schema.graphql").read_text())


class GraphQL:
    """Answers the questions of installations."""

    def __init__(self, store: Store, doorkeeper: Doorkeeper, clock: Clock) -> None:
        self._store, self._doorkeeper, self._clock = store, doorkeeper, clock
        self.limits = Limits(resource="graphql")

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """Answer a request."""
        quota = self.limits.quota(self._doorkeeper.identity(request), self._clock().timestamp())
        status, headers = 200, {}
        try:
            body = await self._answer(request, quota)
        except ApiError as error:
            status, body, headers = error.status, error.body, dict(error.headers)
        sent = web.json_response(body, status=status, headers=headers)
        sent.headers.update(self.limits.headers(quota))
        return sent

    async def _answer(self, request: web.BaseRequest, quota: Quota) -> Json:
        installation = self._doorkeeper.require_installation(request)
        if request.method != "POST":
            raise ApiError(404, "Not Found")
        if self.limits.secondary is not None:
            self.limits.refuse(quota)
        if quota.used >= self.limits.hourly:
            # An hour that is used up is told with 200.
            return {"errors": [{"type": "RATE_LIMITED", "message": _EXCEEDED}]}
        query, variables = _question(await request.read())
        cost = cost_of(query, variables).points
        quota.used += cost
        granted = self._doorkeeper.permissions
        now = self._clock()
        root = _Root(self._store.shown, installation, self.limits, quota, now, cost, granted)
        return _sent(graphql_sync(schema(), query, root_value=root, variable_values=variables))


@dataclass(frozen=True)
class _Root:
    """The fields of `Query`, for an installation; `state` is the world as reads show it."""

    state: State
    installation: Installation
    limits: Limits
    quota: Quota
    now: datetime
    cost: int = 1
    permissions: Mapping[str, str] = field(default_factory=dict)

    def nodes(self, info: Info, ids: list[str]) -> list[Any]:
        if len(ids) > _MOST_IDS:
            message = f"You may not provide more than {_MOST_IDS} node ids; you provided {len(ids)}."
            raise _failure("ARGUMENT_LIMIT", message)
        return [self._node(each) or _not_found(each) for each in ids]

    def rateLimit(self, info: Info, dryRun: bool) -> Json:
        limit, used = self.limits.hourly, self.quota.used
        reset = iso(datetime.fromtimestamp(self.quota.reset, UTC))
        return {
            "cost": self.cost,
            "limit": limit,
            "remaining": max(0, limit - used),
            "resetAt": reset,
            "used": used,
        }

    def covers(self, repository_id: int) -> bool:
        """Return whether the installation may read a repository."""
        found: Repository | None = self.state.repositories.get(repository_id)
        return found is not None and self.state.installation_of(found) == self.installation

    def may_read(self, repository_id: int) -> bool:
        """Return whether the installation may read a repository, as everybody may what is public."""
        found: Repository | None = self.state.repositories.get(repository_id)
        return self.covers(repository_id) or (found is not None and not found.private)

    def _node(self, name: str) -> Json | None:
        try:
            kind, _, number = base64.b64decode(name, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        find = _FINDERS.get(kind)
        return find(self, int(number)) if find is not None and number.isdigit() else None


def _comment(root: _Root, number: int) -> Json | None:
    found = root.state.comments.get(number)
    if found is None or not root.covers(found.repository_id):
        return None
    return {
        "__typename": "IssueComment",
        "databaseId": found.id,
        **text_of("IssueComment", found, found.created_at),
    }


def _review(root: _Root, number: int) -> Json | None:
    return _in_review(root, "PullRequestReview", root.state.reviews.get(number))


def _line_comment(root: _Root, number: int) -> Json | None:
    return _in_review(root, "PullRequestReviewComment", root.state.line_comments.get(number))


def _in_review(root: _Root, kind: str, found: Comment | None) -> Json | None:
    if found is None or not root.covers(found.repository_id):
        return None
    review = root.state.reviews.get(found.review_id) if isinstance(found, LineComment) else found
    published_at = review.submitted_at if isinstance(review, Review) else None
    return {"__typename": kind, "databaseId": found.id, **text_of(kind, found, published_at)}


def text_of(kind: str, text: Comment, published_at: datetime | None) -> Json:
    """Return the fields of GitHub's interface `Comment`."""
    edits = [
        {
            "id": node_id("UserContentEdit", f"{text.id}:{at}"),
            "editedAt": iso(edit.at),
            "editor": actor(edit.by),
        }
        for at, edit in enumerate(text.edits)
    ]
    created = {
        "id": node_id("UserContentEdit", f"{text.id}:created"),
        "editedAt": iso(text.created_at),
        "editor": actor(text.author),
    }
    # The history begins with what was written at first, and is told newest first.
    history = [*reversed(edits), created] if edits else []
    last = text.edits[-1] if text.edits else None
    return {
        "id": node_id(kind, text.id),
        "fullDatabaseId": str(text.id),
        "author": actor(text.author),
        "body": text.body,
        "createdAt": iso(text.created_at),
        "updatedAt": iso(text.updated_at),
        "publishedAt": iso(published_at) if published_at else None,
        "lastEditedAt": iso(last.at) if last else None,
        "editor": actor(last.by) if last else None,
        "includesCreatedEdit": bool(edits),
        "userContentEdits": lambda info, first=None, last=None: {
            "totalCount": len(history),
            "nodes": history[:first] if first is not None else history[-(last or 0) :],
        },
    }


def _repository(root: _Root, number: int) -> Json | None:
    found = root.state.repositories.get(number)
    return graphql_pulls.repository(root.state, found) if found and root.covers(number) else None


def _pull_request(root: _Root, number: int) -> Json | None:
    found = next((pull for pull in root.state.pulls.values() if pull.id == number), None)
    if found is None or not root.covers(found.repository_id):
        return None
    return {
        **graphql_pulls.pull_request(root.state, found),
        "closingIssuesReferences": lambda info, first: graphql_issues.closing_issues(
            root.state,
            found,
            first,
            may_read=root.may_read,
            granted=graphql_issues.may_read_issues(root.permissions),
        ),
    }


_FINDERS: Mapping[str, Callable[[_Root, int], Json | None]] = {
    "IssueComment": _comment,
    "PullRequest": _pull_request,
    "Repository": _repository,
    "PullRequestReview": _review,
    "PullRequestReviewComment": _line_comment,
}


def _failure(kind: str, message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"type": kind})


def _not_found(name: str) -> GraphQLError:
    # graphql-core takes an error in a list for that of this item.
    return _failure("NOT_FOUND", f"Could not resolve to a node with the global id of '{name}'.")


def _question(body: bytes) -> tuple[str, Json]:
    try:
        asked = json.loads(body)
    except ValueError as error:
        raise ApiError(400, "Problems parsing JSON") from error
    query = asked.get("query") if isinstance(asked, dict) else None
    if not isinstance(query, str):
        raise ApiError(400, "A query attribute must be specified and must be a string.")
    return query, asked.get("variables") or {}


def _sent(result: ExecutionResult) -> Json:
    """Return the answer as GitHub sends it: the kind of an error beside its message."""
    errors = [_told(error) for error in result.errors or ()]
    data = {"data": result.data} if result.data is not None or not errors else {}
    # A question that is not of the schema has no `data` at all.
    if errors and any(error.path for error in result.errors or ()):
        data = {"data": result.data}
    return data | ({"errors": errors} if errors else {})


def _told(error: GraphQLError) -> Json:
    told: Json = dict(error.formatted)
    kind = dict(error.extensions or {}).get("type")
    told.pop("extensions", None)
    if kind is not None:
        return {"type": kind, **told}
    return {**told, "extensions": {"code": "undefinedField"}} if not error.path else told
