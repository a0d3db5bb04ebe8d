"""Comments, reviews and how they were edited, as values of `previewbot.api.github`; see `parse`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from previewbot.api import RequestKind, Says
from previewbot.api.github import Comment, Edits
from previewbot.api.verdicts import SaidVerdict
from previewbot.clients.github.fields import (
    has,
    items,
    moment,
    moment_or_none,
    number,
    number_or_zero,
    text,
    text_or_empty,
)
from previewbot.clients.github.parse import account_or_ghost

_MOST_DIGITS = 18


def comment_from(obj: Any) -> Comment:
    """Read a comment."""
    by_app = has(obj, "performed_via_github_app")
    return Comment(
        id=number(obj, "id"),
        author=account_or_ghost(obj, "user"),
        app_id=number(obj, "performed_via_github_app.id") if by_app else None,
        body=text(obj, "body.text") if has(obj, "body") else "",
        created_at=moment(obj, "created_at"),
        updated_at=moment(obj, "updated_at"),
        marker=text_or_empty(obj, "body.marker"),
        hash=text_or_empty(obj, "body.hash"),
        association=text_or_empty(obj, "author_association"),
        node_id=text_or_empty(obj, "node_id"),
        verdict=_verdict(obj) if has(obj, "body.verdict") else None,
    )


def _verdict(obj: Any) -> SaidVerdict:
    return SaidVerdict(
        says=Says(text(obj, "body.verdict.says")),
        sha=text(obj, "body.verdict.sha"),
        path=text(obj, "body.verdict.path"),
        words=text_or_empty(obj, "body.verdict.words"),
        name=text_or_empty(obj, "body.verdict.name"),
        request=number(obj, "body.verdict.request"),
        mark=text_or_empty(obj, "body.verdict.mark"),
    )


def review_from(obj: Any) -> Comment:
    """Read a review as what its body is."""
    # Of a review that is not submitted only its author sees anything: it may still say something else then.
    submitted = has(obj, "submitted_at")
    at = moment(obj, "submitted_at") if submitted else datetime.min.replace(tzinfo=UTC)
    return Comment(
        id=number(obj, "id"),
        author=account_or_ghost(obj, "user"),
        app_id=None,
        body=text(obj, "body.text") if submitted and has(obj, "body") else "",
        created_at=at,
        updated_at=at,
        association=text_or_empty(obj, "author_association"),
        node_id=text_or_empty(obj, "node_id"),
        kind=RequestKind.REVIEW,
    )


def review_comment_from(obj: Any) -> Comment:
    """Read a comment on lines of the change."""
    return replace(comment_from(obj), kind=RequestKind.REVIEW_COMMENT, app_id=None)


def issue_number_from(obj: Any) -> int:
    """Read to which issue or pull request a comment belongs; 0 where that is not told."""
    number = text(obj, "issue_url").rpartition("/")[2]
    return int(number) if number.isascii() and number.isdigit() and len(number) <= _MOST_DIGITS else 0


def edits_in(nodes: Mapping[str, Any]) -> dict[str, Edits]:
    """Read how some texts were edited, by their node ids.

    Left out are those without a node, or with an empty one: gone, not for us to read, or no text at all.
    """
    return {node_id: edits_from(node) for node_id, node in nodes.items() if node}


def edits_from(obj: Any) -> Edits:
    """Read how a text was edited, as GraphQL tells it
    (https://docs.github.com/en/graphql/reference/interfaces#comment)."""
    last_edited_at = moment_or_none(obj, "lastEditedAt")
    editors: set[int] = set()
    if last_edited_at is not None:
        # `editor` is whoever edited it last, so the others are asked for as well. GitHub may have no history
        # of an old text, and shows a part of a long one: whoever is not shown is somebody we do not know.
        history = items(obj, "userContentEdits.nodes") if has(obj, "userContentEdits.nodes") else []
        editors = {_actor(obj, "editor"), *(_actor(edit, "editor") for edit in history)}
        if not history or number(obj, "userContentEdits.totalCount") > len(history):
            editors.add(0)
    return Edits(
        created_at=moment(obj, "createdAt"),
        last_edited_at=last_edited_at,
        editors=frozenset(editors),
        body=text(obj, "body"),
        published_at=moment_or_none(obj, "publishedAt"),
    )


def _actor(obj: Any, path: str) -> int:
    """Return the number of an account as GraphQL shows it; 0 for a deleted one, and for one that has none."""
    return number_or_zero(obj, f"{path}.databaseId")
