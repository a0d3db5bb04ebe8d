"""One preview's whole life, with a fault at a chosen one of the controller's changing requests."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import aiohttp
from aiohttp import web

from previewbot_demo.browser import Browser
from previewbot_demo.demo_tour import browser_of
from previewbot_demo.faults import Call
from previewbot_demo.tour import NEW_BANNER, PUSHED_BANNER
from previewbot_demo.world import Options, World
from tests.support.fault_points import NOWHERE, Fault, NotSo, Point, every_point, timeless
from tests.support.forked import spawn_forked

T = TypeVar("T")
Record = Callable[[str, object], None]
Choose = Callable[[Sequence[Point]], Sequence[Point]]
"""Chooses the points that are tried, of all."""

PATIENCE_SECONDS = 100.0
"""More than the 30 s for which the intent of a comment holds, on a machine that does a lot else."""

_LOOK_AGAIN = 0.3
_MORE = 4
"""A life that a fault prolonged makes a few requests more than an undisturbed one: some of these too."""

_LINK = "Open the preview"
_ANSWERED = ("/preview extend 2h", "/preview status")


@dataclass(frozen=True)
class Seen:
    """What a life leaves behind: the conversation as a person reads it, and how often `extend` counted."""

    conversation: tuple[tuple[bool, str, tuple[str, ...]], ...]
    extended: timedelta


@dataclass(frozen=True)
class Lived:
    """A life that was lived: what it left, the requests it took, and the one that was hit, if one was."""

    seen: Seen
    requests: tuple[str, ...]
    hit: str


class Saboteur:
    """Makes the fault happen, and starts the controller again if it died of it."""

    def __init__(self, world: World, point: Point) -> None:
        self._world = world
        self._point = point
        self._restart: asyncio.Task[None] | None = None
        self.requests: list[str] = []
        self.hit = ""

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
        return await self._strike(call) if not self._point.fault.late else None

    async def _after(self, call: Call) -> web.StreamResponse | None:
        return await self._strike(call) if self._point.fault.late else None

    async def _strike(self, call: Call) -> web.StreamResponse | None:
        if not call.number or call.number != self._point.number:
            return None
        self.hit = f"{call.method} {call.path}"
        if self._point.fault.kills:
            await self._world.bot.kill_controller()
            self._restart = asyncio.create_task(self._world.bot.start_controller())
        return web.json_response({"message": "a fault of the test's"}, status=502)


async def live(world: World, browser: Browser, point: Point) -> Lived:
    """Live a whole life with a fault at a point; raises `NotSo`."""
    saboteur = Saboteur(world, point)
    saboteur.arm()
    try:
        seen = await _Life(browser).live()
    except NotSo as wrong:
        raise NotSo(f"{point} ({saboteur.hit}): {wrong}") from wrong
    finally:
        await saboteur.disarm()
    return Lived(seen, tuple(saboteur.requests), saboteur.hit)


async def try_points(options: Sequence[Options], faults: Sequence[Fault], choose: Choose) -> Lives:
    """Live one life for each point that is chosen, in one world per `options` at a time.

    Lives that wait for a held intent (30 s) overlap with others.
    """
    lived: dict[Point, Lived] = {}
    await _live_all(options[0], deque([NOWHERE]), lived)
    undisturbed = lived.pop(NOWHERE)
    todo = deque(choose(every_point(len(undisturbed.requests) + _MORE, faults)))
    async with asyncio.TaskGroup() as group:
        for each in options:
            group.create_task(_live_all(each, todo, lived))
    return Lives(undisturbed, lived)


async def _live_all(options: Options, todo: deque[Point], lived: dict[Point, Lived]) -> None:
    async with World(replace(options, spawn=spawn_forked)) as world, aiohttp.ClientSession() as session:
        browser = browser_of(world, session)
        while todo:
            point = todo.popleft()
            lived[point] = await live(world, browser, point)


@dataclass(frozen=True)
class Lives:
    """One undisturbed life, and the others by their fault (which some were too short to meet)."""

    undisturbed: Lived
    others: Mapping[Point, Lived]

    @property
    def hit(self) -> set[Point]:
        """The points at which something did happen."""
        return {point for point, life in self.others.items() if life.hit}

    @property
    def shortest(self) -> int:
        """How many changing requests a life makes at least, if nothing happens."""
        spared = (life for life in self.others.values() if not life.hit)
        return min(len(life.requests) for life in (self.undisturbed, *spared))

    def missed(self) -> set[Point]:
        """Return the points that should have been hit, and were not."""
        return {point for point in self.others if point.number <= self.shortest} - self.hit

    def different(self) -> dict[str, Seen]:
        """Return what other lives left, where it is not what the undisturbed one did."""
        return {
            f"{point} ({life.hit})": life.seen
            for point, life in self.others.items()
            if life.seen != self.undisturbed.seen
        }


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
        for what, stored in self._browser.kinds():
            await self._until(f"the last {what} gone", partial(_none, stored))
        return Seen(await self._conversation(), extended)

    async def _shows(self, banner: str) -> bool:
        remarks = await self._browser.conversation(self._number)
        link = next((remark.links.get(_LINK) for remark in remarks if remark.by_app), None)
        return link is not None and banner in (await self._browser.open(link)).text

    async def _open_for(self, wanted: timedelta) -> bool:
        return await self._end() == wanted

    async def _end(self) -> timedelta | None:
        (preview,) = await self._browser.previews()
        status = preview.get("status") or {}
        clock = status.get("lifecycle") or {}
        if "expiresAt" not in clock or status.get("phase") != "Ready":
            return None
        return datetime.fromisoformat(clock["expiresAt"]) - datetime.fromisoformat(clock["readyAt"])

    async def _answered(self, written: int) -> bool:
        remarks = await self._browser.conversation(self._number)
        mine = next(remark for remark in remarks if remark.id == written)
        return "rocket" in mine.reactions and any(r.by_app and r.id > written for r in remarks)

    async def _says_closed(self) -> bool:
        remarks = await self._browser.conversation(self._number)
        words = "no preview here now: the pull request was closed"
        return any(r.by_app and words in r.text for r in remarks)

    async def _conversation(self) -> tuple[tuple[bool, str, tuple[str, ...]], ...]:
        remarks = await self._browser.conversation(self._number)
        return tuple((r.by_app, timeless(r.text), tuple(sorted(r.reactions))) for r in remarks)

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


async def _none(stored: Callable[[], Awaitable[list[Any]]]) -> bool:
    return not await stored()


async def _nothing(_: Call) -> web.StreamResponse | None:
    return None
