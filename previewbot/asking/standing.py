"""Where the preview of one commit stands, as whoever waits for it sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class State(StrEnum):
    """How it stands; all but the first two are an end, for which nobody has to wait any longer."""

    NOTHING = "nothing"
    """previewbot has said nothing of this commit (yet)."""
    WAITING = "waiting"
    READY = "ready"
    FAILED = "failed"
    ENDED = "ended"
    NEVER_TRIGGERED = "never-triggered"
    TIMED_OUT = "timed-out"

    @property
    def is_final(self) -> bool:
        """Whether waiting is over."""
        return self not in (State.NOTHING, State.WAITING)

    @property
    def exit_code(self) -> int:
        """What `previewbot wait` exits with; of a state that is no end, what it would at its time-out."""
        return _EXIT_CODES[self]


USAGE = 2
"""The exit code of wrong arguments, and of a token or bearer that is refused."""

_EXIT_CODES = {
    State.READY: 0,
    State.FAILED: 1,
    State.ENDED: 3,
    State.NEVER_TRIGGERED: 4,
    State.TIMED_OUT: 5,
    State.NOTHING: 5,
    State.WAITING: 5,
}


@dataclass(frozen=True)
class Standing:
    """Where the preview of a commit stands.

    `words` are one line for people, whoever wrote them. `turn` says whose turn it is, "" where that is not
    known. `url` and `header` are for READY alone; `header` is "" where it is not known.
    `needs_header` says that the address is staging's own, "" or not, and only what has the header reaches the
    preview. `proven` is whether its link was seen to show this commit, "" where that was not said, for READY
    alone. `bearer` lets a program past the guard, "" where there is none, or GitHub was asked, which has it
    not. `told_by` names what said so: "deployment", "check", "comment", "page", or "pull request".
    `at_last` is what NOTHING comes to if it lasts.
    """

    state: State
    words: str
    turn: str = ""
    sha: str = ""
    url: str = ""
    header: str = ""
    needs_header: bool = False
    proven: str = ""
    told_by: str = ""
    bearer: str = field(default="", repr=False)
    at_last: State = State.NEVER_TRIGGERED
