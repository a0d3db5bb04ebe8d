"""Glances at GitHub: one question instead of a look, where everything may be as it was."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from previewbot.api import OF_REVIEWS, Preview, Status
from previewbot.api.github import PullRequest
from previewbot.clients.github import InstallationClient
from previewbot.errors import QuotaKept, RemoteError
from previewbot.reconciler.bounded import keep
from previewbot.reconciler.context import Context
from previewbot.reconciler.conversation import Inbox
from previewbot.reconciler.gather.reviews import may_be_corrected
from previewbot.reconciler.observation import PullRequestFacts
from previewbot.reconciler.plan.inbox import COMMENT, REVIEW_OVERLAP
from previewbot.reconciler.plan.late import told_of, without_shown
from previewbot.rules import images
from previewbot.rules.glances import as_now, is_explained, no_review_since, nothing_was_said

_PATIENCE_SECONDS = 10.0
"""How long a glance may take: a look has to fit behind it."""

_NOT_AGAIN_FOR = timedelta(minutes=10)
"""So long none is taken in an installation where one failed."""

_FAILURES_KEPT = 1_000

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Glimpse:
    """What a glance told: the pull request, and what its conversation says, if nothing new.

    None is what is to be read.
    """

    client: InstallationClient
    pull_request: PullRequest | None
    inbox: Inbox | None


async def glance_at(
    context: Context, preview: Preview, facts: PullRequestFacts | None, now: datetime, *, sparing: bool
) -> Glimpse | None:
    """Ask what changed since the look that found these facts; None if GitHub does not tell.

    Only where that look found all, and nothing is waited for that a delivery or the status tells of. What
    goes wrong with the question is no error: a look finds out.
    """
    if facts is None or not facts.pull_request.node_id or not _is_settled(preview, facts, now):
        return None
    installation_id, failures = preview.spec.installation_id, context.memory.glances_failed
    if installation_id in failures and now - failures[installation_id] < _NOT_AGAIN_FOR:
        return None
    client = context.client_for(preview)
    client = client.sparing() if sparing else client
    before = facts.pull_request
    try:
        us = await context.github.identity(installation_id)
        async with asyncio.timeout(_PATIENCE_SECONDS):
            seen = await client.glance(before.node_id)
    except QuotaKept:
        # Not sent, and kept for those that run: theirs are answered, in this installation too.
        return None
    except (RemoteError, TimeoutError) as error:
        # A question that hangs, or that an older server does not know, must not take each look's time.
        keep(failures, installation_id, now, _FAILURES_KEPT)
        log.info("no glance at a pull request", extra={"preview": preview.name, "error": str(error)})
        return None
    pull_request = None if _needs_test_merge(facts) else as_now(seen, before)
    inbox = None
    heard = context.memory.heard.get(preview.name)
    if heard is not None and nothing_was_said(seen, heard, us.bot_id):
        # Reviews are read because the listing found that something changed: unless that is explained. An edit
        # of one shows in no glance, and its delivery names a review that was read already.
        explained = is_explained(seen, before) and no_review_since(
            seen, preview.status.requests.reviews_as_of, REVIEW_OVERLAP
        )
        corrected = may_be_corrected(preview, client.time_at(now))
        reviews = not corrected and (explained or not preview.must_read_reviews)
        inbox = _quiet(context, preview, now) if reviews else None
    return Glimpse(client, pull_request, inbox)


def _is_settled(preview: Preview, facts: PullRequestFacts, now: datetime) -> bool:
    if facts.bounds is None or facts.lagging or facts.again_at is not None or facts.unseen_at is not None:
        return False
    status, poke, requests = preview.status, preview.poke, preview.status.requests
    told = without_shown(told_of(requests, poke, now), requests, ())
    in_reviews = any(
        poke.told(kind) not in (0, requests.place(kind).told) or requests.place(kind).left
        for kind in OF_REVIEWS
    )
    return not told and not in_reviews and not _is_being_written(status)


def _is_being_written(status: Status) -> bool:
    """Return whether something of ours may stand in the conversation of which the status does not know."""
    if not status.report(COMMENT).id:
        return True
    # What is kept by a part of its name (a commit's check, somebody quoted) is found by a whole look.
    intents = [report.intent_at for key, report in status.reports.items() if not report.id and "/" not in key]
    return any((*intents, *(reply.intent_at for reply in status.replies)))


def _needs_test_merge(facts: PullRequestFacts) -> bool:
    services = facts.config.services if facts.config else ()
    return any(images.counts_merges(service.image) for service in services)


def _quiet(context: Context, preview: Preview, now: datetime) -> Inbox:
    """Return what a look at a conversation finds in which there is nothing new."""
    known = preview.status.requests
    return Inbox(
        refusals_left=context.memory.refusals.left(preview.spec.installation_id, now),
        earlier=context.memory.conversations.of(preview.name),
        # Nothing new in reviews either, as of this pull request's time.
        places={} if preview.must_read_reviews else None,
        read_at=known.read_at,
        unseen=known.unseen,
        told_comment_id=known.told_comment_id,
    )
