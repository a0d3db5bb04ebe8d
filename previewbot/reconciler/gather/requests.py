"""The conversation of a pull request: what people ask for, and what we wrote there in an earlier life."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from previewbot.api import OF_REVIEWS, AgentSeen, Preview, Requests, Status, Unseen
from previewbot.api.github import AppIdentity, Comment, PullRequest
from previewbot.clients.github import InstallationClient
from previewbot.reconciler.context import Context
from previewbot.reconciler.conversation import Hand, Inbox, Left, OwnComments, Request
from previewbot.reconciler.gather.asked_for import RequestQuestion
from previewbot.reconciler.gather.edits import with_standings
from previewbot.reconciler.gather.late import ask_for_late_ones
from previewbot.reconciler.gather.reviews import Reviews, is_unseen, read_reviews
from previewbot.reconciler.gather.writers import who_may_write
from previewbot.reconciler.plan.agents_commands import Granted, granted_to, hand_of_agent
from previewbot.reconciler.plan.inbox import COMMENT, adopt, hand_of, is_new, own_comments, resume
from previewbot.reconciler.plan.late import OVERLAP, told_of, without_shown
from previewbot.reconciler.plan.turns import Asked, oldest_of, take, written
from previewbot.reconciler.plan.verdicts import verdicts_among
from previewbot.rules.commands import parse
from previewbot.rules.edited import Standing
from previewbot.rules.glances import Heard, heard

log = logging.getLogger(__name__)

_OLD_COMMAND = timedelta(hours=24)
"""What was written longer ago when a pull request is seen for the first time is not obeyed any more."""

_APPS_TOLD = 10


@dataclass(frozen=True)
class _Look:
    """What a look read of a conversation, and what was `known` of it before.

    `first`: nothing of it was known. `told` are the comments that webhooks told of, and `unseen` those of
    them that GitHub does not show; what is older than `earliest`, or `earliest_in_reviews`, is not obeyed.
    """

    known: Requests
    own: OwnComments
    comments: Sequence[Comment]
    reviews: Reviews
    first: bool
    earliest: datetime | None
    earliest_in_reviews: datetime
    told: frozenset[int]
    unseen: tuple[Unseen, ...]
    heard: Heard

    @property
    def everything(self) -> list[Comment]:
        """The conversation, and what stands in reviews."""
        return [*self.comments, *self.reviews.comments]

    @property
    def passed_over(self) -> int:
        """The newest comment that is too old to be obeyed at the first look; 0 if there is none."""
        if not self.first or self.earliest is None:
            return 0
        return max((each.id for each in self.comments if each.created_at < self.earliest), default=0)


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
    look = await _read(client, preview, status, pull_request, us, now)
    may_ask = granted_to(pull_request, agent, context.settings.agents)
    new = _new(look, us, may_ask, context.settings.github.trusted_apps)
    _tell_of_apps(preview, new)
    may_write, again_at = await who_may_write(context, client, pull_request, new)
    question = RequestQuestion(context, preview, pull_request, agent)
    beside = question if question.goes_beside else None
    new, edits_again_at = await with_standings(
        context, client, preview.name, new, may_write, look.known, beside
    )
    requests, left = take(new, may_write, len(look.known.handled))
    still = _left(left, may_write, again_at, edits_again_at)
    number = preview.poke.comment_id
    inbox = Inbox(
        requests=requests,
        own=look.own,
        left=still or (Left(again_at) if look.reviews.is_cut else None),
        told=frozenset(each.author.id for each in look.everything if each.request in look.own.refused),
        refusals_left=context.memory.refusals.left(preview.spec.installation_id, now),
        earlier=earlier,
        places=look.reviews.places,
        waiting=_without_a_sign(context, preview, left, may_write),
        read_at=_read_at(status.requests.read_at, look.comments, pull_request, client.time_at(now)),
        passed_over=look.passed_over,
        unseen=look.unseen,
        told_comment_id=number if number in look.told else look.known.told_comment_id,
        heard=look.heard,
        said=verdicts_among(look.comments, preview.status.verdicts, us),
    )
    return inbox, is_unseen(preview, look.known, look.reviews)


async def _read(
    client: InstallationClient,
    preview: Preview,
    status: Status,
    pull_request: PullRequest,
    us: AppIdentity,
    now: datetime,
) -> _Look:
    """Read the conversation, reviews if there is a reason to, and what webhooks told of and is not shown."""
    read_at = status.requests.read_at
    since = read_at - OVERLAP if read_at else None
    has_comment = bool(status.report(COMMENT).id)
    # As long as the id of our status comment is not known, the whole conversation is read: it may have been
    # written days ago, before a crash or by an earlier life of this Preview, and must not be written twice.
    repository, number = pull_request.base.repository, pull_request.number
    comments = await client.comments(repository, number, since if has_comment else None)
    own = own_comments(comments, us)
    known = adopt(status, own).requests
    # A Preview that was deleted and made again finds its old status comment, whose marker names the last
    # command that was carried out (the floor). Then no age limit is needed: everything up to the floor is
    # done.
    first = read_at is None and not known.floor
    # By GitHub's clock, and not by ours: they may be minutes apart.
    in_reviews = client.time_at(now) - _OLD_COMMAND
    reviews = await read_reviews(client, preview, pull_request, known, in_reviews, now)
    told = told_of(known, preview.poke, now)
    shown = {comment.id for comment in comments}
    late, unseen = await ask_for_late_ones(client, pull_request, without_shown(told, known, shown), now)
    return _Look(
        known=known,
        own=own,
        comments=[*comments, *late],
        reviews=reviews,
        first=first,
        earliest=in_reviews if first else since,
        earliest_in_reviews=in_reviews,
        told=frozenset(each.id for each in told),
        unseen=unseen,
        heard=heard(comments, since if has_comment else None, client.time_at(now)),
    )


def _new(look: _Look, us: AppIdentity, may_ask: Granted, trusted_apps: Collection[int]) -> list[Asked]:
    """Return what asks for something and is still to be carried out."""
    return [
        Asked(comment, asked, hand_of_agent(comment, asked, may_ask) or hand_of(comment, trusted_apps))
        # In the order in which people wrote them: "stop" after "start" must end with nothing running.
        for comment in sorted(look.everything, key=written)
        if is_new(
            comment,
            look.known,
            app_id=us.app_id,
            earliest=look.earliest_in_reviews if comment.kind in OF_REVIEWS else look.earliest,
            told=() if look.first else look.told,
        )
        and (asked := parse(comment.body))
    ]


def _without_a_sign(
    context: Context, preview: Preview, left: Sequence[Asked], may_write: Mapping[int, bool]
) -> tuple[Request, ...]:
    """Return those that wait until GitHub tells of edits, and whose author has no sign of it so far."""
    waiting = [each for each in left if _waits_for_edits(each, may_write)]
    unsigned = context.memory.edit_questions.unsigned(
        preview.name, {each.comment.request for each in waiting}
    )
    return tuple(each.request(True) for each in waiting if each.comment.request in unsigned)


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
