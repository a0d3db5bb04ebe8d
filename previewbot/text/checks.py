"""What the check of a commit says, beside how the preview stands; and what of that it does not say."""

from __future__ import annotations

from dataclasses import dataclass, replace

from previewbot.api import (
    AskedIn,
    ConfigurationProblem,
    Phase,
    Preview,
    Reason,
    Reply,
    Says,
    Severity,
    Status,
    Verdict,
)
from previewbot.text.standing import standing_of

BUTTONS = {"start": "Start", "stop": "Stop", "extend": "2 h longer"}
"""What a button of a check says, by the command that it means."""

PAGE_BUTTONS = {
    "start": "Start again",
    "stop": "Stop it",
    "extend": "2 hours longer",
    "restart": "Start it afresh",
    "reset": "Copy its databases anew",
}
"""What a button of a page says, in the same way."""

_COMES_BY_ITSELF = (Severity.PROGRESS, Severity.GOOD)


@dataclass(frozen=True)
class CheckSaid:
    """What a check is about: `waits` while it is in progress, `superseded` once another commit is the newest.

    `off`: no checks are written here any more. `queued`: it is that of a merge queue's own commit. `mistakes`
    are those that the change writes into the configuration file, `answers` what is said to whoever pressed
    something at this check, oldest first.
    """

    waits: bool = False
    superseded: bool = False
    off: bool = False
    queued: bool = False
    mistakes: tuple[ConfigurationProblem, ...] = ()
    answers: tuple[Reply, ...] = ()


@dataclass(frozen=True)
class VerdictsSaid:
    """What the check of verdicts is about: those that `count` for its commit, newest first.

    `superseded` once another commit is the newest; `off`: no such checks are written here any more; `over`:
    nobody is asked any more. `say_url` is where one says what one thinks.
    """

    count: tuple[Verdict, ...] = ()
    superseded: bool = False
    off: bool = False
    over: bool = False
    say_url: str = ""

    @property
    def need_work(self) -> tuple[Verdict, ...]:
        """Those that ask for work."""
        return tuple(each for each in self.count if each.says is Says.WORK)


def answers_to_presses(status: Status, head_sha: str = "") -> tuple[Reply, ...]:
    """Return the newest answers to what was pressed at a check, oldest first: of all, or of one commit."""
    return tuple(
        reply
        for reply in status.replies
        if reply.request.kind == AskedIn.CHECK_RUN and head_sha in ("", reply.head_sha)
    )


def answers_on_the_page(status: Status) -> tuple[Reply, ...]:
    """Return the newest answers to what was pressed on the preview's page, oldest first."""
    return tuple(reply for reply in status.replies if reply.request.kind == AskedIn.PAGE)


def steady(preview: Preview) -> Preview:
    """Return a Preview without what comes and goes by itself, and is no news for whoever reads a check.

    Each visitor wakes a preview that sleeps; each edit of a check is a request.
    """
    status = preview.status
    if status.phase is not Phase.IDLE:
        return preview
    return replace(preview, status=replace(status, phase=Phase.READY, reason=Reason.ALL_READY))


def is_on_its_way(preview: Preview, said: CheckSaid) -> bool:
    """Return whether there is nothing to say but that it is being made: not by which step it stands."""
    status = preview.status
    return (
        said.waits and status.phase is not Phase.QUEUED and standing_of(status).severity in _COMES_BY_ITSELF
    )
