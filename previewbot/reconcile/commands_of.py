"""The comments of a pull request: commands to obey, and what we wrote there in an earlier life."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from previewbot.commands import Command, Nonsense
from previewbot.commands import parse as parse_command
from previewbot.github import InstallationClient
from previewbot.model import Comment
from previewbot.plan import Facts, obey
from previewbot.plan.decision import observe
from previewbot.plan.obey import handled
from previewbot.preview import CommentState, Reply, Status
from previewbot.reconcile.context import Context
from previewbot.render import comment_hash, parse_marker

_OVERLAP = timedelta(seconds=60)
_OLD_COMMAND = timedelta(hours=24)


async def obey_new(
    context: Context, client: InstallationClient, status: Status, facts: Facts, now: datetime
) -> tuple[Status, int]:
    """Obey new commands; return the status after them and the highest comment id seen."""
    repository, number = facts.pull_request.base.repository, facts.pull_request.number
    first = status.commands.looked_at is None
    since = None if first or status.commands.looked_at is None else status.commands.looked_at - _OVERLAP
    comments = await client.comments(repository, number, None if not status.comment.id else since)
    status = await adopt(context, client, repository, status, comments)
    oldest = now - _OLD_COMMAND if first and not status.commands.floor else None
    for comment in sorted(comments, key=lambda comment: comment.id):
        command = _fresh(context, status, comment, oldest, since)
        if command is not None:
            status = await _obeyed(context, client, status, facts, comment, command, now)
    commands = replace(status.commands, looked_at=now)
    newest = max((comment.id for comment in comments), default=0)
    return replace(status, commands=commands), newest


def _fresh(
    context: Context, status: Status, comment: Comment, oldest: datetime | None, since: datetime | None
) -> Command | Nonsense | None:
    """Return the command of a comment that is to be obeyed now.

    Only new comments count: an edited one could say something else to whoever reads it later.
    """
    if comment.app_id == context.settings.github.app_id or comment.created_at != comment.updated_at:
        return None
    if comment.id <= status.commands.floor or comment.id in status.commands.handled:
        return None
    earliest = oldest or since
    if earliest is not None and comment.created_at < earliest:
        return None
    return parse_command(comment.body)


async def _obeyed(
    context: Context,
    client: InstallationClient,
    status: Status,
    facts: Facts,
    comment: Comment,
    command: Command | Nonsense,
    now: datetime,
) -> Status:
    if comment.author.type == "Bot":
        # Words to a bot may be answered by it, and so on without end: a reaction says enough.
        reply = Reply(comment_id=comment.id, author=comment.author.login, command="", reaction="confused")
        return handled(replace(status, replies=(*status.replies, reply)), comment.id)
    repository = facts.pull_request.base.repository
    permission = await client.permission(repository, comment.author.login)
    status = obey(
        status,
        command,
        comment,
        pull_request=facts.pull_request,
        may_write=permission in ("admin", "write"),
        ttl_max=context.settings.ttl.max,
        now=now,
    )
    return observe(status, facts, now)


async def adopt(
    context: Context,
    client: InstallationClient,
    repository: str,
    status: Status,
    comments: list[Comment],
) -> Status:
    """Find what we wrote before a crash or in an earlier life: the status comment, and answers given.

    Ours means our marker *and* our App as the author: people quote markers. Of several status comments
    the oldest stays.
    """
    ours = [
        (comment, marker)
        for comment in comments
        if comment.app_id == context.settings.github.app_id
        and (marker := parse_marker(comment.body)) is not None
    ]
    if not status.comment.id:
        own = sorted((c for c, marker in ours if marker.kind == "status"), key=lambda c: c.id)
        if own:
            state = CommentState(id=own[0].id, hash=comment_hash(own[0].body))
            status = replace(status, comment=state)
        for extra in own[1:]:
            await client.delete_comment(repository, extra.id)
    answered = {marker.reply_to for _, marker in ours if marker.kind == "reply"}
    replies = tuple(
        replace(reply, kind="") if reply.comment_id in answered else reply for reply in status.replies
    )
    told = [marker.command for _, marker in ours if marker.kind == "status"]
    floor = max([status.commands.floor, *told])
    known = {id for id in answered if id} | set(status.commands.handled)
    commands = replace(status.commands, floor=floor, handled=tuple(sorted(id for id in known if id > floor)))
    return replace(status, commands=commands, replies=replies)
