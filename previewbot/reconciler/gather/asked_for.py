"""What a pull request was asked for: the issues that it closes, or else where its agent worked on it.

It stands beside the result and decides nothing. So a GitHub that cannot say it keeps nobody waiting.
"""

from __future__ import annotations

import asyncio
import logging

from previewbot.api import IssuesUnknown, Preview
from previewbot.api.github import AskedFor
from previewbot.errors import Forbidden, RemoteError
from previewbot.reconciler.context import Context
from previewbot.reconciler.observation import PullRequestFacts
from previewbot.reconciler.request_questions import Cause
from previewbot.rules.asked_for import Requested, seen_of

log = logging.getLogger(__name__)

_PATIENCE = 5.0
"""Seconds. A session is not made later for the sake of a line in the comment."""


async def ask_for_request(context: Context, preview: Preview, facts: PullRequestFacts) -> Requested | None:
    """Return what is known of the request, asked now if that is due; None if it was never asked."""
    pull_request, agent, known = facts.pull_request, facts.agent, context.settings.agents.known
    if not pull_request.node_id:
        # An Enterprise Server from before GraphQL's ids stood in REST's answers.
        return None
    questions, cause, now = context.memory.request_questions, Cause.of(pull_request, agent), context.now()
    if not questions.is_due(preview.name, cause, now):
        return questions.last_answer(preview.name)
    asked = await _ask(context, preview, facts)
    answer = seen_of(asked, pull_request, agent, known)
    note = questions.failed if asked.unknown is IssuesUnknown.ANSWER else questions.answered
    note(preview.name, cause, answer, now)
    return answer


async def _ask(context: Context, preview: Preview, facts: PullRequestFacts) -> AskedFor:
    agent = facts.agent
    row = context.settings.agents.known.by_key.get(agent.key) if agent is not None else None
    # What is left of the hour at its end is for looks and answers.
    client = context.client_for(preview).sparing()
    try:
        async with asyncio.timeout(_PATIENCE):
            return await client.asked_for(facts.pull_request.node_id, sorted(row.ids) if row else [])
    except Forbidden as error:
        unknown, said = IssuesUnknown.PERMISSION, str(error)
    except RemoteError as error:
        unknown, said = IssuesUnknown.ANSWER, str(error)
    except TimeoutError:
        unknown, said = IssuesUnknown.ANSWER, f"no answer within {_PATIENCE:g} s"
    about = {"preview": preview.name, "error": said}
    log.info("it cannot be asked which issues a pull request closes", extra=about)
    return AskedFor(unknown=unknown)
