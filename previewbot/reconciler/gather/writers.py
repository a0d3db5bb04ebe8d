"""Who of those that write commands may: asked of few in each look, the likely ones first."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from previewbot.api.github import MEMBERS, Account, Comment, PullRequest
from previewbot.clients.github import InstallationClient
from previewbot.errors import QuotaKept, RemoteError, Unauthorized
from previewbot.reconciler.context import Context
from previewbot.reconciler.plan.presses import WRITING
from previewbot.reconciler.plan.requeue import SOON
from previewbot.reconciler.plan.turns import Asked

log = logging.getLogger(__name__)

_LOOKUPS = 25
"""The most accounts of a kind (members, others) that one look asks GitHub about."""

_LOOKUP_PATIENCE = timedelta(seconds=10)
"""How long a look goes on asking who people are: far less than it may take in all, however slow GitHub is."""

ASK_AGAIN = timedelta(seconds=30)
"""When it is asked again about somebody of whom GitHub could say nothing."""


async def who_may_write(
    context: Context, client: InstallationClient, pull_request: PullRequest, asked: Sequence[Asked]
) -> tuple[dict[int, bool], datetime]:
    """Return which of some accounts may write, and when to ask about the others.

    It is asked at this moment, and not known from when they wrote; once per account. Anybody can write
    commands under as many names as they like, so each look asks about few: likely ones first, the others from
    the oldest command on, and never with what is left of the hour's requests for others.
    """
    likely, others = _people(context, pull_request, asked)
    may_write: dict[int, bool] = {}
    began, again_at = context.now(), None
    # Who wrote the oldest command is among the first two, and is asked about however slow GitHub is: what
    # others wrote is gone through from there on, and each look must get on.
    first = [*likely[:1], *others[:1]]
    for account in (*first, *likely[1:_LOOKUPS], *others[1:_LOOKUPS]):
        if account not in first and context.now() - began >= _LOOKUP_PATIENCE:
            break
        asking = client if account in likely else client.sparing()
        try:
            may_write[account.id] = await ask_whether_may_write(context, asking, pull_request, account)
        except RemoteError as error:
            # What members wrote is carried out all the same.
            if account in likely:
                raise
            if isinstance(error, QuotaKept):
                moment = context.now() + timedelta(seconds=error.after or SOON)
                again_at = max(again_at or moment, moment)
            else:
                pass_over(account, error)
                again_at = again_at or context.now() + ASK_AGAIN
    return may_write, again_at or context.now() + timedelta(seconds=SOON)


async def ask_whether_may_write(
    context: Context, client: InstallationClient, pull_request: PullRequest, account: Account
) -> bool:
    """Return whether an account may write to the repository of a pull request, now; raises RemoteError."""
    return await ask_permission(context, client, pull_request, account) in WRITING


async def ask_permission(
    context: Context, client: InstallationClient, pull_request: PullRequest, account: Account
) -> str:
    """Return what an account may do in a pull request's repository, now: `admin`, `write`, `read` or `none`.

    Raises RemoteError.
    """
    base = pull_request.base
    found = await client.permission(base.repository, account.login, account.id)
    context.memory.writers.note(base.repository_id or 0, account.id, found in WRITING)
    return found


def pass_over(account: Account, error: RemoteError) -> None:
    """Say in the log that GitHub could tell nothing of an account; raises an error that is about more.

    What it cannot say of one, which anybody may have made so, must not keep all others from being obeyed.
    """
    if error.after is not None or isinstance(error, QuotaKept | Unauthorized):
        raise error
    about = {"login": account.login, "account": account.id, "error": str(error)}
    log.warning("it cannot be asked who somebody is", extra=about)


def _people(
    context: Context, pull_request: PullRequest, asked: Sequence[Asked]
) -> tuple[list[Account], list[Account]]:
    """Return the accounts of which it matters whether they may write: the likely ones, and the others."""
    # Of each account the first command gives it its place, and the newest the login: those can be renamed.
    people = {each.comment.author.id: each.comment for each in asked if each.counts}
    likely, others = list[Account](), list[Account]()
    for comment in people.values():
        (likely if _is_likely(context, pull_request, comment) else others).append(comment.author)
    return likely, others


def _is_likely(context: Context, pull_request: PullRequest, comment: Comment) -> bool:
    repository_id = pull_request.base.repository_id or 0
    return comment.association in MEMBERS or context.memory.writers.knows(repository_id, comment.author.id)
