"""The conversation of a pull request: what people ask for, and what we wrote there in an earlier life."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from previewbot.api import OF_REVIEWS, AgentSeen, Preview, Report
from previewbot.api.github import MEMBERS, Comment, PullRequest
from previewbot.clients.github import InstallationClient
from previewbot.errors import QuotaKept, RemoteError, Unauthorized
from previewbot.reconciler.context import Context
from previewbot.reconciler.conversation import Hand, Inbox, Left, OwnComments
from previewbot.reconciler.gather.edits import with_standings
from previewbot.reconciler.gather.late import ask_for_late_ones
from previewbot.reconciler.gather.reviews import is_unseen, read_reviews
from previewbot.reconciler.plan.agents_commands import granted_to, hand_of_agent
from previewbot.reconciler.plan.inbox import COMMENT, adopt, hand_of, is_new, own_comments, resume
from previewbot.reconciler.plan.late import OVERLAP, told_of, without_shown
from previewbot.reconciler.plan.requeue import SOON
from previewbot.reconciler.plan.turns import Asked, oldest_of, take, written
from previewbot.rules.commands import parse
from previewbot.rules.edited import Standing

log = logging.getLogger(__name__)

_OLD_COMMAND = timedelta(hours=24)
"""What was written longer ago when a pull request is seen for the first time is not obeyed any more."""

_LOOKUPS = 25
"""The most accounts of a kind (members, others) that one look asks GitHub about."""

_APPS_TOLD = 10

_LOOKUP_PATIENCE = timedelta(seconds=10)
"""How long a look goes on asking who people are: far less than it may take in all, however slow GitHub is."""

_ASK_AGAIN = timedelta(seconds=30)
"""When it is asked again about somebody of whom GitHub could say nothing."""


async def read_inbox(
    context: Context,
    client: InstallationClient,
    preview: Preview,
    pull_request: PullRequest,
    agent: AgentSeen | None,
    now: datetime,
) -> tuple[Inbox, bool]:
    """Return what is new in the conversation, and whether reviews do not show yet what a delivery told of."""
    earlier = context.memory.conversations.of(preview.name)
    status, us = resume(preview.status, earlier), await context.github.identity(preview.spec.installation_id)
    trusted_apps = context.settings.github.trusted_apps
    may_ask = granted_to(pull_request, agent, context.settings.agents)
    read_at = status.requests.read_at
    since = read_at - OVERLAP if read_at else None
    has_comment = bool(status.reports.get(COMMENT, Report()).id)
    repository, number = pull_request.base.repository, pull_request.number
    # As long as the id of our status comment is not known, the whole conversation is read: it may have been
    # written days ago, before a crash or by an earlier life of this Preview, and must not be written twice.
    comments = await client.comments(repository, number, since if has_comment else None)
    own = own_comments(comments, us)
    known = adopt(status, own).requests
    # A Preview that was deleted and made again finds its old status comment, whose marker names the last
    # command that was carried out (the floor). Then no age limit is needed: everything up to the floor is
    # done.
    first = read_at is None and not known.floor
    # By GitHub's clock, and not by ours: they may be minutes apart.
    in_reviews = client.time_at(now) - _OLD_COMMAND
    earliest = in_reviews if first else since
    reviews = await read_reviews(client, preview, pull_request, known, in_reviews, now)
    told = told_of(known, preview.poke, now)
    shown = {comment.id for comment in comments}
    late, unseen = await ask_for_late_ones(client, pull_request, without_shown(told, known, shown), now)
    comments += late
    told_ids = {each.id for each in told}
    new = [
        Asked(comment, asked, hand_of_agent(comment, asked, may_ask) or hand_of(comment, trusted_apps))
        # In the order in which people wrote them: "stop" after "start" must end with nothing running.
        for comment in sorted([*comments, *reviews.comments], key=written)
        if is_new(
            comment,
            known,
            app_id=us.app_id,
            earliest=in_reviews if comment.kind in OF_REVIEWS else earliest,
            told=() if first else told_ids,
        )
        and (asked := parse(comment.body))
    ]
    _tell_of_apps(preview, new)
    may_write, again_at = await _who_may_write(context, client, pull_request, new)
    new, edits_again_at = await with_standings(context, client, preview.name, new, may_write, known)
    requests, left = take(new, may_write, len(known.handled))
    seen = [*comments, *reviews.comments]
    refused = frozenset(comment.author.id for comment in seen if comment.request in own.refused)
    most = context.memory.refusals.left(preview.spec.installation_id, now)
    waiting = [each for each in left if _waits_for_edits(each, may_write)]
    unsigned = context.memory.edit_questions.unsigned(
        preview.name, {each.comment.request for each in waiting}
    )
    still = _left(left, may_write, again_at, edits_again_at)
    inbox = Inbox(
        requests=requests,
        own=own,
        left=still or (Left(again_at) if reviews.is_cut else None),
        told=refused,
        refusals_left=most,
        earlier=earlier,
        places=reviews.places,
        waiting=tuple(each.request(True) for each in waiting if each.comment.request in unsigned),
        read_at=_read_at(read_at, comments, pull_request, client.time_at(now)),
        passed_over=max((c.id for c in comments if earliest and c.created_at < earliest), default=0)
        if first
        else 0,
        unseen=unseen,
        told_comment_id=heard if (heard := preview.poke.comment_id) in told_ids else known.told_comment_id,
    )
    return inbox, is_unseen(preview, known, reviews)


async def read_own(
    context: Context, client: InstallationClient, preview: Preview, pull_request: PullRequest
) -> OwnComments:
    """Return what of the conversation is ours; nothing of it is obeyed."""
    us = await context.github.identity(preview.spec.installation_id)
    base = pull_request.base
    return own_comments(await client.comments(base.repository, pull_request.number, None), us)


def _tell_of_apps(preview: Preview, asked: Sequence[Asked]) -> None:
    """Tell the platform team of the Apps whose commands in people's names do not count.

    Their author gets a reaction and no words, and a tool that wrote commands for years may be among them.
    """
    apps = {each.comment.app_id for each in asked if each.hand is Hand.OTHER_APP and not each.is_bot}
    if apps:
        # One line a look, with few of them: which comments there are is for strangers to say.
        about = {"preview": preview.name, "apps": sorted(map(str, apps))[:_APPS_TOLD]}
        log.warning("Apps that github.trusted_apps does not name write commands for people", extra=about)


async def _who_may_write(
    context: Context, client: InstallationClient, pull_request: PullRequest, asked: Sequence[Asked]
) -> tuple[dict[int, bool], datetime]:
    """Return which of some accounts may write, and when to ask about the others.

    It is asked at this moment, and not known from when they wrote; once per account. Anybody can write
    commands under as many names as they like, so each look asks about few: likely ones first, the others from
    the oldest command on, and never with what is left of the hour's requests for others.
    """
    repository, memory = pull_request.base, context.memory
    # Of each account the first command gives it its place, and the newest the login: those can be renamed.
    people = {each.comment.author.id: each.comment for each in asked if each.counts}
    likely = [person for person in people.values() if _is_likely(context, pull_request, person)]
    known = {person.author.id for person in likely}
    others = [person for account, person in people.items() if account not in known]
    may_write: dict[int, bool] = {}
    began, again_at = context.now(), None
    # Who wrote the oldest command is among the first two, and is asked about however slow GitHub is: what
    # others wrote is gone through from there on, and each look must get on.
    first = [*likely[:1], *others[:1]]
    for person in (*first, *likely[1:_LOOKUPS], *others[1:_LOOKUPS]):
        account = person.author
        if person not in first and context.now() - began >= _LOOKUP_PATIENCE:
            break
        asking = client if account.id in known else client.sparing()
        try:
            permission = await asking.permission(repository.repository, account.login)
        except QuotaKept as kept:
            # What members wrote is carried out all the same.
            if account.id in known:
                raise
            again_at = max(again_at or began, context.now() + timedelta(seconds=kept.after or SOON))
            continue
        except RemoteError as error:
            if account.id in known or not _is_of_one(error):
                raise
            # What GitHub cannot say of one account, which anybody may have made so, must not keep all others
            # from being obeyed.
            about = {"login": account.login, "account": account.id, "error": str(error)}
            log.warning("it cannot be asked who somebody is", extra=about)
            again_at = again_at or context.now() + _ASK_AGAIN
            continue
        may_write[account.id] = permission in ("admin", "write")
        memory.writers.note(repository.repository_id or 0, account.id, may_write[account.id])
    return may_write, again_at or context.now() + timedelta(seconds=SOON)


def _is_of_one(error: RemoteError) -> bool:
    """Return whether an error may be about the account that was asked about, and not about us."""
    return error.after is None and not isinstance(error, Unauthorized)


def _is_likely(context: Context, pull_request: PullRequest, comment: Comment) -> bool:
    repository_id = pull_request.base.repository_id or 0
    return comment.association in MEMBERS or context.memory.writers.knows(repository_id, comment.author.id)


def _read_at(
    before: datetime | None, comments: Sequence[Comment], pull_request: PullRequest, their_now: datetime
) -> datetime:
    """Return how far GitHub has shown the conversation, by its own times.

    Never further on than its clock: an older version went by ours, and what was written meanwhile would not
    be looked for.
    """
    shown = max((comment.updated_at for comment in comments), default=pull_request.updated_at)
    return min(max(before or shown, shown), their_now)


def _waits_for_edits(each: Asked, may_write: Mapping[int, bool]) -> bool:
    return each.may_ask(may_write) and each.standing is Standing.UNKNOWN


def _left(
    left: Sequence[Asked],
    may_write: Mapping[int, bool],
    again_at: datetime,
    edits_again_at: datetime | None,
) -> Left | None:
    if not left:
        return None
    since: dict[str, datetime] = {}
    for each in left:
        comment = each.comment
        # What stands in a review is found again by when it was shown, which may be long after it was begun.
        moment = comment.shown_at if comment.kind in OF_REVIEWS else comment.updated_at
        since[comment.kind] = min(since.get(comment.kind, moment), moment)
    # What waits for GitHub to tell of edits has a backoff of its own.
    for_edits = edits_again_at is not None and all(_waits_for_edits(each, may_write) for each in left)
    again_at = edits_again_at if for_edits and edits_again_at is not None else again_at
    return Left(again_at, oldest_of(left), since)
