"""Whether comments that ask for something were edited: one question for all of them, before any is obeyed.

While GitHub cannot say it nobody guesses: the commands wait, and are looked at again with backoff. After a
while whoever wrote them is told, so that nobody waits for ever.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from previewbot.api import Requests
from previewbot.api.github import Edits
from previewbot.clients.github import InstallationClient
from previewbot.errors import Invalid, NotFound, RemoteError
from previewbot.reconciler.context import Context
from previewbot.reconciler.edit_questions import EditQuestions
from previewbot.reconciler.gather.asked_for import RequestQuestion
from previewbot.reconciler.plan.inbox import done_until
from previewbot.reconciler.plan.turns import Asked
from previewbot.rules.edited import Standing, standing_of

log = logging.getLogger(__name__)

_ASKED_ABOUT = 50
"""The most comments of one question: as many as are carried out in one look."""


async def with_standings(
    context: Context,
    client: InstallationClient,
    name: str,
    asked: Sequence[Asked],
    may_write: Mapping[int, bool],
    known: Requests,
    beside: RequestQuestion | None = None,
) -> tuple[list[Asked], datetime | None]:
    """Return what is asked for with what it is worth, and when to ask again if GitHub could not say.

    Asked about are those who may write, and nobody else: what strangers edit costs nothing here. It is a
    request more in a look that has a new command of theirs, of another budget than that of all others. What
    is due anyway is asked `beside` it.
    """
    writers = [each for each in asked if each.may_ask(may_write)][:_ASKED_ABOUT]
    questions = context.memory.edit_questions
    if not writers:
        # Whoever waited took it back. The next one waits from the beginning.
        questions.forget(name)
        return list(asked), None
    now = context.now()
    found, patience = await _ask(client, name, writers, questions, beside)
    standings = {
        each.comment.request: standing_of(
            each.comment, found.get(each.comment.node_id), done_until(each.comment, known)
        )
        for each in writers
    }
    again_at = questions.failed(name, now) if Standing.UNKNOWN in standings.values() else None
    if again_at is None or questions.is_over(name, now, patience):
        again_at = None
        standings = {request: _in_the_end(standing) for request, standing in standings.items()}
        questions.forget(name)
    edited_at = {node_id: edits.last_edited_at for node_id, edits in found.items()}
    return [
        replace(
            each,
            standing=standings.get(each.comment.request, Standing.UNKNOWN),
            edited_at=edited_at.get(each.comment.node_id),
        )
        for each in asked
    ], again_at


async def _ask(
    client: InstallationClient,
    name: str,
    writers: Sequence[Asked],
    questions: EditQuestions,
    beside: RequestQuestion | None,
) -> tuple[Mapping[str, Edits], timedelta]:
    """Return what GitHub says of the edits, and for how long to go on asking about what it does not say."""
    try:
        ids = [each.comment.node_id for each in writers]
        if beside is None:
            return await client.edits(ids), questions.patience
        edits, asked_for = await client.edits_and_asked_for(ids, beside.node_id, beside.writers)
        if asked_for is not None:
            beside.note(asked_for)
        return edits, questions.patience
    except RemoteError as error:
        if beside is not None:
            # It may be this part that GitHub does not get done, and people wait for the other.
            beside.failed()
        about = {"preview": name, "comments": len(writers), "error": str(error)}
        log.warning("it cannot be asked whether comments were edited", extra=about)
        # No such address, or no such question: to wait would not help.
        in_vain = isinstance(error, NotFound | Invalid)
        return {}, questions.short if in_vain else questions.patience


def _in_the_end(standing: Standing) -> Standing:
    """Return what counts once nobody waits any longer for what GitHub does not say."""
    return Standing.NOT_TOLD if standing is Standing.UNKNOWN else standing
