"""What people asked for elsewhere than in a comment, and whether each of them may."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from previewbot.api import Preview, PreviewRequest, request_from
from previewbot.api.github import PullRequest
from previewbot.clients.github import InstallationClient
from previewbot.errors import QuotaKept, RemoteError, Unauthorized
from previewbot.reconciler.context import Context
from previewbot.reconciler.conversation import Inbox, Left
from previewbot.reconciler.plan.presses import requests_of, to_ask_about, waiting

_ASKED_ABOUT = 10
"""The most accounts of which one look asks whether they may write."""

_ASK_AGAIN = timedelta(seconds=30)

log = logging.getLogger(__name__)


def presses_waiting(context: Context, preview: Preview) -> tuple[PreviewRequest, ...]:
    """Return what waits to be taken, as the watch last told; what cannot be read waits for nobody."""
    found = (request_from(obj) for obj in context.asked_elsewhere(preview.name))
    return waiting([each for each in found if each is not None], preview)


async def with_presses(
    context: Context, client: InstallationClient, preview: Preview, pull_request: PullRequest, inbox: Inbox
) -> Inbox:
    """Return what a look found, with what people ask for elsewhere behind it.

    What they may is asked at this moment, whatever whoever made the request knew; once per account.
    """
    new = presses_waiting(context, preview)
    if not new:
        return inbox
    may_write, failed = await _who_may_write(context, client, pull_request, new)
    left = inbox.left
    if failed:
        again_at = context.now() + _ASK_AGAIN
        left = replace(left, again_at=min(left.again_at, again_at)) if left else Left(again_at)
    return replace(inbox, requests=requests_of(new, may_write, inbox.requests), left=left)


async def _who_may_write(
    context: Context, client: InstallationClient, pull_request: PullRequest, new: Sequence[PreviewRequest]
) -> tuple[dict[int, bool], bool]:
    """Return which of those who ask may write, and whether of somebody it could not be said."""
    base, may_write, failed = pull_request.base, dict[int, bool](), False
    accounts = list(to_ask_about(new).items())
    for account, login in accounts[:_ASKED_ABOUT]:
        try:
            permission = await client.permission(base.repository, login, account)
        except RemoteError as error:
            if isinstance(error, QuotaKept | Unauthorized) or error.after is not None:
                raise
            # One account of which GitHub says nothing must not keep others' requests waiting.
            about = {"login": login, "account": account, "error": str(error)}
            log.warning("it cannot be asked who somebody is", extra=about)
            failed = True
            continue
        may_write[account] = permission in ("admin", "write")
        context.memory.writers.note(base.repository_id or 0, account, may_write[account])
    return may_write, failed or len(accounts) > _ASKED_ABOUT
