"""Every crash: the controller is killed at each request that changes something, before it and after it.

After a restart the world is as if nothing had happened: one status comment, each command obeyed and answered
once, nothing left in the cluster.
"""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import timedelta

import aiohttp
import pytest

from previewbot.demo.browser import Browser
from previewbot.demo.world import REPOSITORY, Options, World
from tests.support.crashes import Lived, Point, live

WORLDS = 4
"""Lives that wait for a held intent (30 s) overlap with others; each world has one life at a time."""

MORE = 4
"""A life that a crash prolonged makes a few requests more than an undisturbed one: some of these too."""


async def lives(todo: deque[Point], lived: dict[Point, Lived]) -> None:
    """Live one life per point in a world of its own until none is left."""
    async with World(Options(build_seconds=0.3)) as world, aiohttp.ClientSession() as session:
        browser = Browser(session, world.port, REPOSITORY, world.token)
        while todo:
            point = todo.popleft()
            lived[point] = await live(world, browser, point)


@pytest.mark.timeout(1500)
async def test_a_crash_at_any_request_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    lived: dict[Point, Lived] = {}
    nowhere = Point(0)
    await lives(deque([nowhere]), lived)
    undisturbed = lived.pop(nowhere)
    last = len(undisturbed.requests) + MORE
    points = [Point(number, after) for number in range(1, last + 1) for after in (False, True)]

    todo = deque(points)
    async with asyncio.TaskGroup() as group:
        for _ in range(WORLDS):
            group.create_task(lives(todo, lived))

    crashed = {point for point, life in lived.items() if life.died_at}
    shortest = min(len(life.requests) for life in (undisturbed, *lived.values()) if not life.died_at)
    with capsys.disabled():
        print(f"\n  crash points tried: {len(crashed)} (a life makes at least {shortest} changing requests)")
    assert undisturbed.seen.extended == timedelta(hours=10)
    assert {point for point in points if point.number <= shortest} <= crashed
    different = {
        f"{p} ({life.died_at})": life.seen for p, life in lived.items() if life.seen != undisturbed.seen
    }
    assert different == {}
