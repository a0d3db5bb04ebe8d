"""The conversation of a pull request: what people ask for, and what we wrote there in an earlier life."""

from __future__ import annotations

from datetime import datetime, timedelta

from previewbot.api import Report, Status
from previewbot.api.github import Comment, PullRequest
from previewbot.clients.github import InstallationClient
from previewbot.reconciler.observation import Inbox, Request
from previewbot.reconciler.plan.inbox import COMMENT, adopt, comment_request, is_new, own_comments
from previewbot.rules.commands import Command, UnknownCommand, parse

_OVERLAP = timedelta(seconds=60)
"""GitHub may show a comment late: each look goes back so far beyond the one before."""

_OLD_COMMAND = timedelta(hours=24)
"""What was written longer ago when a pull request is seen for the first time is not obeyed any more."""


async def read_inbox(
    client: InstallationClient, status: Status, pull_request: PullRequest, *, app_id: int, now: datetime
) -> tuple[Inbox, int]:
    """Return what is new in the conversation, and the highest comment id seen."""
    read_at = status.requests.read_at
    since = read_at - _OVERLAP if read_at else None
    has_comment = bool(status.reports.get(COMMENT, Report()).id)
    repository, number = pull_request.base.repository, pull_request.number
    # As long as the id of our status comment is not known, the whole conversation is read: it may have been
    # written days ago, before a crash or by an earlier life of this Preview, and must not be written twice.
    comments = await client.comments(repository, number, since if has_comment else None)
    own = own_comments(comments, app_id)
    known = adopt(status, own).requests
    # A Preview that was deleted and made again finds its old status comment, whose marker names the last
    # command that was carried out (the floor). Then no age limit is needed: everything up to the floor is
    # done.
    first = read_at is None and not known.floor
    earliest = now - _OLD_COMMAND if first else since
    requests = [
        await _request(client, repository, comment, asked)
        # In the order in which people wrote them: "stop" after "start" must end with nothing running.
        for comment in sorted(comments, key=lambda comment: comment.id)
        if is_new(comment, known, app_id=app_id, earliest=earliest)
        and (asked := parse(comment.body)) is not None
    ]
    newest = max((comment.id for comment in comments), default=0)
    return Inbox(tuple(requests), own), newest


async def _request(
    client: InstallationClient, repository: str, comment: Comment, asked: Command | UnknownCommand
) -> Request:
    """Return a request; whether its author may write is asked at this moment, not when it was written."""
    is_bot = comment.author.type == "Bot"
    may_write = not is_bot and await client.permission(repository, comment.author.login) in (
        "admin",
        "write",
    )
    return Request(comment_request(comment.id), comment.author.login, asked, is_bot, may_write)
