"""The answer that is owed to a request: of all its commands, and what its reaction waits for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from previewbot.api import Goal, Phase, Reason, Reply, Said, Status
from previewbot.reconciler.conversation import Request
from previewbot.reconciler.plan.commands.given import Answer
from previewbot.reconciler.plan.inbox import correctable
from previewbot.rules.commands import Command, written

_REPLIES_KEPT = 100
"""Where more answers are owed than this, nobody waits for the oldest any more."""


def owe_reply(status: Status, request: Request, answers: Sequence[Answer]) -> Status:
    """Return the status that owes one answer to all that was asked at once: its worst outcome counts."""
    reactions = {answer.reaction for answer in answers}
    # What comes last is what is to be: of "stop" and "start" only the latter can still be waited for.
    waits = next((answer for answer in reversed(answers) if answer.goal), Answer())
    best = "" if waits.goal else "rocket"
    said = [each for answer in answers for each in answer.said]
    reply = Reply(
        request=request.id,
        author=request.actor,
        command=_names(request),
        reaction="confused" if "confused" in reactions else best,
        goal=waits.goal,
        services=waits.services,
        place=request.place,
        head_sha=request.head_sha,
        # A comment that was answered before gets another answer only for another edit.
        edited_at=request.edited_at if correctable(status.requests, request.id) else None,
    ).saying([each for index, each in enumerate(said) if each not in said[:index]])
    return _with_reply(status, reply)


def beside(request: Request, answers: Sequence[Answer]) -> Sequence[Answer]:
    """Return what is said of those commands of a comment that count although others are refused.

    The one reaction is that of the refusal, and nobody should have to guess what became of the others.
    """
    counting = [
        written(asked)
        for asked, answer in zip(request.asked, answers, strict=True)
        if isinstance(asked, Command) and answer.reaction != "confused"
    ]
    if not counting or len(counting) == len(answers):
        return ()
    return (Answer(words="others-count", values={"obeyed": "\n".join(dict.fromkeys(counting))}),)


def show_eyes(status: Status, request: Request) -> Status:
    """Return the status that owes a sign to somebody whose command is seen and cannot be carried out yet."""
    reply = Reply(request=request.id, author=request.actor, command=_names(request) or "?", reaction="eyes")
    return _with_reply(status, reply)


def _names(request: Request) -> str:
    return " ".join(dict.fromkeys(asked.name for asked in request.asked if isinstance(asked, Command)))


def _with_reply(status: Status, reply: Reply) -> Status:
    """Return the status that owes this answer, in the place of an older one to the same request."""
    others = (each for each in status.replies if each.request != reply.request)
    return replace(status, replies=(*others, reply)[-_REPLIES_KEPT:])


def settle_replies(status: Status) -> Status:
    """Turn the reactions that wait for a goal into given ones, once it is reached or out of reach."""
    if not any(reply.goal for reply in status.replies):
        return status
    return replace(status, replies=tuple(_settle_reply(status, reply) for reply in status.replies))


def _settled(reply: Reply, reaction: str, words: str = "", **values: str) -> Reply:
    """Return an answer whose goal is reached, or out of reach, with what there is to say of it."""
    reply = replace(reply, reaction=reply.reaction or reaction, goal=None)
    # Words are given once for a comment. What turns out after that is in the reaction and the status comment.
    if not words or reply.worded or Said(words, values) in reply.said:
        return reply
    return reply.saying([*reply.said, Said(words, values)])


def _settle_reply(status: Status, reply: Reply) -> Reply:
    if reply.goal is Goal.RUNNING:
        return _settle_start(status, reply)
    if reply.goal is Goal.STOPPED and reply.services:
        return _settle_stop_of_services(status, reply)
    if reply.goal is Goal.STOPPED:
        return _settle_stop(status, reply)
    return reply


def _settle_start(status: Status, reply: Reply) -> Reply:
    phase = status.phase
    if status.reason is Reason.INSTALLATION_SUSPENDED:
        # It goes on where it was once that is lifted, and until then nothing can be said on GitHub.
        return reply
    named = [each for each in status.services if each.name in reply.services]
    if status.runs and all(each.phase.runs for each in named) and (named or not reply.services):
        return _settled(reply, "rocket")
    if status.runs and any(each.phase is Phase.FAILED for each in named):
        return _settled(reply, "confused")
    if phase is Phase.AWAITING_APPROVAL:
        # The fork was pushed to after the command: what it approved is not the head any more.
        return _settled(reply, "confused", "fork-needs-sha", sha=status.observed.head_sha)
    if phase in _OVER or phase is Phase.FAILED:
        # The status comment may be silent about why a start came to nothing.
        words = _WHY_NOT.get(status.reason, "") if status.reason else ""
        return _settled(reply, "confused", words)
    if reply.services and not named and phase is not Phase.STOPPING:
        # A later command stopped them, or they are not in the file any more.
        return _settled(reply, "confused")
    return reply


def _settle_stop(status: Status, reply: Reply) -> Reply:
    if status.phase in _OVER:
        return _settled(reply, "rocket")
    if status.lifecycle.ended is None and status.phase not in (None, Phase.STOPPING):
        # A later command started it again.
        return _settled(reply, "confused")
    return reply


def _settle_stop_of_services(status: Status, reply: Reply) -> Reply:
    stopped = {each.name for each in status.lifecycle.stopped}
    if status.lifecycle.ended is None and not stopped.issuperset(reply.services):
        return _settled(reply, "confused")
    going = any(child.service in reply.services for child in status.children)
    return reply if going else _settled(reply, "rocket")


_OVER = (Phase.STOPPED, Phase.EXPIRED, Phase.NOTHING_TO_PREVIEW)
_WHY_NOT: Mapping[Reason, str] = {
    Reason.NO_SERVICE_CHANGED: "nothing-to-preview",
    Reason.NO_CONFIGURATION: "no-configuration",
    Reason.CONFIGURATION_INVALID: "configuration-invalid",
    Reason.CONFIGURATION_NOT_ALLOWED: "configuration-not-allowed",
}
