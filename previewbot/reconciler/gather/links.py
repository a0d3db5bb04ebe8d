"""Asks the link of a preview beside the passes: one that never answers holds up no pass, and no end.

The first pass that finds it due begins to ask and waits a moment, in which most links answer; if there is no
answer yet, a later pass takes it.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from previewbot.api import ChildState, Preview, Why
from previewbot.clients.links import Question
from previewbot.errors import SettingsError
from previewbot.reconciler.context import Context
from previewbot.reconciler.links_being_asked import LinkBeingAsked
from previewbot.reconciler.observation import LinkAnswer, Observation
from previewbot.reconciler.plan.guard_check import is_asked_alone
from previewbot.reconciler.plan.link_check import Inquiry, inquiry_of, is_due
from previewbot.rules import guard_bearers
from previewbot.rules.link_answers import Answer, Answers, is_refusal, verdict_of, wants_staging

MOMENT = 0.2
"""Seconds that a pass waits for an answer."""

log = logging.getLogger(__name__)


async def ask_link(context: Context, preview: Preview, observation: Observation) -> LinkAnswer | None:
    """Return what the link of a stored status answered, if that is new.

    By what is stored and not by what this pass will find: what is announced then is what was asked about, or
    it is asked again.
    """
    status, asking = preview.status, context.links_being_asked
    inquiry = inquiry_of(preview, observation.facts, context.limits, status.services, status.children)
    begun = asking.of(preview.name)
    if inquiry is None or (begun is not None and begun.of != inquiry.of):
        asking.forget(preview.name)
        begun = None
    if inquiry is None:
        return None
    deadline, now = context.limits.session_deadline, context.now()
    if begun is None:
        # Of what sleeps by now the stored status does not tell yet.
        asleep = any(found.serving and found.state is ChildState.IDLE for found in observation.found)
        if asleep or not is_due(inquiry, status.link, status.services, deadline, now):
            return None
        again = is_asked_alone(inquiry.asked, status.link, inquiry.of)
        task = asyncio.create_task(_ask(context, inquiry, _addresses(inquiry, observation), again=again))
        begun = LinkBeingAsked(inquiry.of, task, now, again)
        asking.note(preview.name, begun)
    await asyncio.wait({begun.task}, timeout=MOMENT)
    if not begun.task.done():
        return None
    asking.forget(preview.name)
    if begun.task.cancelled():
        return None
    answers = _result(begun.task)
    _say(preview, inquiry, answers, again=begun.again)
    return LinkAnswer(inquiry.of, context.now(), answers, begun.again)


async def _ask(context: Context, inquiry: Inquiry, addresses: tuple[str, ...], *, again: bool) -> Answers:
    """Ask the link, and what else it takes to tell what its answer means; `again` only as a stranger."""
    async with context.links_being_asked.turn:
        question = Question(inquiry.url, addresses)
        if inquiry.asked.guarded:
            guarded = _past_the_guard(context, inquiry, question)
            if guarded is None:
                return Answers(Answer(failure=Why.GUARD_NOT_ASKED))
            stranger, question, keys = guarded
            seen = await context.links.ask(stranger)
            # Nobody who was not refused is told our bearer: it would be the first thing that they are told.
            if not is_refusal(inquiry.asked, seen):
                return Answers(seen, early=inquiry.is_early(context.now()), unguarded=True)
            # What the preview's own code may say, too, is no proof: then it is no more than who refuses us.
            if again or not _is_proven(context, inquiry, stranger, seen, keys):
                return Answers(seen)
        link = await context.links.ask(question)
        if wants_staging(inquiry.asked, link):
            early = inquiry.is_early(context.now())
            staging = None
            if inquiry.staging:
                staging = await context.links.ask(replace(question, host=inquiry.staging, bearer=""))
            return Answers(link, staging=staging, early=early)
        if link.failure is not None:
            return Answers(link)
        checks = inquiry.asked.checks
        found: list[Answer] = await asyncio.gather(
            *(
                context.links.ask(replace(question, url=inquiry.at(path), reads_body=True))
                for path in checks.values()
            )
        )
        return Answers(link, dict(zip(checks, found, strict=True)))


def _past_the_guard(
    context: Context, inquiry: Inquiry, question: Question
) -> tuple[Question, Question, tuple[bytes, ...]] | None:
    """Return the question as a stranger asks it and as we do, and the keys; None if these cannot be read.

    The stranger has a bearer of another preview and says that it is that one which is asked for. So it is
    refused only where the guard is asked, and asked about the very host that the request is for.
    """
    gateway = context.limits.gateway
    assert gateway is not None
    now = context.now()
    try:
        keys = context.guard_keys()
        theirs, pretends = guard_bearers.of_a_stranger(keys, gateway.domain, now)
        ours = guard_bearers.of_a_question(keys, inquiry.asked.key, gateway.domain, now)
    except (SettingsError, ValueError) as error:
        log.error("no link can be asked past the guard", extra={"error": str(error)})
        return None
    return replace(question, bearer=theirs, pretends=pretends), replace(question, bearer=ours), keys


def _is_proven(
    context: Context, inquiry: Inquiry, stranger: Question, seen: Answer, keys: tuple[bytes, ...]
) -> bool:
    gateway = context.limits.gateway
    assert gateway is not None
    return guard_bearers.is_proven(keys, seen.proof, stranger.bearer, inquiry.asked.key, gateway.domain)


def _result(task: asyncio.Task[Answers]) -> Answers:
    """Return what asking came to; whatever goes wrong with it must not keep a preview from ending."""
    try:
        return task.result()
    except Exception:
        log.exception("a link could not be asked")
        return Answers(Answer(failure=Why.OTHER))


def _addresses(inquiry: Inquiry, observation: Observation) -> tuple[str, ...]:
    """Return where the Gateway is, for a link through it whose name is not known in the cluster."""
    return observation.gateway.state.addresses if inquiry.through_gateway else ()


def _say(preview: Preview, inquiry: Inquiry, answers: Answers, *, again: bool) -> None:
    """Say in the log what became of a link, where that is new."""
    verdict, before = verdict_of(inquiry.asked, answers), preview.status.link
    if again:
        about = {"preview": preview.name, "answered": verdict.answered}
        if verdict.why is Why.UNGUARDED:
            log.error("the guard is gone: a stranger gets in, the link is taken back", extra=about)
        return
    if (before.question, before.proven, before.why) != (inquiry.of, verdict.proven, verdict.why):
        about = {"preview": preview.name, "proven": verdict.proven, "why": verdict.why}
        log.info("asked a link", extra={**about, "answered": verdict.answered})
