"""Which places at GitHub take nothing from us, as all Previews of a repository know it together.

Else each of them, and each new one, would ask for itself, for as long as nobody grants what is missing.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime

from previewbot.api import Refusal
from previewbot.api.preview import Spec
from previewbot.reconciler.bounded import keep, look_up
from previewbot.reconciler.plan.places import CLOSED_FOR
from previewbot.rules.seldom import Kind, Seldom

_KEPT = 10_000

_Key = tuple[int, int, str]


class ClosedPlaces:
    """What was refused lately, by installation, repository and place; a restart asks each once more."""

    def __init__(self) -> None:
        self._closed: OrderedDict[_Key, Refusal] = OrderedDict()
        self._opened: OrderedDict[_Key, datetime] = OrderedDict()
        self._said = Seldom()

    def refusal(self, spec: Spec, place: str, noted: Refusal | None, now: datetime) -> Refusal | None:
        """Return why nothing is sent there now, None if it may be; `noted` is what a Preview itself knows."""
        key = _key(spec, place)
        opened = look_up(self._opened, key)
        for known in (look_up(self._closed, key), noted):
            if known is not None and now - known.at < CLOSED_FOR and (opened is None or opened < known.at):
                return known
        return None

    def close(self, spec: Spec, place: str, refusal: Refusal) -> bool:
        """Note a refusal; return whether it is to be said: once for each installation and hour."""
        keep(self._closed, _key(spec, place), refusal, _KEPT)
        self._opened.pop(_key(spec, place), None)
        return self._said.is_due(Kind.PLACE, f"{place} of {spec.installation_id}", refusal.at)

    def was_closed(self, spec: Spec, place: str) -> bool:
        """Return whether a place has taken nothing, as far as is known, since it took something last."""
        return look_up(self._closed, _key(spec, place)) is not None

    def open(self, spec: Spec, place: str, now: datetime) -> None:
        """Note that a place took something: no Preview need wait any longer."""
        self._closed.pop(_key(spec, place), None)
        keep(self._opened, _key(spec, place), now, _KEPT)


def _key(spec: Spec, place: str) -> _Key:
    return spec.installation_id, spec.repository_id, place
