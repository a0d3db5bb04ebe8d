"""When Kubernetes is asked again about a pod that is in trouble, or about a session that has none.

Watches tell of pods. Events are asked for: at once, soon again, and then seldom, as long as the trouble
lasts. It is in memory: a restart asks once more.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from previewbot.reconciler.bounded import keep

FIRST, LONGEST = timedelta(seconds=10), timedelta(minutes=5)
"""The first pause between two questions about the same, and the longest."""

_SOON, _SOON_FOR = timedelta(seconds=25), 6
"""So long are the first pauses at most: what begins after the first question must be told within a minute."""

_KEPT = 5_000


@dataclass(frozen=True)
class _Question:
    at: datetime
    number: int


class PodQuestions:
    """Who was asked about, by what they are called and what is asked, and who has been without a pod since
    when."""

    def __init__(self) -> None:
        self._questions: OrderedDict[tuple[str, str], _Question] = OrderedDict()
        self._podless: OrderedDict[str, datetime] = OrderedDict()

    def is_due(self, uid: str, what: str, now: datetime) -> bool:
        """Return whether it may be asked now, and take it as asked then."""
        key = (uid, what)
        before = self._questions.get(key)
        if before is not None and now < before.at + _pause(before.number):
            return False
        keep(self._questions, key, _Question(now, before.number + 1 if before else 1), _KEPT)
        return True

    def podless_since(self, session_uid: str, now: datetime) -> datetime:
        """Return since when a session is known to have no pod, now if it was not known yet."""
        since = self._podless.get(session_uid, now)
        keep(self._podless, session_uid, since, _KEPT)
        return since

    def has_pod(self, session_uid: str) -> None:
        """Note that a session has a pod (again)."""
        self._podless.pop(session_uid, None)


def _pause(number: int) -> timedelta:
    """Return the pause after so many questions about the same."""
    grown = FIRST * (1 << min(number - 1, 10))
    return min(grown, _SOON if number <= _SOON_FOR else LONGEST)
