"""`start`, `restart` and `stop`: what should run."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from previewbot.api import Goal, Phase, Reason, Status, StoppedService
from previewbot.engine import mirrord
from previewbot.reconciler.children.step import mark_outdated
from previewbot.reconciler.conversation import Hand
from previewbot.reconciler.plan.commands.given import (
    Answer,
    Effect,
    Given,
    changed_names,
    is_wanted,
    refusal,
    unknown_service,
    with_shared,
)
from previewbot.reconciler.plan.lifecycle import ended_by, without_end
from previewbot.rules.edited import Standing

_WHOLE_SHA = 40


def start(status: Status, given: Given) -> Effect:
    """Begin, or begin again; with names only these services, or these as well where others run."""
    pull_request, head = given.pull_request, given.pull_request.head.sha
    sha, services = _commit_and_services(given)
    asked = with_shared(status, given.facts, services)
    refused = _refused_commit(given, sha) or unknown_service(asked, given.facts, services)
    if refused is not None:
        return status, refused
    lifecycle, started_by = status.lifecycle, _starts_for(status, given)
    by_name = asked.lifecycle.by_name
    kept_back = given.facts.held_back(replace(lifecycle, started_by=started_by, by_name=by_name))
    if (left := next((name for name in services if name in kept_back), None)) is not None:
        return status, refusal("left-for-a-person", service=left)
    stopped = _left_stopped(asked, given, services, kept_back)
    same = (stopped, by_name) == (lifecycle.stopped, lifecycle.by_name)
    if same and _is_running(status, given, services):
        return status, Answer("rocket", "already-running")
    if lifecycle.ended is not None:
        lifecycle = without_end(lifecycle)
    if pull_request.is_fork:
        lifecycle = replace(lifecycle, approved_sha=head)
    lifecycle = replace(lifecycle, started_by=started_by, stopped=stopped, by_name=by_name)
    # A failure holds until the commit changes, or until somebody asks for another try: that is here.
    children = tuple(
        replace(c, failed_attempt="", message="", recreations=0)
        if (c.failed_attempt or c.recreations) and (not services or any(map(c.is_of, services)))
        else c
        for c in status.children
    )
    # The phase is from before the command; a goal must not be judged by it.
    started = replace(status, lifecycle=lifecycle, children=children, phase=None)
    return started, Answer(goal=Goal.RUNNING, services=services)


def restart(status: Status, given: Given) -> Effect:
    """Do what `start` does, and replace the sessions that run; what they work on stays."""
    # Without a phase, `start` does not stop at a preview that runs. What was stopped by name stays so.
    stopped = status.lifecycle.stopped
    if not set(changed_names(status, given.facts)) - {each.name for each in stopped}:
        stopped = ()
    started, answer = start(replace(status, phase=None), given)
    if answer.goal is None:
        return status, answer
    lifecycle = replace(started.lifecycle, stopped=stopped)
    if is_wanted(status) and status.observed.held_back:
        # Nor does it start what an agent's policy leaves for a person to start.
        lifecycle = replace(lifecycle, started_by=status.lifecycle.started_by)
    return _afresh(replace(started, lifecycle=lifecycle)), answer


def stop(status: Status, given: Given) -> Effect:
    """End the preview, or some of its services; of the last one that is the same."""
    names = given.command.services
    if (unknown := unknown_service(status, given.facts, names)) is not None:
        return status, unknown
    if not is_wanted(status):
        return status, refusal("not-running")
    lifecycle, stopped = status.lifecycle, {each.name for each in status.lifecycle.stopped}
    started = given.facts.started(lifecycle) if given.facts.config else None
    running = [
        name
        for name in changed_names(status, given.facts)
        if name not in stopped and (started is None or name in started)
    ]
    if names and not set(names) & set(running):
        return status, refusal("service-not-running", service=names[0])
    if names and set(running) - set(names):
        lifecycle = replace(lifecycle, stopped=(*lifecycle.stopped, *_stopped(given, names, stopped)))
        status = _afresh(replace(status, lifecycle=lifecycle, phase=None), names)
        return status, Answer(goal=Goal.STOPPED, services=names)
    ended = ended_by(status, Reason.BY_COMMAND, given.now, by=given.request.actor)
    lifecycle = replace(lifecycle, ended=ended, expires_at=None)
    # Of "stop" and "start" in one comment, or right behind each other, something is expected: a fresh start.
    return _afresh(replace(status, lifecycle=lifecycle, phase=None)), Answer(goal=Goal.STOPPED)


def _refused_commit(given: Given, sha: str | None) -> Answer | None:
    """Return why this commit is not started by this command; None if it may be."""
    pull_request, head = given.pull_request, given.pull_request.head.sha
    if given.request.hand is Hand.PRESSED and sha != head:
        return refusal("button-of-older-commit")
    # What web's token can make in anybody's name must not have a stranger's code run.
    if given.request.hand is Hand.PRESSED and pull_request.is_fork:
        return refusal("fork-through-button", sha=head)
    # Not even an App that the settings trust approves a fork: an assistant that read the fork's text may have
    # been talked into it, and it writes in the name of somebody who never saw the commit.
    if pull_request.is_fork and given.request.hand is not Hand.OWN:
        return refusal("fork-through-app", sha=head)
    # Nor does an edit: who pushed may have seen the refusal, and what is approved must be what was read when
    # the comment was written.
    if pull_request.is_fork and given.request.standing is not Standing.AS_WRITTEN:
        return refusal("fork-through-edit", sha=head)
    # A fork's code is run only when somebody with write access names the whole commit. A short SHA is not
    # enough: another commit with the same beginning can be made and pushed between the reading and the
    # command.
    if pull_request.is_fork and (sha is None or len(sha) != len(head)):
        return refusal("fork-needs-sha", sha=head)
    if sha is not None and not head.startswith(sha):
        return refusal("sha-mismatch", sha=head)
    return None


def _is_running(status: Status, given: Given, services: Collection[str]) -> bool:
    """Return whether a start of these services, or of all, would change nothing about what runs."""
    if status.lifecycle.ended is not None or not status.runs:
        return False
    if given.pull_request.is_fork and status.lifecycle.approved_sha != given.pull_request.head.sha:
        return False
    # What an agent's policy left is for a person to start.
    left = set(status.observed.held_back) if given.request.hand is not Hand.AGENT else set[str]()
    if left.intersection(services) if services else left:
        return False
    # If one of several services failed, it is tried again.
    return not _has_failed(status, services)


def _commit_and_services(given: Given) -> tuple[str | None, tuple[str, ...]]:
    """Return the commit and the services that a command names.

    A service may have a name like the beginning of a commit; who writes one that there is means the service.
    """
    sha, services = given.command.sha, given.command.services
    config = given.facts.config
    if sha is None or len(sha) == _WHOLE_SHA or config is None or given.command.name != "start":
        return sha, services
    if any(each.name == sha for each in config.services):
        return None, (sha, *services)
    return sha, services


def _starts_for(status: Status, given: Given) -> str:
    """Return for whom a start is: an agent's own takes nothing away of what a person started before."""
    before = status.lifecycle.started_by
    keeps = bool(before) and is_wanted(status) and given.request.hand is Hand.AGENT
    return before if keeps else given.request.actor


def _left_stopped(
    status: Status, given: Given, services: Collection[str], kept_back: Collection[str]
) -> tuple[StoppedService, ...]:
    """Return what stays stopped, or is left out, after a start of these services; of none it is all.

    `kept_back` does not start by this command anyway.
    """
    if not services:
        return ()
    if is_wanted(status):
        # What an agent's policy held back is not started by naming something else.
        held = given.facts.held_back(status.lifecycle)
        held = tuple(name for name in held if name not in (*services, *kept_back))
        still = tuple(each for each in status.lifecycle.stopped if each.name not in services)
        return (*still, *_stopped(given, held, {each.name for each in still}))
    others = [name for name in changed_names(status, given.facts) if name not in services]
    return _stopped(given, others, ())


def _stopped(given: Given, names: Sequence[str], before: Collection[str]) -> tuple[StoppedService, ...]:
    by = given.request.actor
    return tuple(StoppedService(name, by, given.now) for name in names if name not in before)


def _has_failed(status: Status, services: Collection[str]) -> bool:
    if not services:
        return status.reason is Reason.PARTIAL
    return any(each.phase is Phase.FAILED for each in status.services if each.name in services)


def _afresh(status: Status, services: Collection[str] = ()) -> Status:
    """Return a status by which sessions that run are replaced before they count as running; none: all."""
    children = tuple(
        mark_outdated(child)
        if child.kind == mirrord.KIND and (not services or child.service in services)
        else child
        for child in status.children
    )
    return replace(status, children=children)
