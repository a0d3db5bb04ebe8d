"""A glance at a pull request: one question of GraphQL's that tells whether anything changed since a look.

https://docs.github.com/en/graphql/reference/objects#pullrequest
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from previewbot.api.github import Glance, Word
from previewbot.clients.github import queries
from previewbot.clients.github.cutting import Rule
from previewbot.clients.github.fields import (
    flag,
    full_name,
    has,
    items,
    moment,
    moment_or_none,
    number,
    number_or_zero,
    sha,
    text,
)
from previewbot.clients.github.graphql_answers import Ask, nodes_of
from previewbot.errors import RemoteError

_MERGEABLE = {"MERGEABLE": True, "CONFLICTING": False}


async def glance(ask: Ask, node_id: str, rule: Rule) -> Glance:
    """Ask what a pull request looks like. Raises RemoteError, also where GitHub leaves out a part of it."""
    answer = await ask(queries.GLANCE, {"ids": [node_id]}, rule)
    if answer.errors:
        # What was refused inside of it is null, and must not look as if it were not there.
        raise RemoteError("GraphQL", message="GitHub shows a part of the pull request only")
    return glance_from(nodes_of(answer.data, [node_id])[node_id])


def _assignees(node: Any) -> tuple[int, ...]:
    # No pull request has more than ten, which is one page.
    listed = items(node, "assignees.nodes") if has(node, "assignees") else ()
    return tuple(number_or_zero(each, "databaseId") for each in listed if each)


def glance_from(node: Any) -> Glance:
    """Read a glance; raises RemoteError where something of it is missing."""
    labels = [each for each in items(node, "labels.nodes") if each]
    if number(node, "labels.totalCount") > len(labels):
        raise RemoteError("GraphQL", message="the pull request has more labels than one page shows")
    merging = text(node, "mergeable")
    return Glance(
        head_sha=sha(node, "headRefOid"),
        base_ref=text(node, "baseRefName"),
        head_repository_id=(
            number(node, "headRepository.databaseId") if has(node, "headRepository.databaseId") else None
        ),
        open=text(node, "state") == "OPEN",
        merged=flag(node, "merged"),
        closed_at=moment_or_none(node, "closedAt"),
        draft=flag(node, "isDraft"),
        title=text(node, "title"),
        body=text(node, "body"),
        labels=tuple(text(label, "name") for label in labels),
        assignees=_assignees(node),
        private=text(node, "baseRepository.visibility") != "PUBLIC",
        archived=flag(node, "baseRepository.isArchived"),
        repository_id=number(node, "baseRepository.databaseId"),
        full_name=full_name(node, "baseRepository.nameWithOwner"),
        mergeable=_MERGEABLE.get(merging),
        changed_files=number(node, "changedFiles"),
        updated_at=moment(node, "updatedAt"),
        words=tuple(_word(each) for each in items(node, "comments.nodes") if each),
        more_words=_has_more(node, "comments"),
        reviewed_at=max(_moments_of_reviews(node), default=None),
        more_reviews=_has_more(node, "reviews")
        or any(_has_more(each, "comments") for each in _reviews(node)),
        default_branch=text(node, "baseRepository.defaultBranchRef.name"),
    )


def _reviews(node: Any) -> list[Any]:
    return [each for each in items(node, "reviews.nodes") if each]


def _moments_of_reviews(node: Any) -> list[datetime]:
    # An edit of a comment on a line moves the time of that comment and not of its review.
    reviews = _reviews(node)
    on_lines = [each for review in reviews for each in items(review, "comments.nodes") if each]
    return [moment(each, "updatedAt") for each in (*reviews, *on_lines)]


def _has_more(obj: Any, connection: str) -> bool:
    return number(obj, f"{connection}.totalCount") > len(items(obj, f"{connection}.nodes"))


def _word(obj: Any) -> Word:
    author = number_or_zero(obj, "author.databaseId") if has(obj, "author") else 0
    return Word(number(obj, "databaseId"), moment(obj, "updatedAt"), author)
