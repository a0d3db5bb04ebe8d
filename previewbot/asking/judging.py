"""What was seen of a commit's preview, as a standing: is it ready, will it be, or is it over? Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from previewbot.asking.facts import Facts
from previewbot.asking.standing import Standing, State

_OF_A_DEPLOYMENT = {
    "success": State.READY,
    "failure": State.FAILED,
    "error": State.FAILED,
    "inactive": State.ENDED,
}
"""https://docs.github.com/en/rest/deployments/statuses; all other states mean that it goes on."""

_OF_A_CHECK = {
    "success": State.READY,
    "failure": State.FAILED,
    "neutral": State.ENDED,
    "cancelled": State.ENDED,
    "timed_out": State.ENDED,
    "stale": State.ENDED,
    "skipped": State.NEVER_TRIGGERED,
}
"""https://docs.github.com/en/rest/checks/runs; `action_required` means that it goes on."""

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
_CLOSED = "Closed"
_NO_LINK = "the preview is ready, and its link is nowhere to be read"


@dataclass(frozen=True)
class Pull:
    """A pull request as GitHub shows it; `had` says that the commit asked about was its head once."""

    head: str
    is_open: bool = True
    is_merged: bool = False
    had: bool = False


@dataclass(frozen=True)
class Deployment:
    """The newest deployment of the commit that is the App's and this pull request's.

    `state` is "" while nothing was said of it.
    """

    state: str = ""
    words: str = ""
    url: str = ""


@dataclass(frozen=True)
class CheckRun:
    """The newest check run of the commit that is the App's and this pull request's.

    `conclusion` is "" while it goes on.
    """

    conclusion: str = ""
    words: str = ""


@dataclass(frozen=True)
class Seen:
    """What GitHub shows of a commit's preview; None stands for what is not there, or may not be read.

    `facts` are those of the comment, of whichever commit it tells.
    """

    pull: Pull
    deployment: Deployment | None = None
    check: CheckRun | None = None
    facts: Facts | None = None


def judged(sha: str, seen: Seen) -> Standing:
    """Return how the preview of a commit stands, by what GitHub shows.

    The first that is there decides: the deployment, the check, the comment. All three say the same, but for
    the moments in which one is written after the other, and only the comment can be changed by others.
    """
    found = _judged(sha, seen)
    about = seen.facts
    if (
        found.state is State.ENDED
        and seen.pull.is_open
        and seen.pull.head == sha
        and about is not None
        and (about.head_sha, about.reason) == (sha, _CLOSED)
    ):
        # Opened again: what was said when it was closed stands there until previewbot has heard of it.
        return Standing(State.NOTHING, f"previewbot has yet to hear of the reopening at {sha[:7]}", sha=sha)
    return found


def _judged(sha: str, seen: Seen) -> Standing:
    pull = seen.pull
    if not pull.is_open:
        how = "merged" if pull.is_merged else "closed"
        return Standing(State.ENDED, f"the pull request was {how}", sha=sha, told_by="pull request")
    about = seen.facts if seen.facts is not None and seen.facts.head_sha == sha else None
    ours = seen.deployment is not None or seen.check is not None or about is not None
    if pull.head != sha:
        return _of_another_head(sha, pull, ours)
    if seen.deployment is not None:
        state = _OF_A_DEPLOYMENT.get(seen.deployment.state, State.WAITING)
        found = _standing(state, sha, "deployment", seen.deployment.words, about)
        return _with_link(found, seen.deployment.url, seen.facts)
    if seen.check is not None and not _comment_knows_more(seen.check, about):
        state = _OF_A_CHECK.get(seen.check.conclusion, State.WAITING)
        found = _standing(state, sha, "check", seen.check.words, about)
        return _with_link(found, (about.url if about else "") or "", seen.facts)
    if about is not None:
        return of_facts(sha, about, told_by="comment")
    if seen.facts is not None and seen.facts.head_sha:
        words = f"previewbot speaks of {seen.facts.head_sha[:7]}, and not yet of {sha[:7]}"
        return Standing(State.NOTHING, words, sha=sha)
    return Standing(State.NOTHING, f"nothing of previewbot's speaks of {sha[:7]}", sha=sha)


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
            return _replaced(sha, facts.head_sha or "", told_by)
        of = f"{facts.head_sha[:7]}, and not of {sha[:7]}" if facts.head_sha else "no commit yet"
        return Standing(State.NOTHING, f"previewbot speaks of {of}", sha=sha)
    state = _OF_A_PHASE.get(facts.phase or "", State.WAITING)
    if state is State.READY and not _shows(sha, facts):
        state = State.WAITING
    return _with_link(_standing(state, sha, told_by, "", facts), facts.url or "", facts)


def _shows(sha: str, facts: Facts) -> bool:
    """Return whether whoever opens the link meets this commit, as far as that was seen."""
    serving = {service.serving_sha for service in facts.services if service.serving_sha}
    return facts.proven != "No" and (facts.serving_sha == sha or serving == {sha})


def _of_another_head(sha: str, pull: Pull, ours: bool) -> Standing:
    if pull.had or ours:
        return _replaced(sha, pull.head, "pull request")
    # A moment after a push GitHub may still show the head before it.
    words = f"{sha[:7]} is not the newest commit of the pull request, which is {pull.head[:7]}"
    return Standing(State.NOTHING, words, sha=sha)


def _replaced(sha: str, by: str, told_by: str) -> Standing:
    words = f"{by[:7] or 'another commit'} has taken the place of {sha[:7]}"
    return Standing(State.ENDED, words, sha=sha, told_by=told_by)


def _comment_knows_more(check: CheckRun, about: Facts | None) -> bool:
    """Return whether the check is `neutral` where the comment says of this commit what that means."""
    # What waits longer than its deadline is neutral, as what was stopped is: it must not hold up a merge.
    return check.conclusion == "neutral" and about is not None


def _standing(state: State, sha: str, told_by: str, words: str, about: Facts | None) -> Standing:
    said = (about.words if about and _agrees(about, state) else "") or words or _WORDS.get(state, "")
    turn = (about.turn if about and not state.is_final else "") or ""
    if about and state is State.FAILED:
        turn = about.turn or ""
    return Standing(state, said, turn=turn, sha=sha, told_by=told_by)


def _agrees(about: Facts, state: State) -> bool:
    """Return whether the comment says the same; one that was written before the rest may not yet."""
    of_phase = _OF_A_PHASE.get(about.phase or "", State.WAITING)
    return of_phase is state or (of_phase is State.READY and state is State.WAITING)


def _with_link(found: Standing, url: str, facts: Facts | None) -> Standing:
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
    return replace(found, words=words, url=link, header=header, needs_header=needs_header)
