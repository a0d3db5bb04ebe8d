"""The links that are being asked, beside the passes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime

from previewbot.rules.link_answers import Answers

_AT_A_TIME = 8


@dataclass(frozen=True)
class LinkBeingAsked:
    """That a link is being asked, since when: which inquiry it is, and the task that has the answers in the
    end.

    `again`: only whether the guard is still before it.
    """

    of: str
    task: asyncio.Task[Answers]
    since: datetime
    again: bool = False


class LinksBeingAsked:
    """The links that are being asked, by the names of their Previews; `turn` bounds how many at a time."""

    def __init__(self) -> None:
        self._begun: dict[str, LinkBeingAsked] = {}
        self.turn = asyncio.Semaphore(_AT_A_TIME)

    def of(self, name: str) -> LinkBeingAsked | None:
        """Return what a Preview's link is being asked."""
        return self._begun.get(name)

    def since(self, name: str) -> datetime | None:
        """Return since when a Preview's link is being asked, or waits for its turn; None if it is not."""
        begun = self._begun.get(name)
        return None if begun is None else begun.since

    def note(self, name: str, begun: LinkBeingAsked) -> None:
        """Note that a link is being asked."""
        self._begun[name] = begun

    def forget(self, name: str) -> None:
        """Ask no further."""
        begun = self._begun.pop(name, None)
        if begun is not None:
            begun.task.cancel()
