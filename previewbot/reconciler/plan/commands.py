"""Commands: their effect is a change of status, written in the same update as the request's id.

So a command works once, whatever crashes: either both the effect and the id are stored, or neither. A new
command is a function here, an entry in `_COMMANDS`, its name in `rules.commands`, and its words in the
templates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from previewbot.api import Correctable, Ended, Goal, Phase, Reason, Reply, RequestKind, Said, Status
from previewbot.api.github import PullRequest
from previewbot.engine import mirrord
from previewbot.reconciler.children.step import mark_outdated
from previewbot.reconciler.conversation import Hand, Request
from previewbot.reconciler.observation import PullRequestFacts
from previewbot.reconciler.plan.inbox import correctable, with_correctable, with_handled
from previewbot.reconciler.plan.lifecycle import record_facts, without_end
from previewbot.reconciler.plan.refusals import refuse
from previewbot.rules.commands import IN_REVIEWS, MOST_COMMANDS, NAMES, Command, CommandName, UnknownCommand
from previewbot.rules.edited import Standing


@dataclass(frozen=True)
class Given:
    """A command with what its effect depends on; `ttl_max` bounds `extend`."""

    command: Command
    request: Request
    pull_request: PullRequest
    ttl_max: timedelta
    now: datetime


@dataclass(frozen=True)
class _Answer:
    """The answer that a command gets: a reaction and words, or a goal that the reaction waits for."""

    reaction: str = ""
    words: str = ""
    values: Mapping[str, str] | None = None
    goal: Goal | None = None


Effect = tuple[Status, _Answer]


def apply_request(
    status: Status, request: Request, *, facts: PullRequestFacts, ttl_max: timedelta, now: datetime
) -> Status:
    """Return the status after a request, with the answer owed to it and its id among the handled ones.

    All of its commands, in their order: what comes of them is stored in one write, and so none is carried out
    twice.
    """
    if not request.granted:
        return refuse(status, [request])
    before = correctable(status.requests, request.id)
    if before is not None and not _is_edit_since(before, request):
        return with_correctable(status, request.id, _as_it_stands(request))
    if not request.standing.counts:
        status = _owe_reply(status, request, [_refusal(_NOT_OBEYED[request.standing])])
        return with_handled(with_correctable(status, request.id, None), request.id)
    answers = list[_Answer]()
    for asked in request.asked:
        if isinstance(asked, UnknownCommand):
            answers.append(_not_understood(asked))
            continue
        if request.id.kind != RequestKind.ISSUE_COMMENT and asked.name not in IN_REVIEWS:
            answers.append(_not_in_a_review(asked))
            continue
        status, answer = _apply(status, Given(asked, request, facts.pull_request, ttl_max, now))
        answers.append(answer)
        # What a command started triggers a preview, and the next command goes by that.
        status = record_facts(status, facts, now)
    # In the same write as the answer: what was obeyed is never carried out again in other words.
    in_vain = all(answer.reaction == "confused" for answer in answers)
    status = _owe_reply(status, request, answers)
    status = with_correctable(status, request.id, _as_it_stands(request) if in_vain else None)
    return with_handled(status, request.id)


def show_eyes(status: Status, request: Request) -> Status:
    """Return the status that owes a sign to somebody whose command is seen and cannot be carried out yet."""
    reply = Reply(request=request.id, author=request.actor, command=_names(request) or "?", reaction="eyes")
    return _with_reply(status, reply)


def _is_edit_since(before: Correctable, request: Request) -> bool:
    """Return whether it was edited since it was answered, and not only touched by GitHub."""
    if request.standing is Standing.NOT_TOLD:
        return True
    edited_at = request.edited_at
    return edited_at is not None and (before.edited_at is None or edited_at > before.edited_at)


def _as_it_stands(request: Request) -> Correctable | None:
    if request.updated_at is None or request.id.kind != RequestKind.ISSUE_COMMENT:
        return None
    return Correctable(request.id, request.updated_at, request.edited_at)


def settle_replies(status: Status) -> Status:
    """Turn the reactions that wait for a goal into given ones, once it is reached or out of reach."""
    if not any(reply.goal for reply in status.replies):
        return status
    return replace(status, replies=tuple(_settle_reply(status, reply) for reply in status.replies))


def _apply(status: Status, given: Given) -> Effect:
    if given.pull_request.state == "closed" and given.command.name not in _HARMLESS:
        return status, _refusal("closed")
    effect = _COMMANDS[given.command.name]
    if given.command.name not in _ORDERS or given.request.id.kind != RequestKind.ISSUE_COMMENT:
        return effect(status, given)
    newest = status.requests.newest_order
    # Who has write access without being a member may be found out late, or GitHub showed the comment late.
    # "start" after a newer "stop" would run what nobody wants any more.
    if given.request.id.id < newest:
        return status, _refusal("overtaken")
    status, answer = effect(status, given)
    # Where nothing ran, "stop" still means that nothing is to run.
    if answer.reaction != "confused" or given.command.name == "stop":
        requests = replace(status.requests, newest_order=given.request.id.id)
        status = replace(status, requests=requests)
    return status, answer


def _help(status: Status, given: Given) -> Effect:
    return status, _Answer("rocket", given.command.name)


def _start(status: Status, given: Given) -> Effect:
    command, pull_request = given.command, given.pull_request
    head = pull_request.head.sha
    # Not even an App that the settings trust approves a fork: an assistant that read the fork's text may have
    # been talked into it, and it writes in the name of somebody who never saw the commit.
    if pull_request.is_fork and given.request.hand is not Hand.OWN:
        return status, _refusal("fork-through-app", sha=head)
    # Nor does an edit: who pushed may have seen the refusal, and what is approved must be what was read when
    # the comment was written.
    if pull_request.is_fork and given.request.standing is not Standing.AS_WRITTEN:
        return status, _refusal("fork-through-edit", sha=head)
    # A fork's code is run only when somebody with write access names the whole commit. A short SHA is not
    # enough: another commit with the same beginning can be made and pushed between the reading and the
    # command.
    if pull_request.is_fork and (command.sha is None or len(command.sha) != len(head)):
        return status, _refusal("fork-needs-sha", sha=head)
    if command.sha is not None and not head.startswith(command.sha):
        return status, _refusal("sha-mismatch", sha=head)
    lifecycle = status.lifecycle
    approved = not pull_request.is_fork or lifecycle.approved_sha == head
    running = lifecycle.ended is None and status.runs
    # If one of several services failed, `start` is not refused as "running already": it tries that one again.
    # Nor where the agent's policy left services for a person to start.
    more = bool(status.observed.held_back) and given.request.hand is not Hand.AGENT
    if running and approved and not more and status.reason is not Reason.PARTIAL:
        return status, _Answer("rocket", "already-running")
    if lifecycle.ended is not None:
        lifecycle = without_end(lifecycle)
    if pull_request.is_fork:
        lifecycle = replace(lifecycle, approved_sha=head)
    lifecycle = replace(lifecycle, started_by=given.request.actor)
    # A failure holds until the commit changes, or until somebody asks for another try: that is here.
    children = tuple(
        replace(c, failed_attempt="", message="", recreations=0) if c.failed_attempt or c.recreations else c
        for c in status.children
    )
    # The phase is from before the command; a goal must not be judged by it.
    return replace(status, lifecycle=lifecycle, children=children, phase=None), _Answer(goal=Goal.RUNNING)


def _restart(status: Status, given: Given) -> Effect:
    """Do what `start` does, and replace the sessions that run; what they work on stays."""
    # Without a phase, `start` does not stop at a preview that runs.
    started, answer = _start(replace(status, phase=None), given)
    if answer.goal is None:
        return status, answer
    return _afresh(started), answer


def _afresh(status: Status) -> Status:
    """Return a status by which each session that runs is replaced before it counts as one that runs."""
    children = tuple(
        mark_outdated(child) if child.kind == mirrord.KIND else child for child in status.children
    )
    return replace(status, children=children)


def _stop(status: Status, given: Given) -> Effect:
    if not _is_wanted(status):
        return status, _refusal("not-running")
    ended = Ended(
        reason=Reason.BY_COMMAND,
        at=given.now,
        by=given.request.actor,
        head_sha=status.observed.head_sha,
    )
    lifecycle = replace(status.lifecycle, ended=ended, expires_at=None)
    # Of "stop" and "start" in one comment, or right behind each other, something is expected: a fresh start.
    return _afresh(replace(status, lifecycle=lifecycle, phase=None)), _Answer(goal=Goal.STOPPED)


def _extend(status: Status, given: Given) -> Effect:
    command, lifecycle = given.command, status.lifecycle
    if command.duration is None:
        return status, _refusal("bad-duration", text=command.text)
    if not _is_wanted(status):
        return status, _refusal("not-running")
    if lifecycle.ready_at is None or lifecycle.expires_at is None:
        return status, _refusal("extend-too-early")
    # Counted from the first Ready and not from now: else a preview could be extended for ever.
    latest = lifecycle.ready_at + given.ttl_max
    if lifecycle.expires_at >= latest:
        return status, _refusal("extend-at-limit", until=lifecycle.expires_at.isoformat())
    until = min(lifecycle.expires_at + command.duration, latest)
    extended = replace(status, lifecycle=replace(lifecycle, expires_at=until))
    return extended, _Answer("rocket", "extended", {"until": until.isoformat()})


_COMMANDS: Mapping[CommandName, Callable[[Status, Given], Effect]] = {
    "start": _start,
    "restart": _restart,
    "stop": _stop,
    "extend": _extend,
    "status": _help,
    "help": _help,
}
_HARMLESS: frozenset[CommandName] = frozenset({"status", "help"})
"""What may be asked of a closed pull request too."""

_ORDERS: frozenset[CommandName] = frozenset({"start", "restart", "stop"})
"""Of these the newest counts, in whatever order they are read."""

_NOT_OBEYED: Mapping[Standing, str] = {
    Standing.LATE: "edited-late",
    Standing.BY_OTHER: "edited-by-other",
    Standing.NOT_TOLD: "edits-not-told",
}

_REPLIES_KEPT = 100
"""Where more answers are owed than this, nobody waits for the oldest any more."""


def _is_wanted(status: Status) -> bool:
    """Whether a preview runs, or is on its way."""
    return status.lifecycle.ended is None and bool(status.observed.trigger)


def _refusal(words: str = "", **values: str) -> _Answer:
    return _Answer("confused", words, values)


def _not_understood(asked: UnknownCommand) -> _Answer:
    if asked.apart:
        return _refusal("told-apart", suggestion=asked.suggestion or "")
    if asked.unread:
        return _refusal("too-many-commands", text=asked.text, most=str(MOST_COMMANDS))
    return _refusal("unknown-command", text=asked.text, suggestion=asked.suggestion or "")


def _not_in_a_review(asked: Command) -> _Answer:
    """Return the answer to what counts in the conversation only, with the line to write there."""
    line = " ".join(["/preview", asked.name, *([asked.sha] if asked.sha else [])])
    there = " ".join(name for name in NAMES if name in IN_REVIEWS)
    return _refusal("not-in-a-review", text=line, there=there)


def _owe_reply(status: Status, request: Request, answers: Sequence[_Answer]) -> Status:
    """Return the status that owes one answer to all that was asked at once: its worst outcome counts."""
    reactions = {answer.reaction for answer in answers}
    # What comes last is what is to be: of "stop" and "start" only the latter can still be waited for.
    goal = next((answer.goal for answer in reversed(answers) if answer.goal), None)
    best = "" if goal else "rocket"
    said = [Said(answer.words, dict(answer.values or {})) for answer in answers if answer.words]
    reply = Reply(
        request=request.id,
        author=request.actor,
        command=_names(request),
        reaction="confused" if "confused" in reactions else best,
        goal=goal,
        # A comment that was answered before gets another answer only for another edit.
        edited_at=request.edited_at if correctable(status.requests, request.id) else None,
    ).saying([each for index, each in enumerate(said) if each not in said[:index]])
    return _with_reply(status, reply)


def _names(request: Request) -> str:
    return " ".join(dict.fromkeys(asked.name for asked in request.asked if isinstance(asked, Command)))


def _with_reply(status: Status, reply: Reply) -> Status:
    """Return the status that owes this answer, in the place of an older one to the same request."""
    others = (each for each in status.replies if each.request != reply.request)
    return replace(status, replies=(*others, reply)[-_REPLIES_KEPT:])


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
    if reply.goal is Goal.STOPPED:
        return _settle_stop(status, reply)
    return reply


def _settle_start(status: Status, reply: Reply) -> Reply:
    phase = status.phase
    if status.runs:
        return _settled(reply, "rocket")
    if phase is Phase.AWAITING_APPROVAL:
        # The fork was pushed to after the command: what it approved is not the head any more.
        return _settled(reply, "confused", "fork-needs-sha", sha=status.observed.head_sha)
    if phase in _OVER or phase is Phase.FAILED:
        # The status comment may be silent about why a start came to nothing.
        words = _WHY_NOT.get(status.reason, "") if status.reason else ""
        return _settled(reply, "confused", words)
    return reply


def _settle_stop(status: Status, reply: Reply) -> Reply:
    if status.phase in _OVER:
        return _settled(reply, "rocket")
    if status.lifecycle.ended is None and status.phase not in (None, Phase.STOPPING):
        # A later command started it again.
        return _settled(reply, "confused")
    return reply


_OVER = (Phase.STOPPED, Phase.EXPIRED, Phase.NOTHING_TO_PREVIEW)
_WHY_NOT: Mapping[Reason, str] = {
    Reason.NO_SERVICE_CHANGED: "nothing-to-preview",
    Reason.NO_CONFIGURATION: "no-configuration",
    Reason.CONFIGURATION_INVALID: "configuration-invalid",
    Reason.CONFIGURATION_NOT_ALLOWED: "configuration-not-allowed",
}
