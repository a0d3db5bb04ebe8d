"""Which pull request a webhook is about. Nothing else of a delivery is believed.

Payloads: https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from previewbot import commands


@dataclass(frozen=True)
class Relevant:
    """Pull requests to look at; `create` if they may get a Preview by this.

    `updated_at` and `comment_id` are what GitHub's API must show at least before it is believed.
    """

    repository_id: int
    repository: str
    installation_id: int
    numbers: tuple[int, ...]
    create: bool = False
    updated_at: datetime | None = None
    comment_id: int = 0


@dataclass(frozen=True)
class Irrelevant:
    """An event that concerns no pull request, and why we think so."""

    reason: str


class Malformed(ValueError):
    """The payload is not of the shape GitHub documents."""


def understand(event: str, payload: object, *, app_id: int) -> Relevant | Irrelevant:
    """Return what an event is about; raises `Malformed` if it is no payload of GitHub's."""
    readers = {
        "pull_request": _pull_request,
        "issue_comment": _issue_comment,
        "check_run": _check,
        "check_suite": _check,
        "workflow_run": _check,
    }
    reader = readers.get(event)
    if reader is None:
        return Irrelevant(f"{event} concerns no pull request")
    if not isinstance(payload, Mapping):
        raise Malformed("the payload is not a JSON object")
    try:
        return reader(event, payload, app_id)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Malformed(f"the payload is not what GitHub documents for {event}: {error!r}") from error


def _pull_request(_: str, payload: Mapping[str, Any], app_id: int) -> Relevant | Irrelevant:
    """Every action but `closed` may begin a preview; a close only ends one."""
    pull_request = payload["pull_request"]
    return _relevant(
        payload,
        (_number(pull_request["number"]),),
        create=payload["action"] != "closed",
        updated_at=_moment(pull_request["updated_at"]),
    )


def _issue_comment(_: str, payload: Mapping[str, Any], app_id: int) -> Relevant | Irrelevant:
    if "pull_request" not in payload["issue"]:
        return Irrelevant("a comment on an issue")
    comment = payload["comment"]
    app = comment.get("performed_via_github_app")
    if app is not None and app["id"] == app_id:
        return Irrelevant("our own comment")
    if payload["action"] != "created" or commands.parse(str(comment["body"] or "")) is None:
        # A deleted or edited comment may be ours: the text is restored at its next change, not at once.
        return Irrelevant("no new command")
    return _relevant(
        payload,
        (_number(payload["issue"]["number"]),),
        create=True,
        comment_id=_number(comment["id"]),
    )


def _check(event: str, payload: Mapping[str, Any], app_id: int) -> Relevant | Irrelevant:
    subject = payload[event]
    app = subject.get("app")
    if app is not None and app["id"] == app_id:
        return Irrelevant("our own check")
    numbers = tuple(_number(pull_request["number"]) for pull_request in subject.get("pull_requests") or ())
    if not numbers:
        # For forks GitHub names none; the look at the image finds it out.
        return Irrelevant("names no pull request")
    return _relevant(payload, numbers)


def _relevant(payload: Mapping[str, Any], numbers: tuple[int, ...], **more: Any) -> Relevant:
    repository = payload["repository"]
    return Relevant(
        repository_id=_number(repository["id"]),
        repository=_text(repository["full_name"]),
        installation_id=_number(payload["installation"]["id"]),
        numbers=numbers,
        **more,
    )


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ValueError(f"{value!r} is no number of GitHub's")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or value.count("/") != 1:
        raise ValueError(f"{value!r} is no repository name")
    return value


def _moment(value: object) -> datetime:
    moment = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    if moment.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone")
    return moment
