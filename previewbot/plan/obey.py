"""Commands: their effect is a change of status, written in the same update as their id.

So a command works once, whatever crashes: either both the effect and the id are stored, or neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from previewbot.commands import Command, Nonsense
from previewbot.model import Comment, PullRequest
from previewbot.preview import Ended, Phase, Reply, Status

_HANDLED_KEPT = 50


class Goal(StrEnum):
    """What a command is done with."""

    RUNNING = "Running"
    STOPPED = "Stopped"


def obey(
    status: Status,
    command: Command | Nonsense,
    comment: Comment,
    *,
    pull_request: PullRequest,
    may_write: bool,
    ttl_max: timedelta,
    now: datetime,
) -> Status:
    """Return the status after a command, with the answer owed to it and its id among the handled ones."""
    if not may_write:
        answered = _refuse(status, comment, command, "not-allowed", {"login": comment.author.login})
    elif isinstance(command, Nonsense):
        values = {"text": command.text, "suggestion": command.suggestion or ""}
        answered = _refuse(status, comment, command, "unknown-command", values)
    elif command.name in ("help", "status"):
        answered = _answer(status, comment, command.name, "rocket", command.name)
    elif pull_request.state == "closed":
        answered = _refuse(status, comment, command, "closed")
    elif command.name == "start":
        answered = _start(status, command, comment, pull_request)
    elif command.name == "stop":
        answered = _stop(status, comment, now)
    else:
        answered = _extend(status, command, comment, ttl_max)
    return handled(answered, comment.id)


def handled(status: Status, comment_id: int) -> Status:
    """Note a command as obeyed; the oldest of many are summed up in the floor."""
    ids = sorted({*status.commands.handled, comment_id})
    dropped = ids[:-_HANDLED_KEPT]
    floor = max([status.commands.floor, *dropped])
    commands = replace(status.commands, handled=tuple(ids[-_HANDLED_KEPT:]), floor=floor)
    return replace(status, commands=commands)


def settle_replies(status: Status) -> Status:
    """Turn the reactions that wait for a goal into given ones, once it is reached or out of reach."""
    return replace(status, replies=tuple(_settled(status, reply) for reply in status.replies))


def _settled(status: Status, reply: Reply) -> Reply:
    if not reply.goal:
        return reply
    running = status.phase in (Phase.READY, Phase.IDLE)
    over = status.phase in (Phase.STOPPED, Phase.EXPIRED, Phase.NOTHING_TO_PREVIEW)
    if reply.goal == Goal.RUNNING:
        if running:
            return replace(reply, reaction="rocket", goal="")
        if status.phase is Phase.AWAITING_APPROVAL:
            # The fork was pushed to after the command: what it approved is not the head any more.
            values = {"sha": status.observed.head_sha}
            return replace(reply, reaction="confused", goal="", kind="fork-needs-sha", values=values)
        if over or status.phase is Phase.FAILED:
            kind = _why_not(status)
            return replace(reply, reaction="confused", goal="", kind=kind)
    elif over:
        return replace(reply, reaction="rocket", goal="")
    elif status.ended is None and status.phase not in (None, Phase.STOPPING):
        # A later command started it again.
        return replace(reply, reaction="confused", goal="")
    return reply


def _why_not(status: Status) -> str:
    """Return the words for a start that came to nothing, where the status comment may be silent."""
    kinds: Mapping[str, str] = {
        "NoServiceChanged": "nothing-to-preview",
        "NoConfiguration": "no-configuration",
        "ConfigurationInvalid": "configuration-invalid",
    }
    return kinds.get(status.reason, "")


def _start(status: Status, command: Command, comment: Comment, pull_request: PullRequest) -> Status:
    head = pull_request.head.sha
    if pull_request.is_fork and (command.sha is None or len(command.sha) != len(head)):
        return _refuse(status, comment, command, "fork-needs-sha", {"sha": head})
    if command.sha is not None and not head.startswith(command.sha):
        return _refuse(status, comment, command, "sha-mismatch", {"sha": head})
    approved = not pull_request.is_fork or status.approved_sha == head
    running = status.ended is None and status.phase in (Phase.READY, Phase.IDLE)
    if running and approved and status.reason != "Partial":
        return _answer(status, comment, "start", "rocket", "already-running")
    services = tuple(replace(s, failed_question="", failure="", remade=0) for s in status.services)
    if status.ended is not None:
        status = replace(status, ended=None, ready_at=None, ready_sha="", expires_at=None)
    if pull_request.is_fork:
        status = replace(status, approved_sha=head)
    # The phase is from before the command; a goal must not be judged by it.
    status = replace(status, started_by=comment.author.login, services=services, phase=None)
    return _owe(status, comment, "start", goal=Goal.RUNNING)


def _stop(status: Status, comment: Comment, now: datetime) -> Status:
    if status.ended is not None or not status.trigger:
        return _refuse(status, comment, Command(name="stop"), "not-running")
    ended = Ended(reason="Stopped", at=now, by=comment.author.login, head_sha=status.observed.head_sha)
    status = replace(status, ended=ended, phase=None, expires_at=None)
    return _owe(status, comment, "stop", goal=Goal.STOPPED)


def _extend(status: Status, command: Command, comment: Comment, ttl_max: timedelta) -> Status:
    if command.duration is None:
        return _refuse(status, comment, command, "bad-duration", {"text": command.text})
    if status.ended is not None or not status.trigger:
        return _refuse(status, comment, command, "not-running")
    if status.ready_at is None or status.expires_at is None:
        return _refuse(status, comment, command, "extend-too-early")
    latest = status.ready_at + ttl_max
    if status.expires_at >= latest:
        return _refuse(status, comment, command, "extend-at-limit", {"until": _iso(status.expires_at)})
    until = min(status.expires_at + command.duration, latest)
    status = replace(status, expires_at=until)
    return _answer(status, comment, "extend", "rocket", "extended", {"until": _iso(until)})


def _refuse(
    status: Status,
    comment: Comment,
    command: Command | Nonsense,
    kind: str,
    values: Mapping[str, str] | None = None,
) -> Status:
    name = command.name if isinstance(command, Command) else ""
    return _answer(status, comment, name, "confused", kind, values)


def _answer(
    status: Status,
    comment: Comment,
    command: str,
    reaction: str,
    kind: str,
    values: Mapping[str, str] | None = None,
) -> Status:
    return _owe(status, comment, command, reaction=reaction, kind=kind, values=values)


def _owe(
    status: Status,
    comment: Comment,
    command: str,
    *,
    reaction: str = "",
    goal: str = "",
    kind: str = "",
    values: Mapping[str, str] | None = None,
) -> Status:
    reply = Reply(
        comment_id=comment.id,
        author=comment.author.login,
        command=command,
        reaction=reaction,
        goal=goal,
        kind=kind,
        values=dict(values or {}),
    )
    return replace(status, replies=(*status.replies, reply))


def _iso(moment: datetime) -> str:
    return moment.isoformat()
