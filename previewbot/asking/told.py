"""What previewbot itself says of a preview, as a standing: by its JSON, or by the block in its comment. Pure.

It says when a preview is ready, and when it failed, as its deployments do (`rules/deployments.py`).
"""

from __future__ import annotations

from dataclasses import replace

from previewbot.api.phases import Severity, Waits
from previewbot.api.reasons import Reason
from previewbot.asking.facts import Facts, ServiceFacts
from previewbot.asking.standing import Standing, State

_OF_A_PHASE = {
    "Ready": State.READY,
    "Idle": State.READY,
    "Failed": State.FAILED,
    "Stopping": State.ENDED,
    "Stopped": State.ENDED,
    "Expired": State.ENDED,
    "NothingToPreview": State.NEVER_TRIGGERED,
}
"""docs/reasons.md; all other phases, and those of a newer previewbot, mean that it goes on."""

_WORDS = {
    State.WAITING: "previewbot is at work",
    State.READY: "the preview is ready",
    State.FAILED: "the preview failed",
    State.ENDED: "the preview has ended",
    State.NEVER_TRIGGERED: "there is nothing to preview",
}
_WITH_HEADER = "Send the header with each request: without it staging answers."
_NO_LINK = "the preview is ready, and its link is nowhere to be read"
_GOOD, _WARNING, _BAD, _NOBODY = "good", "warning", "bad", "nobody"


def of_facts(sha: str, facts: Facts | None, *, told_by: str = "page", had: bool = False) -> Standing:
    """Return how the preview of a commit stands, by what previewbot itself says.

    `had` says that it spoke of this commit before.
    """
    if facts is None:
        if had:
            return Standing(State.ENDED, "previewbot has no preview any more", sha=sha, told_by=told_by)
        return Standing(State.NOTHING, "previewbot has no preview of this pull request", sha=sha)
    if facts.head_sha != sha:
        if had:
            return replaced(sha, facts.head_sha or "", told_by)
        if not facts.head_sha:
            return Standing(State.NOTHING, "previewbot speaks of no commit yet", sha=sha)
        words = f"previewbot speaks of {facts.head_sha[:7]}, and not of {sha[:7]}"
        # It knows the newest commit alone: this one is on its way, or was replaced before anybody asked.
        return Standing(State.NOTHING, words, sha=sha, at_last=State.ENDED)
    return with_link(standing(state_of(sha, facts), sha, told_by, "", facts), facts.url or "", facts)


def state_of(sha: str, facts: Facts) -> State:
    """Return the state of a commit by facts that are about it."""
    state = _OF_A_PHASE.get(facts.phase or "", State.WAITING)
    if state not in (State.READY, State.WAITING):
        return state
    # An older previewbot does not say how bad it is.
    if state is State.READY and facts.severity in (_GOOD, "", None) and _shows(sha, facts):
        return State.READY
    return State.FAILED if _needs_somebody(facts) else State.WAITING


def _shows(sha: str, facts: Facts) -> bool:
    """Return whether whoever opens the link meets this commit, as far as that was seen."""
    serving = {service.serving_sha for service in facts.services if service.serving_sha}
    return facts.proven != "No" and (facts.serving_sha == sha or serving == {sha})


def _needs_somebody(facts: Facts) -> bool:
    """Return whether it will not run well before somebody does something."""
    if Reason(facts.reason or "").info.waits is Waits.LINK:
        # The services run; the link may show them yet, without anybody's doing.
        return False
    if facts.severity == _BAD:
        return True
    runs = _OF_A_PHASE.get(facts.phase or "") is State.READY
    is_somebodys = facts.severity == _WARNING and facts.turn not in (_NOBODY, "", None)
    return runs and is_somebodys and not any(map(_goes_on, facts.services))


def _goes_on(service: ServiceFacts) -> bool:
    """Return whether what keeps a service from running well mostly passes by itself."""
    if _OF_A_PHASE.get(service.phase or "") is State.READY and service.problem is None:
        return False
    reason = (service.problem.reason if service.problem else "") or service.reason or ""
    return reason != "" and Reason(reason).info.severity is Severity.PROGRESS


def replaced(sha: str, by: str, told_by: str) -> Standing:
    """Return the standing of a commit whose place another took."""
    words = f"{by[:7] or 'another commit'} has taken the place of {sha[:7]}"
    return Standing(State.ENDED, words, sha=sha, told_by=told_by)


def standing(state: State, sha: str, told_by: str, words: str, about: Facts | None) -> Standing:
    """Return a standing with the best words there are: those of the facts, if they say the same."""
    said = (about.words if about and _agrees(about, state) else "") or words or _WORDS.get(state, "")
    turn = (about.turn if about and not state.is_final else "") or ""
    if about and state is State.FAILED:
        turn = about.turn or ""
    return Standing(state, said, turn=turn, sha=sha, told_by=told_by)


def _agrees(about: Facts, state: State) -> bool:
    """Return whether the facts say the same; what was written before the rest may not yet."""
    told = state_of(about.head_sha or "", about)
    return told is state or (told is State.READY and state is State.WAITING)


def with_link(found: Standing, url: str, facts: Facts | None) -> Standing:
    """Return what is ready with its link; the header is the pull request's, whichever commit runs."""
    if found.state is not State.READY:
        return found
    header = (facts.header if facts else "") or ""
    about = facts if facts is not None and facts.head_sha == found.sha else None
    link = url or (about.url if about else "") or ""
    # Without a Gateway the address is staging's, and without the header it is staging that answers.
    needs_header = about is not None and about.link_kind == "Header"
    if not link and not (needs_header and header):
        return Standing(State.WAITING, _NO_LINK, sha=found.sha, told_by=found.told_by)
    words = f"{found.words} {_WITH_HEADER}" if needs_header else found.words
    proven = (about.proven if about else "") or ""
    bearer = (about.bearer if about else "") or ""
    return replace(
        found,
        words=words,
        url=link,
        header=header,
        needs_header=needs_header,
        proven=proven,
        bearer=bearer,
    )
