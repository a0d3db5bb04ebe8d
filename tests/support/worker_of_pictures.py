"""The worker of pictures in memory: its own album and shelf, without HTTP and without a browser."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from previewbot.pictures.album import Album
from previewbot.pictures.shelf import Shelf
from previewbot.rules.pictures import LEAST_COLOURS, Seen, Standing, Wish, host_of, judged
from tests.support.clock import Clock

SECRET = b"0123456789abcdef0123456789abcdef"


@dataclass
class WorkerInMemory:
    """Takes what is due when a test says so, and sees what it is told; with an `error` it does nothing."""

    folder: Path
    clock: Clock
    error: Exception | None = None
    seen: dict[str, Seen] = field(default_factory=dict)
    wishes: list[Wish] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    asked: int = 0

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self.album = Album(Shelf(self.folder, 10**6), self.clock)

    def take(self) -> int:
        """Take all that is due; return how many pictures that was."""
        number = 0
        while (job := self.album.next()) is not None:
            seen = self.seen.get(job.picture.path, Seen(200, host_of(job.url), LEAST_COLOURS))
            self.album.done(job, judged(job.picture, seen, job.url, job.wish.sha), b"a picture")
            number += 1
        return number

    # What the controller calls

    def secret(self) -> bytes:
        return SECRET

    async def wish(self, name: str, wish: Wish) -> Standing:
        self._answer()
        self.wishes.append(wish)
        return self.album.wish(name, wish)

    async def forget(self, name: str) -> None:
        self._answer()
        self.forgotten.append(name)
        self.album.forget(name)

    def _answer(self) -> None:
        self.asked += 1
        if self.error is not None:
            raise self.error
