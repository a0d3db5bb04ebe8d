"""Commands: their effect is a change of status, written in the same update as the request's id.

So a command works once, whatever crashes: either both the effect and the id are stored, or neither. What a
command does is a function here, with an entry in `_EFFECTS`; how it is written is in `rules.commands`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from previewbot.api import OF_REVIEWS, Status
from previewbot.reconciler.conversation import Request
from previewbot.reconciler.observation import LogsRead, PullRequestFacts
from previewbot.reconciler.plan.commands.answering import beside, owe_reply, settle_replies, show_eyes
from previewbot.reconciler.plan.commands.asking import extend, logs, tell
from previewbot.reconciler.plan.commands.corrections import NOT_OBEYED, as_it_stands, is_edit_since
from previewbot.reconciler.plan.commands.given import Answer, Effect, Given, refusal
from previewbot.reconciler.plan.commands.newest import is_overtaken, with_order
from previewbot.reconciler.plan.commands.orders import restart, start, stop
from previewbot.reconciler.plan.commands.resetting import reset
from previewbot.reconciler.plan.commands.suggesting import not_in_a_review, not_understood
from previewbot.reconciler.plan.inbox import correctable, with_correctable, with_handled
from previewbot.reconciler.plan.lifecycle import record_facts
from previewbot.reconciler.plan.refusals import refuse
from previewbot.rules.commands import NAMED, Command, CommandName, UnknownCommand
from previewbot.rules.edited import Standing

__all__ = ["Given", "apply_request", "settle_replies", "show_eyes"]


def apply_request(
    status: Status,
    request: Request,
    *,
    facts: PullRequestFacts,
    ttl_max: timedelta,
    now: datetime,
    logs: LogsRead | None = None,
) -> Status:
    """Return the status after a request, with the answer owed to it and its id among the handled ones.

    All of its commands, in their order: what comes of them is stored in one write, and so none is carried out
    twice. `logs` is what was read for it.
    """
    if request.too_many:
        return with_handled(owe_reply(status, request, [refusal("too-many-presses")]), request.id)
    if not request.granted:
        return refuse(status, [request])
    if request.standing is Standing.SEEN:
        return with_handled(status, request.id)
    before = correctable(status.requests, request.id)
    if before is not None and not is_edit_since(before, request):
        return with_correctable(status, request.id, as_it_stands(request))
    if not request.standing.counts:
        status = owe_reply(status, request, [refusal(NOT_OBEYED[request.standing])])
        return with_handled(with_correctable(status, request.id, None), request.id)
    answers, read = list[Answer](), logs or LogsRead()
    for asked in request.asked:
        if isinstance(asked, UnknownCommand):
            answers.append(not_understood(status, asked, facts.pull_request, read))
            continue
        if request.id.kind in OF_REVIEWS and not NAMED[asked.name].in_reviews:
            answers.append(not_in_a_review(asked, read))
            continue
        status, answer = _apply(status, Given(asked, request, facts, ttl_max, now, read))
        answers.append(answer)
        # What a command started triggers a preview, and the next command goes by that.
        status = record_facts(status, facts, now)
    # In the same write as the answer: what was obeyed is never carried out again in other words.
    in_vain = all(answer.reaction == "confused" for answer in answers)
    status = owe_reply(status, request, [*answers, *beside(request, answers)])
    status = with_correctable(status, request.id, as_it_stands(request) if in_vain else None)
    return with_handled(status, request.id)


def _apply(status: Status, given: Given) -> Effect:
    definition = NAMED[given.command.name]
    if given.pull_request.state == "closed" and not definition.when_closed:
        return status, refusal("merged" if given.pull_request.merged else "closed")
    effect = _EFFECTS[given.command.name]
    if not definition.is_order:
        return effect(status, given)
    if is_overtaken(given.request, status.requests):
        return status, refusal("overtaken")
    status, answer = effect(status, given)
    # Where nothing ran, "stop" still means that nothing is to run.
    if answer.reaction != "confused" or given.command == Command("stop"):
        status = replace(status, requests=with_order(status.requests, given.request))
    return status, answer


_EFFECTS: Mapping[CommandName, Callable[[Status, Given], Effect]] = {
    "start": start,
    "restart": restart,
    "reset": reset,
    "stop": stop,
    "extend": extend,
    "status": tell,
    "logs": logs,
    "help": tell,
}
