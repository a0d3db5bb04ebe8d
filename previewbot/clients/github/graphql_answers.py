"""What GitHub's GraphQL answers, as values: what was asked for, in part or not at all.

A question may be answered in part: of what is not there or not for us it has null, and an error beside it
(https://docs.github.com/en/graphql/guides/using-graphql-clients). What GitHub did not finish (after ten
seconds it gives up) counts as not answered at all: half a look is no look.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from previewbot.clients.github import fields
from previewbot.clients.github.cutting import Each, Rule
from previewbot.errors import UNREADABLE, Forbidden, Invalid, NotFound, RemoteError, TryLater
from previewbot.text.cutting import cut_at_the_end

_REST = "/v3"
_MOST_OF_A_MESSAGE = 200
_OF_A_PART = frozenset({"NOT_FOUND", "FORBIDDEN"})
_REFUSALS: Mapping[str, type[RemoteError]] = {
    "NOT_FOUND": NotFound,
    "FORBIDDEN": Forbidden,
    "INSUFFICIENT_SCOPES": Forbidden,
    "UNPROCESSABLE": Invalid,
    "MAX_NODE_LIMIT_EXCEEDED": Invalid,
    "RESOURCE_LIMITS_EXCEEDED": Invalid,
}


class RateLimited(Exception):
    """An answer with 200 that is a limit; its text is what GitHub says."""


class NoSuchField(Invalid):
    """GitHub's schema does not have what was asked for: an older Enterprise Server's, say."""


@dataclass(frozen=True)
class PartError:
    """Why a part of an answer is null: the kind of error (`NOT_FOUND`, `FORBIDDEN`), and where it stands."""

    type: str
    message: str
    path: tuple[str | int, ...]


@dataclass(frozen=True)
class Answer:
    """What was answered (`data`); of the parts that `errors` name it has null."""

    data: Mapping[str, Any]
    errors: tuple[PartError, ...] = ()

    def is_missing(self, *path: str | int) -> bool:
        """Return whether GitHub says of a part that it is not there (or that we may not know of it)."""
        return self._has(path, "NOT_FOUND")

    def is_refused(self, *path: str | int) -> bool:
        """Return whether GitHub says of a part that it is not for us to read."""
        return self._has(path, "FORBIDDEN")

    def _has(self, path: tuple[str | int, ...], kind: str) -> bool:
        return any(error.path == path and error.type == kind for error in self.errors)


Ask = Callable[[str, Mapping[str, Any], Rule], Awaitable[Answer]]
"""Asks GitHub's GraphQL; the rule says what is kept of `data`."""


def address_of(api_url: str) -> str:
    """Return where GraphQL is answered, by the address of the REST API.

    That is `/graphql` beside REST's root on github.com and ghe.com, and `/api/graphql` where REST is
    `/api/v3`
    (https://docs.github.com/en/enterprise-server@latest/graphql/guides/forming-calls-with-graphql#the-graphql-endpoint).
    """
    return f"{api_url.rstrip('/').removesuffix(_REST)}/graphql"


def rule_of(data: Rule) -> Rule:
    """Return what is kept of an answer of which `data` is kept."""
    error: Rule = {"type": None, "message": _message, "path": Each(None), "extensions": {"code": None}}
    return {"data": data, "errors": Each(error), "message": _message}


def read(what: str, kept: bytes) -> Answer:
    """Read what is kept of an answer (`rule_of`); raises RemoteError if it is none.

    `RateLimited` is raised for a limit, which GitHub tells with 200 as well.
    """
    answer = _object(kept)
    if answer is None:
        raise TryLater(what, message=UNREADABLE)
    data, listed = answer.get("data"), answer.get("errors")
    errors = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    for error in errors:
        message = _text(error, "message")
        if _text(error, "type") == "RATE_LIMITED" or "rate limit" in message.lower():
            raise RateLimited(message)
    parts = tuple(part for error in errors if (part := _part(error)) is not None)
    if isinstance(data, dict) and len(parts) == len(errors):
        return Answer(data, parts)
    raise _as_a_whole(what, errors)


def nodes_of(data: Mapping[str, Any], asked: Sequence[str]) -> dict[str, Any]:
    """Return the nodes of an answer by the ids that were asked for."""
    nodes = fields.items(data, "nodes")
    if len(nodes) != len(asked):
        raise RemoteError("GitHub's answer", message=f"{len(nodes)} nodes for {len(asked)} ids")
    return dict(zip(asked, nodes, strict=True))


def message_in(body: bytes) -> str:
    """Return what a refusal says: `message`, or that of its first error."""
    said = _object(body) or {}
    listed = said.get("errors")
    first = listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], dict) else {}
    return _message(_text(said, "message") or _text(first, "message"))


def _as_a_whole(what: str, errors: list[dict[str, Any]]) -> RemoteError:
    """Return the error of an answer that is none: the question was refused, or GitHub did not finish."""
    for error in errors:
        message = _text(error, "message")
        kind = _REFUSALS.get(_text(error, "type"))
        # What GitHub's schema does not have carries a code instead.
        if kind is None and fields.has(error, "extensions.code"):
            kind = NoSuchField
        if kind is not None:
            return kind(what, status=HTTPStatus.OK, message=message)
    message = _text(errors[0], "message") if errors else UNREADABLE
    return TryLater(what, status=HTTPStatus.OK if errors else 0, message=message)


def _part(error: Mapping[str, Any]) -> PartError | None:
    path, kind = error.get("path"), _text(error, "type")
    if kind not in _OF_A_PART or not isinstance(path, list) or not path:
        return None
    return PartError(kind, _text(error, "message"), tuple(path))


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _text(obj: Mapping[str, Any], name: str) -> str:
    value = obj.get(name)
    return value if isinstance(value, str) else ""


def _message(text: str) -> str:
    return cut_at_the_end(text, _MOST_OF_A_MESSAGE)
