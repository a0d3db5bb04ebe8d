"""What was seen of a commit's preview, as a standing: is it ready, will it be, or is it over? Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from previewbot.asking.facts import Facts
from previewbot.asking.standing import Standing, State
from previewbot.asking.told import of_facts, replaced, standing, state_of, with_link

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

_CLOSED = "Closed"

_OUTLASTS = timedelta(minutes=2)
"""A comment that is newer, and says something else for so long, is not just written before the rest."""


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

    `state` is "" while nothing was said of it; `at` is when something was said last, None if not known.
    """

    state: str = ""
    words: str = ""
    url: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class CheckRun:
    """The newest check run of the commit that is the App's and this pull request's.

    `conclusion` is "" while it goes on; `at` is when it came out, or began, None if not known.
    """

    conclusion: str = ""
    words: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class Seen:
    """What GitHub shows of a commit's preview; None stands for what is not there, or may not be read.

    `facts` are those of the comment, of whichever commit it tells; `written_at` is when it was written last,
    `now` what time it was at GitHub, None if that is not known.
    """

    pull: Pull
    deployment: Deployment | None = None
    check: CheckRun | None = None
    facts: Facts | None = None
    written_at: datetime | None = None
    now: datetime | None = None

    def comment_outlasts(self, at: datetime | None) -> bool:
        """Return whether the comment is newer than what was said at a moment, and has been for a while."""
        if at is None or self.written_at is None or self.now is None:
            return False
        return self.written_at > at and self.now - self.written_at >= _OUTLASTS


def judged(sha: str, seen: Seen) -> Standing:
    """Return how the preview of a commit stands, by what GitHub shows.

    The first that is there decides: the deployment, the check, the comment. All three say the same, but for
    the moments in which one is written after the other, and only the comment can be changed by others. Where
    the App has lost a permission, its deployment or check stays as it was, and a newer comment decides.
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
    if about is not None and _comment_decides(sha, seen, about):
        return of_facts(sha, about, told_by="comment")
    if seen.deployment is not None:
        state = _OF_A_DEPLOYMENT.get(seen.deployment.state, State.WAITING)
        found = standing(state, sha, "deployment", seen.deployment.words, about)
        return with_link(found, seen.deployment.url, seen.facts)
    if seen.check is not None:
        state = _OF_A_CHECK.get(seen.check.conclusion, State.WAITING)
        found = standing(state, sha, "check", seen.check.words, about)
        return with_link(found, (about.url if about else "") or "", seen.facts)
    if seen.facts is not None and seen.facts.head_sha:
        words = f"previewbot speaks of {seen.facts.head_sha[:7]}, and not yet of {sha[:7]}"
        return Standing(State.NOTHING, words, sha=sha)
    return Standing(State.NOTHING, f"previewbot has said nothing of {sha[:7]}", sha=sha)


def _of_another_head(sha: str, pull: Pull, ours: bool) -> Standing:
    if pull.had or ours:
        return replaced(sha, pull.head, "pull request")
    # A moment after a push GitHub may still show the head before it.
    words = f"{sha[:7]} is not the newest commit of the pull request, which is {pull.head[:7]}"
    return Standing(State.NOTHING, words, sha=sha, at_last=State.ENDED)


def _comment_decides(sha: str, seen: Seen, about: Facts) -> bool:
    """Return whether the comment, which is about this commit, counts for more than deployment and check."""
    if seen.deployment is not None:
        return _differs(sha, about, _OF_A_DEPLOYMENT.get(seen.deployment.state)) and seen.comment_outlasts(
            seen.deployment.at
        )
    if seen.check is None:
        return True
    # What waits longer than its deadline is neutral, as what was stopped is: it must not hold up a merge. The
    # comment says which of them it is.
    if seen.check.conclusion == "neutral":
        return True
    # Of a configuration file with mistakes the check fails, however well the preview runs.
    is_open = seen.check.conclusion in ("", "success")
    return (
        is_open
        and _differs(sha, about, _OF_A_CHECK.get(seen.check.conclusion))
        and seen.comment_outlasts(seen.check.at)
    )


def _differs(sha: str, about: Facts, state: State | None) -> bool:
    return state_of(sha, about) is not (state or State.WAITING)
