"""Asks for comments by their numbers that a webhook told of and the conversation does not show."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from previewbot.api import Unseen
from previewbot.api.github import Comment, PullRequest
from previewbot.clients.github import InstallationClient
from previewbot.errors import RemoteError
from previewbot.reconciler.plan.late import asked_in_vain, is_due

log = logging.getLogger(__name__)

_ASKED_FOR = 5
"""The most that one look asks for: who deletes comments at once decides how many there are."""


async def ask_for_late_ones(
    client: InstallationClient, pull_request: PullRequest, unseen: Sequence[Unseen], now: datetime
) -> tuple[list[Comment], tuple[Unseen, ...]]:
    """Return those that GitHub has after all, and those that are to be looked for again.

    A request for each, a few times in ten minutes, and none in a look without any. Nothing is asked with
    what is kept of the hour's requests for others.
    """
    found, left, asked = list[Comment](), list[Unseen](), 0
    repository, sparing = pull_request.base.repository, client.sparing()
    for each in unseen:
        if asked >= _ASKED_FOR or not is_due(each, now):
            left.append(each)
            continue
        asked += 1
        try:
            comment = await sparing.comment(repository, pull_request.number, each.id)
        except RemoteError as error:
            # Nothing is known of it, and the rest of the look goes on.
            log.info("a comment cannot be asked for", extra={"comment": each.id, "error": str(error)})
            left.append(replace(each, asked_at=now))
            continue
        if comment is not None:
            found.append(comment)
        elif (again := asked_in_vain(each, now)) is not None:
            left.append(again)
    return found, tuple(left)
