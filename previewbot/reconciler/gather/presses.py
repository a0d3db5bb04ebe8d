"""What people asked for elsewhere than in a comment, and whether each of them may."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from previewbot.api import Preview, PreviewRequest, request_from
from previewbot.api.github import Account, PullRequest
from previewbot.clients.github import InstallationClient
from previewbot.errors import RemoteError
from previewbot.reconciler.context import Context
from previewbot.reconciler.conversation import Inbox, Left
from previewbot.reconciler.gather.writers import ASK_AGAIN, ask_permission, pass_over
from previewbot.reconciler.observation import PullRequestFacts
from previewbot.reconciler.plan.presses import buttons_in, requests_of, says_in, to_ask_about, waiting

_ASKED_ABOUT = 10
"""The most accounts of which one look asks whether they may write."""


def presses_waiting(context: Context, preview: Preview) -> tuple[PreviewRequest, ...]:
    """Return what waits to be taken, as the watch last told; what cannot be read waits for nobody."""
    found = (request_from(obj) for obj in context.asked_elsewhere(preview.name))
    return waiting([each for each in found if each is not None], preview)


def says_waiting(
    context: Context, preview: Preview, facts: PullRequestFacts | None
) -> tuple[tuple[PreviewRequest, ...], bool]:
    """Return what people said who came by a proxy and were not quoted so far, and whether the settings let
    them be quoted there: by the name that GitHub gives the repository."""
    found = says_in(presses_waiting(context, preview))
    proxy, bounds = context.settings.by_proxy, facts.bounds if facts is not None else None
    repository = facts.pull_request.base.repository if facts is not None and bounds is not None else ""
    return found, proxy is not None and proxy.may_say and proxy.names(repository)


def left_to_quote(context: Context, preview: Preview, facts: PullRequestFacts | None) -> int:
    """Return of how many people's words who came by a proxy a quotation is still to be written."""
    found, quotes = says_waiting(context, preview, facts)
    return len(found) if quotes else 0


async def with_presses(
    context: Context, client: InstallationClient, preview: Preview, pull_request: PullRequest, inbox: Inbox
) -> Inbox:
    """Return what a look found, with what people ask for elsewhere behind it.

    What they may is asked at this moment, whatever whoever made the request knew; once per account.
    """
    new = buttons_in(presses_waiting(context, preview))
    if not new:
        return inbox
    new = _by_their_clock(client, new, context.now())
    levels, failed = await _who_may_what(context, client, pull_request, new)
    left = inbox.left
    if failed:
        again_at = context.now() + ASK_AGAIN
        left = replace(left, again_at=min(left.again_at, again_at)) if left else Left(again_at)
    proxy, repository = context.settings.by_proxy, pull_request.base.repository
    found = requests_of(
        new,
        levels,
        inbox.requests,
        readers_may_extend=context.settings.sign_in.readers_may_extend,
        extends_by_proxy=proxy is not None and proxy.may_extend and proxy.names(repository),
    )
    return replace(inbox, requests=found, left=left)


def _by_their_clock(
    client: InstallationClient, new: Sequence[PreviewRequest], now: datetime
) -> tuple[PreviewRequest, ...]:
    """Return these with GitHub's time for when each was made, so that they stand in one order with comments.

    The API server's clock may be ahead of ours, but what is here was made by now.
    """
    return tuple(replace(each, created_at=client.time_at(min(each.created_at, now))) for each in new)


async def _who_may_what(
    context: Context, client: InstallationClient, pull_request: PullRequest, new: Sequence[PreviewRequest]
) -> tuple[dict[int, str], bool]:
    """Return the permission of each who asks, and whether of somebody it could not be said."""
    levels, failed = dict[int, str](), False
    accounts = [Account(id, login) for id, login in to_ask_about(new).items()]
    for account in accounts[:_ASKED_ABOUT]:
        try:
            levels[account.id] = await ask_permission(context, client, pull_request, account)
        except RemoteError as error:
            pass_over(account, error)
            failed = True
    return levels, failed or len(accounts) > _ASKED_ABOUT
