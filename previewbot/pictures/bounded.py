"""A camera of which no page costs more than itself: its browser is watched, and its end is remembered."""

from __future__ import annotations

import logging
from typing import Protocol

from previewbot.api.pictures import NoPicture
from previewbot.pictures.album import Job
from previewbot.pictures.memory import Watch
from previewbot.pictures.notes import Notes
from previewbot.rules.pictures import Seen
from previewbot.rules.pictures_health import BrowserState

_MEBIBYTE = 1024 * 1024

log = logging.getLogger(__name__)


class Takes(Protocol):
    """What takes a picture: `Camera`, `Bounded`."""

    @property
    def browser(self) -> BrowserState:
        """Whether its browser starts."""

    @property
    def why(self) -> str:
        """Why its browser does not start."""

    async def try_browser(self) -> None:
        """Find out whether its browser starts."""

    async def take(self, job: Job) -> tuple[Seen, bytes]:
        """Return what was seen, and the picture of it."""


class Bounded:
    """Takes pictures with `camera`, within the memory of `watch`, and none that ended the worker before."""

    def __init__(self, camera: Takes, watch: Watch, notes: Notes) -> None:
        self._camera, self._watch, self._notes = camera, watch, notes

    @property
    def browser(self) -> BrowserState:
        """Whether its browser starts."""
        return self._camera.browser

    @property
    def why(self) -> str:
        """Why its browser does not start."""
        return self._camera.why

    async def try_browser(self) -> None:
        """Find out whether its browser starts."""
        async with self._watch.watching():
            await self._camera.try_browser()

    async def take(self, job: Job) -> tuple[Seen, bytes]:
        """Return what was seen, and the picture of it. Raises OSError where no note can be written."""
        if self._notes.ended_us(job):
            log.warning("not looked at: the worker ended at it before", extra={"preview": job.name})
            return Seen(failure=NoPicture.TOO_MUCH_MEMORY), b""
        with self._notes.looking(job):
            async with self._watch.watching() as watched:
                seen, content = await self._camera.take(job)
        if watched.ended:
            taken = {"preview": job.name, "mebibytes": watched.most // _MEBIBYTE}
            log.warning("a page took too much memory, and its browser was ended", extra=taken)
            return Seen(failure=NoPicture.TOO_MUCH_MEMORY), b""
        return seen, content
