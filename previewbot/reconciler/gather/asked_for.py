"""What a pull request was asked for: the issues that it closes, or else where its agent worked on it.

It stands beside the result and decides nothing. So a GitHub that cannot say it keeps nobody waiting.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from previewbot.api import AgentSeen, IssuesUnknown, Preview
from previewbot.api.asked_for import AskedFor
from previewbot.api.github import PullRequest
from previewbot.errors import Forbidden, RemoteError
from previewbot.reconciler.context import Context
from previewbot.reconciler.observation import PullRequestFacts
from previewbot.reconciler.request_questions import Cause
from previewbot.rules.asked_for import Requested, seen_of

log = logging.getLogger(__name__)

_PATIENCE = 5.0
"""Seconds. A session is not made later for the sake of a line in the comment."""


@dataclass(frozen=True)
class RequestQuestion:
    """The question what one pull request was asked for: asked alone, or beside another of GraphQL's."""

    context: Context
    preview: Preview
    pull_request: PullRequest
    agent: AgentSeen | None

    @property
    def node_id(self) -> str:
        """Its pull request's name in GraphQL; empty on servers whose REST does not tell it."""
        return self.pull_request.node_id

    @property
    def writers(self) -> list[int]:
        """The accounts whose comments may name the agent's session: its own."""
        key = self.agent.key if self.agent is not None else ""
        row = self.context.settings.agents.known.by_key.get(key)
        return sorted(row.ids) if row is not None else []

    @property
    def is_due(self) -> bool:
        """Whether it should be asked in this look."""
        questions = self.context.memory.request_questions
        return bool(self.node_id) and questions.is_due(self.preview.name, self._cause, self.context.now())

    @property
    def goes_beside(self) -> bool:
        """Whether it may be asked beside another: it is due, there was a reason to ask it before, and it was
        answered then. What GitHub fails at must not have the other one fail too."""
        failing = self.context.memory.request_questions.is_failing(self.preview.name)
        return self.preview.status.observed.request is not None and self.is_due and not failing

    def note(self, asked: AskedFor) -> Requested:
        """Remember an answer; return what is kept of it."""
        questions, name = self.context.memory.request_questions, self.preview.name
        answer = seen_of(asked, self.pull_request, self.agent, self.context.settings.agents.known)
        note = questions.failed if asked.unknown is IssuesUnknown.ANSWER else questions.answered
        note(name, self._cause, answer, self.context.now())
        return answer

    def failed(self) -> None:
        """Remember that there was no answer: it is asked again later, and alone."""
        self.note(AskedFor(unknown=IssuesUnknown.ANSWER))

    @property
    def _cause(self) -> Cause:
        return Cause.of(self.pull_request, self.agent)


async def ask_for_request(context: Context, preview: Preview, facts: PullRequestFacts) -> Requested | None:
    """Return what is known of the request, asked now if that is due; None if it was never asked."""
    question = RequestQuestion(context, preview, facts.pull_request, facts.agent)
    if question.is_due:
        return question.note(await _ask(question))
    return context.memory.request_questions.last_answer(preview.name) if question.node_id else None


async def _ask(question: RequestQuestion) -> AskedFor:
    preview = question.preview
    # What is left of the hour at its end is for looks and answers.
    client = question.context.client_for(preview).sparing()
    try:
        async with asyncio.timeout(_PATIENCE):
            return await client.asked_for(question.node_id, question.writers)
    except Forbidden as error:
        unknown, said = IssuesUnknown.PERMISSION, str(error)
    except RemoteError as error:
        unknown, said = IssuesUnknown.ANSWER, str(error)
    except TimeoutError:
        unknown, said = IssuesUnknown.ANSWER, f"no answer within {_PATIENCE:g} s"
    about = {"preview": preview.name, "error": said}
    log.info("it cannot be asked which issues a pull request closes", extra=about)
    return AskedFor(unknown=unknown)
