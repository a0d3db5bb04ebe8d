"""How long it could not be asked whether comments were edited, by the Preview that they are about."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from previewbot.api import RequestId
from previewbot.reconciler.bounded import keep

_FIRST, _LONGEST = timedelta(seconds=5), timedelta(minutes=1)
_KEPT = 10_000


@dataclass(frozen=True)
class _Failing:
    since: datetime
    looks: int
    signed: frozenset[RequestId] = frozenset()


class EditQuestions:
    """Remembers looks that could not say it; a restart begins anew, and people wait a little longer."""

    patience = timedelta(minutes=15)
    """After so long whoever wrote the command is told that it is not carried out."""

    short = timedelta(seconds=10)
    """So long where GitHub has no answer to such a question at all."""

    def __init__(self) -> None:
        self._failing: OrderedDict[str, _Failing] = OrderedDict()

    def failed(self, name: str, now: datetime) -> datetime:
        """Note a look in which it could not be said; return when to look again."""
        before = self._failing.get(name, _Failing(now, 0))
        keep(self._failing, name, replace(before, looks=before.looks + 1), _KEPT)
        wait: timedelta = _FIRST * 2 ** min(before.looks, 10)
        return now + min(wait, _LONGEST)

    def is_over(self, name: str, now: datetime, patience: timedelta) -> bool:
        """Return whether nobody is to wait any longer for that answer."""
        failing = self._failing.get(name)
        return failing is not None and failing.looks > 1 and now - failing.since >= patience

    def unsigned(self, name: str, requests: Collection[RequestId]) -> frozenset[RequestId]:
        """Return which of these requests have no sign yet that they were seen; they get one now."""
        failing = self._failing.get(name)
        if failing is None:
            return frozenset()
        keep(self._failing, name, replace(failing, signed=frozenset(requests)), _KEPT)
        return frozenset(requests) - failing.signed

    def forget(self, name: str) -> None:
        """Forget it: the question was answered, or nobody waits for it any more."""
        self._failing.pop(name, None)
