"""What GitHub's GraphQL tells of what a pull request was asked for, as a value; and the question for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from previewbot.api import IssuesUnknown
from previewbot.api.asked_for import AskedFor, ReferencedIssue
from previewbot.api.github import Edits
from previewbot.clients.github import conversations, queries
from previewbot.clients.github.cutting import Rule
from previewbot.clients.github.fields import flag, full_name, has, items, number, number_or_zero, text
from previewbot.clients.github.graphql_answers import Ask, NoSuchField, nodes_of
from previewbot.errors import Invalid, NotFound, RemoteError

_ISSUES = "closingIssuesReferences"
_MESSAGE = "commit.message"


async def asked_for(ask: Ask, node_id: str, writers: Sequence[int], rule: Rule) -> AskedFor:
    """Ask what a pull request was asked for.

    Of its comments only those of `writers` count. A server that does not know which issues it closes
    (https://docs.github.com/en/enterprise-server@latest/graphql/reference/objects#pullrequest) is asked a
    second time, for the rest. Raises RemoteError; NotFound if GitHub shows no such pull request.
    """
    try:
        answer = await ask(queries.ASKED_FOR, {"ids": [node_id]}, rule)
    except NoSuchField:
        answer = await ask(queries.SESSIONS, {"ids": [node_id]}, rule)
        return _asked_for(nodes_of(answer.data, [node_id])[node_id], writers, IssuesUnknown.FIELD)
    refused = answer.is_refused("nodes", 0, _ISSUES)
    node = nodes_of(answer.data, [node_id])[node_id]
    return _asked_for(node, writers, IssuesUnknown.PERMISSION if refused else None)


async def with_edits(
    ask: Ask, node_ids: Sequence[str], node_id: str, writers: Sequence[int], rule: Rule
) -> tuple[dict[str, Edits], AskedFor | None]:
    """Ask the same, and how some comments were edited, with one question.

    Commands wait for the latter: whatever GitHub does not say of the former, it is None. Raises RemoteError.
    """
    ids = [*node_ids, node_id]
    try:
        answer = await ask(queries.EDITS_AND_ASKED_FOR, {"ids": ids}, rule)
    except Invalid:
        answer = await ask(queries.EDITS, {"ids": list(node_ids)}, rule)
        return conversations.edits_in(nodes_of(answer.data, node_ids)), None
    nodes = nodes_of(answer.data, ids)
    edits = conversations.edits_in({each: nodes[each] for each in node_ids})
    unknown = IssuesUnknown.PERMISSION if answer.is_refused("nodes", len(node_ids), _ISSUES) else None
    try:
        return edits, _asked_for(nodes[node_id], writers, unknown)
    except RemoteError:
        return edits, None


def _asked_for(node: Any, writers: Sequence[int], unknown: IssuesUnknown | None) -> AskedFor:
    if not node or not has(node, "commits"):
        raise NotFound("pull request", message="GitHub shows none by this name")
    listed = items(node, f"{_ISSUES}.nodes") if has(node, f"{_ISSUES}.nodes") else []
    total = number_or_zero(node, f"{_ISSUES}.totalCount")
    # Null is an issue that is not for us to read: it counts, and has no name.
    issues = tuple(_issue(each) for each in listed if each)
    named = [items(each, f"{_MESSAGE}.co_authors") for each in items(node, "commits.nodes") if each]
    return AskedFor(
        issues=issues,
        total=total,
        sessions=tuple(dict.fromkeys(_sessions(node, writers))),
        unknown=unknown,
        co_authors=tuple(dict.fromkeys(number(each, "") for ids in named for each in ids)),
    )


def _issue(obj: Any) -> ReferencedIssue:
    return ReferencedIssue(
        repository_id=number(obj, "repository.databaseId"),
        repository=full_name(obj, "repository.nameWithOwner"),
        number=number(obj, "number"),
        # Internal ones count as private here
        # (https://docs.github.com/en/graphql/reference/interfaces#repositoryinfo).
        private=flag(obj, "repository.isPrivate"),
        closed=flag(obj, "closed"),
        title=text(obj, "title"),
        opening=tuple(text(line, "") for line in items(obj, "bodyText")),
    )


def _sessions(node: Any, writers: Sequence[int]) -> list[str]:
    """Return the addresses of sessions: of the newest commit first, whose session is the latest."""
    texts = [items(node, "description")]
    commits = items(node, "commits.nodes")
    texts += [items(each, f"{_MESSAGE}.sessions") for each in reversed(commits) if each]
    texts += [
        items(each, "body")
        for each in (items(node, "comments.nodes") if has(node, "comments") else [])
        if each and number_or_zero(each, "author.databaseId") in writers
    ]
    return [text(address, "") for found in texts for address in found]
