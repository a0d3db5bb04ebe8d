"""What was reported of a preview: in which words, and when they were edited."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from previewbot.api.value import Value

QUOTED = "quoted"
"""Under this name `status.reports` has when people were quoted who came by a proxy (`edits`); under it, a
slash and the number of a request what was announced of it."""


@dataclass(frozen=True)
class Refusal(Value):
    """That GitHub does not take a text (by its hash) for good, since when, and what it said."""

    hash: str
    at: datetime
    status: int
    message: str


@dataclass(frozen=True)
class Report(Value):
    """What was reported in one place: its id there, the hash of what was written last.

    `intent_at` is when we announced that we are about to create it, or (with an `id`) to change it: after a
    crash in between it is looked for, or written anew, whatever it says. `edits` are the moments of the last
    hour in which it was edited, `told` stands for what of its words is never held back, and `held_until` says
    when words that were are written. `place` is the number of the issue in which it stands, or is announced;
    0 is the pull request. `tries` is how often in a row it could not be written for a passing reason, where
    it is tried again at `held_until`. `adopted`: it was found there, and not created by this Preview.
    """

    id: int = 0
    hash: str = ""
    intent_at: datetime | None = None
    refusal: Refusal | None = None
    edits: tuple[datetime, ...] = ()
    told: str = ""
    held_until: datetime | None = None
    place: int = 0
    tries: int = 0
    adopted: bool = False

    def is_held(self, now: datetime) -> bool:
        """Return whether it could not be written for a passing reason, and is not tried again yet."""
        return self.tries > 0 and self.held_until is not None and now < self.held_until
