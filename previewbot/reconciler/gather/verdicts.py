"""What people said of a preview: whether each was edited or deleted since, and whether its author may write.

The comments are those that the look has listed anyway. The rest is one question of GraphQL's for all of them,
in looks that somebody called for, and in others once an hour; and one about each person who is new. What
GitHub cannot say keeps nobody waiting: it is shown, does not count, and is asked again.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from previewbot.api import AgentSeen, Preview, Verdict
from previewbot.api.github import MEMBERS, Account, Edits, PullRequest
from previewbot.clients.github import InstallationClient
from previewbot.errors import Invalid, NotFound, RemoteError
from previewbot.reconciler.context import Context
from previewbot.reconciler.conversation import Inbox
from previewbot.reconciler.edit_questions import EditQuestions
from previewbot.reconciler.gather.asked_for import RequestQuestion
from previewbot.reconciler.gather.writers import ASK_AGAIN, ask_whether_may_write
from previewbot.reconciler.plan.verdicts import merged
from previewbot.rules.verdicts import is_settled, kept, settles_at

log = logging.getLogger(__name__)

_ASKED_ABOUT = 10
"""The most accounts of which one look asks whether they may write."""

_A_SECOND = timedelta(seconds=1)

_ANYWAY_AFTER = timedelta(hours=1)
"""So long after the last question the next look asks, whoever called for it.

A listing does not show what was deleted, so a webhook alone tells of it, and that may be lost.
"""


async def with_verdicts(
    context: Context,
    client: InstallationClient,
    preview: Preview,
    pull_request: PullRequest,
    agent: AgentSeen | None,
    inbox: Inbox,
) -> tuple[Inbox, datetime | None]:
    """Return what a look found with its verdicts, and when to ask again about those of which not all is
    known; None if nothing is to be asked."""
    known = preview.status.verdicts
    found = kept(merged(known, inbox.said), pull_request.head.sha)
    if not found:
        context.memory.verdict_questions.forget(preview.name)
        return (replace(inbox, verdicts=()) if known else inbox), None
    moments: list[datetime | None] = []
    if preview.unseen_poke or not all(map(is_settled, found)) or _was_long_ago(context, preview.name):
        question = RequestQuestion(context, preview, pull_request, agent)
        shown = frozenset(each.id for each in inbox.said)
        found, moment = await _with_edits(context, client, question, found, shown)
        moments.append(moment)
    found, moment = await _with_writers(context, client, pull_request, inbox, found)
    moments.append(moment)
    again_at = min((each for each in moments if each is not None), default=None)
    return replace(inbox, verdicts=found), again_at


def _was_long_ago(context: Context, name: str) -> bool:
    """Return whether it is long ago that it was asked about a Preview's verdicts, or not known when."""
    asked_at = context.memory.verdicts_asked_at.get(name)
    return asked_at is None or context.now() - asked_at >= _ANYWAY_AFTER


async def _with_edits(
    context: Context,
    client: InstallationClient,
    question: RequestQuestion,
    verdicts: Sequence[Verdict],
    shown: frozenset[int],
) -> tuple[tuple[Verdict, ...], datetime | None]:
    """Return the verdicts that are still there, with whether each was edited, and when to ask again."""
    name, now = question.preview.name, context.now()
    questions, their_now = context.memory.verdict_questions, client.time_at(now)
    context.memory.verdicts_asked_at[name] = now
    try:
        edits = await _ask(client, question, verdicts)
    except RemoteError as error:
        about = {"preview": name, "verdicts": len(verdicts), "error": str(error)}
        log.warning("it cannot be asked whether verdicts were edited", extra=about)
        patience = questions.short if isinstance(error, NotFound | Invalid) else questions.patience
        return tuple(verdicts), _later(questions, name, now, patience)
    found = list[Verdict]()
    for verdict in verdicts:
        told = edits.get(verdict.node_id)
        if told is not None:
            found.append(_with_answer(verdict, told, their_now))
        elif verdict.comment in shown or not await _is_gone(client, question, verdict):
            # Its servers are not equally far, or it does not let us read this now.
            found.append(replace(verdict, asked_at=None))
    waits = [each for each in found if not is_settled(each)]
    if any(each.asked_at is None for each in waits):
        return tuple(found), _later(questions, name, now, questions.patience)
    questions.forget(name)
    if not waits:
        return tuple(found), None
    left = max(settles_at(each) for each in waits) - their_now
    return tuple(found), now + max(left, _A_SECOND) + _A_SECOND


def _with_answer(verdict: Verdict, told: Edits, their_now: datetime) -> Verdict:
    if verdict.edited or told.last_edited_at is not None:
        return replace(verdict, edited=True, asked_at=None)
    # What is known for good is not written anew with each look.
    return verdict if is_settled(verdict) else replace(verdict, asked_at=their_now)


def _later(questions: EditQuestions, name: str, now: datetime, patience: timedelta) -> datetime | None:
    """Return when to ask again what could not be answered; None once only a look asks that is called for."""
    again_at = questions.failed(name, now)
    return None if questions.is_over(name, now, patience) else again_at


async def _ask(
    client: InstallationClient, question: RequestQuestion, verdicts: Sequence[Verdict]
) -> Mapping[str, Edits]:
    ids = [each.node_id for each in verdicts if each.node_id]
    if not ids:
        return {}
    if not question.goes_beside:
        return await client.edits(ids)
    # A comment changes what the pull request was updated by, so that both are due together.
    try:
        edits, asked_for = await client.edits_and_asked_for(ids, question.node_id, question.writers)
    except RemoteError:
        question.failed()
        raise
    if asked_for is not None:
        question.note(asked_for)
    return edits


async def _is_gone(client: InstallationClient, question: RequestQuestion, verdict: Verdict) -> bool:
    """Return whether REST says so, too: GraphQL has nothing for what it fails at either."""
    base = question.pull_request.base
    try:
        return await client.comment(base.repository, question.pull_request.number, verdict.comment) is None
    except RemoteError:
        return False


async def _with_writers(
    context: Context,
    client: InstallationClient,
    pull_request: PullRequest,
    inbox: Inbox,
    verdicts: Sequence[Verdict],
) -> tuple[tuple[Verdict, ...], datetime | None]:
    """Return the verdicts with whether the author of each may write, and when to ask about the others."""
    members = {each.author.id for each in inbox.said if each.association in MEMBERS}
    unknown = {each.account: each.login for each in verdicts if each.writes is None}
    may_write, again_at = dict[int, bool](), None
    repository_id = pull_request.base.repository_id or 0
    for number, login in list(unknown.items())[:_ASKED_ABOUT]:
        account = Account(number, login)
        likely = number in members or context.memory.writers.knows(repository_id, number)
        # What strangers say costs nothing of what is kept for those that run.
        asking = client if likely else client.sparing()
        try:
            may_write[number] = await ask_whether_may_write(context, asking, pull_request, account)
        except RemoteError as error:
            about = {"login": login, "account": number, "error": str(error)}
            log.warning("it cannot be asked who somebody is", extra=about)
            moment = context.now() + max(timedelta(seconds=error.after or 0), ASK_AGAIN)
            again_at = max(again_at or moment, moment)
    if len(unknown) > _ASKED_ABOUT:
        again_at = again_at or context.now() + ASK_AGAIN
    found = tuple(
        replace(each, writes=may_write[each.account]) if each.account in may_write else each
        for each in verdicts
    )
    return found, again_at
