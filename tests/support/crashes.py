"""One preview's whole life, with the controller killed at a chosen request that changes something."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from aiohttp import web

from previewbot.demo.browser import Browser
from previewbot.demo.faults import Call
from previewbot.demo.tour import NEW_BANNER, PREVIEWS, PUSHED_BANNER, ROUTES, SESSIONS
from previewbot.demo.world import World

T = TypeVar("T")

PATIENCE_SECONDS = 100.0
"""More than the 30 s for which the intent of a comment holds, on a machine that does a lot else."""

_LOOK_AGAIN = 0.1
_LINK = "Open the preview"
_ANSWERED = ("/preview extend 2h", "/preview status")


class NotSo(AssertionError):
    """The world is not as it should be by now."""


@dataclass(frozen=True)
class Point:
    """Where the controller dies: at its `number`-th changing request, before or after it takes effect.

    0 is nowhere.
    """

    number: int
    after: bool = False

    def __str__(self) -> str:
        return f"{'after' if self.after else 'before'} request {self.number}"


@dataclass(frozen=True)
class Seen:
    """What a life leaves behind: the conversation as a person reads it, and how often `extend` counted."""

    conversation: tuple[tuple[bool, str, tuple[str, ...]], ...]
    extended: timedelta


@dataclass(frozen=True)
class Lived:
    """A life that was lived: what it left, the requests it took, and the one that it died at, if it did."""

    seen: Seen
    requests: tuple[str, ...]
    died_at: str


class Killer:
    """Kills the controller of a world at a point, and starts it again."""

    def __init__(self, world: World, point: Point) -> None:
        self._world = world
        self._point = point
        self._restart: asyncio.Task[None] | None = None
        self.requests: list[str] = []
        self.died_at = ""

    def arm(self) -> None:
        """Count from here on."""
        faults = self._world.faults
        faults.mutating = 0
        faults.counts = lambda call: call.agent.startswith("previewbot-controller")
        faults.before, faults.after = self._before, self._after

    async def disarm(self) -> None:
        """Let the world be; waits for a controller that is being started."""
        faults = self._world.faults
        faults.before = faults.after = _nothing
        if self._restart is not None:
            await self._restart

    async def _before(self, call: Call) -> web.StreamResponse | None:
        if call.number:
            self.requests.append(f"{call.method} {call.path}")
        if call.number != self._point.number or self._point.after or not call.number:
            return None
        await self._kill(call)
        return web.Response(status=500)

    async def _after(self, call: Call) -> web.StreamResponse | None:
        if call.number and call.number == self._point.number and self._point.after:
            await self._kill(call)
        return None

    async def _kill(self, call: Call) -> None:
        self.died_at = f"{call.method} {call.path}"
        await self._world.bot.kill_controller()
        self._restart = asyncio.create_task(self._world.bot.start_controller())


async def live(world: World, browser: Browser, point: Point) -> Lived:
    """Live a whole life with a crash at a point; raises `NotSo`."""
    killer = Killer(world, point)
    killer.arm()
    try:
        seen = await _Life(browser).live()
    except NotSo as wrong:
        raise NotSo(f"died {point} ({killer.died_at}): {wrong}") from wrong
    finally:
        await killer.disarm()
    return Lived(seen, tuple(killer.requests), killer.died_at)


async def opened(browser: Browser) -> int:
    """Open a pull request and wait until its preview is ready; return its number."""
    return await _Life(browser).open()


async def live_on(browser: Browser, number: int) -> Seen:
    """Live the rest of a life that was `opened`."""
    return await _Life(browser, number).live_on()


class _Life:
    """Opened, built, ready, pushed to, replaced, extended, asked for its status, closed."""

    def __init__(self, browser: Browser, number: int = 0) -> None:
        self._browser = browser
        self._number = number

    async def live(self) -> Seen:
        await self.open()
        return await self.live_on()

    async def open(self) -> int:
        self._number = await self._browser.start_task("web")
        await self._until("the first commit behind the link", partial(self._shows, NEW_BANNER))
        return self._number

    async def live_on(self) -> Seen:
        await self._browser.press(self._number, "push")
        await self._until("the second commit behind the link", partial(self._shows, PUSHED_BANNER))
        # A new head's first Ready sets the end anew: only then does what `extend` adds stay.
        await self._until("the new end", partial(self._open_for, timedelta(hours=8)))
        for words in _ANSWERED:
            written = await self._browser.comment(self._number, words)
            await self._until(f"an answer to {words}", partial(self._answered, written))
        extended = await self._until("the end", self._end)
        await self._browser.press(self._number, "close")
        await self._until("the last words", self._says_closed)
        for path in (PREVIEWS, SESSIONS, ROUTES):
            await self._until(f"no {path}", partial(self._none, path))
        return Seen(await self._conversation(), extended)

    async def _shows(self, banner: str) -> bool:
        remarks = await self._browser.conversation(self._number)
        link = next((remark.links.get(_LINK) for remark in remarks if remark.by_app), None)
        return link is not None and banner in (await self._browser.open(link)).text

    async def _open_for(self, wanted: timedelta) -> bool:
        return await self._end() == wanted

    async def _end(self) -> timedelta | None:
        (preview,) = await self._browser.stored(PREVIEWS)
        status = preview.get("status") or {}
        if "expiresAt" not in status or status.get("phase") != "Ready":
            return None
        return datetime.fromisoformat(status["expiresAt"]) - datetime.fromisoformat(status["readyAt"])

    async def _answered(self, written: int) -> bool:
        remarks = await self._browser.conversation(self._number)
        mine = next(remark for remark in remarks if remark.id == written)
        return "rocket" in mine.reactions and any(r.by_app and r.id > written for r in remarks)

    async def _says_closed(self) -> bool:
        remarks = await self._browser.conversation(self._number)
        return any(r.by_app and "removed when the pull request was closed" in r.text for r in remarks)

    async def _none(self, path: str) -> bool:
        return not await self._browser.stored(path)

    async def _conversation(self) -> tuple[tuple[bool, str, tuple[str, ...]], ...]:
        remarks = await self._browser.conversation(self._number)
        return tuple((r.by_app, _timeless(r.text), tuple(sorted(r.reactions))) for r in remarks)

    async def _until(self, what: str, look: Callable[[], Awaitable[T | None]]) -> T:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            found = await look()
            if found:
                return found
            if time.monotonic() > deadline:
                remarks = await self._browser.conversation(self._number)
                said = [(r.by_app, r.text.strip()[:200], r.reactions) for r in remarks]
                raise NotSo(f"no sign of {what} in {PATIENCE_SECONDS:.0f} s; the conversation: {said}")
            await asyncio.sleep(_LOOK_AGAIN)


def _timeless(text: str) -> str:
    """Return a text without what differs between two lives: times, dates, commits, addresses."""
    text = re.sub(r"https?://\S+", "<url>", text)
    text = re.sub(r"\b[0-9a-f]{7,40}\b", "<sha>", text)
    text = re.sub(r"\b\d{4}-\d\d-\d\d\b|\b\d{1,2} [A-Z][a-z]{2,8}(?: \d{4})?\b", "<date>", text)
    text = re.sub(r"\b\d{1,2}:\d\d\b", "<time>", text)
    return re.sub(r"\s+", " ", text).strip()


async def _nothing(_: Call) -> web.StreamResponse | None:
    return None
