"""When to ask what a pull request was asked for, and what the last answer was, by its Preview."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from previewbot.api import AgentSeen
from previewbot.api.github import PullRequest
from previewbot.reconciler.bounded import keep
from previewbot.rules.asked_for import Requested

_KEPT = 10_000


@dataclass(frozen=True)
class Cause:
    """What a new answer may follow from: GitHub counts a pull request as updated when its text changes."""

    head_sha: str
    updated_at: datetime
    private: bool
    agent: str

    @classmethod
    def of(cls, pull_request: PullRequest, agent: AgentSeen | None) -> Cause:
        """Return what of a pull request a new answer may follow from."""
        key = agent.key if agent is not None else ""
        return cls(pull_request.head.sha, pull_request.updated_at, pull_request.private, key)


@dataclass(frozen=True)
class _Last:
    cause: Cause
    again_at: datetime
    answer: Requested
    failures: int = 0


class RequestQuestions:
    """Remembers the last answers; a restart asks once more for each preview.

    An issue may be edited, closed, moved or deleted and its pull request stay as it is: so GitHub is asked
    again after an hour too, in a look that is made anyway.
    """

    hold = timedelta(hours=1)
    first_wait = timedelta(minutes=1)

    def __init__(self) -> None:
        self._last: OrderedDict[str, _Last] = OrderedDict()

    def is_due(self, name: str, cause: Cause, now: datetime) -> bool:
        """Return whether GitHub should be asked in this look."""
        last = self._last.get(name)
        if last is None or now >= last.again_at:
            return True
        # While it does not answer, a lively conversation must not ask at each comment.
        return last.cause != cause and not last.failures

    def is_failing(self, name: str) -> bool:
        """Return whether the last question was not answered."""
        last = self._last.get(name)
        return last is not None and last.failures > 0

    def last_answer(self, name: str) -> Requested | None:
        """Return the last answer: a pass whose status another one overtook could not store it."""
        last = self._last.get(name)
        return last.answer if last is not None else None

    def answered(self, name: str, cause: Cause, answer: Requested, now: datetime) -> None:
        """Note an answer."""
        keep(self._last, name, _Last(cause, now + self.hold, answer), _KEPT)

    def failed(self, name: str, cause: Cause, answer: Requested, now: datetime) -> None:
        """Note that there was none; `answer` says so."""
        last = self._last.get(name)
        failures = last.failures if last is not None else 0
        wait = min(self.first_wait * 2 ** min(failures, 10), self.hold)
        keep(self._last, name, _Last(cause, now + wait, answer, failures + 1), _KEPT)

    def forget(self, name: str) -> None:
        """Forget a Preview that is gone."""
        self._last.pop(name, None)
