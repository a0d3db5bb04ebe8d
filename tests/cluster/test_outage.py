"""A real API server that goes away and comes back, and people who delete things by hand."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass

import aiohttp
import pytest

from previewbot_demo.browser import Browser
from previewbot_demo.demo_tour import browser_of
from previewbot_demo.processes import Process
from previewbot_demo.world import Options, World
from tests.support.control_plane import ControlPlane
from tests.support.crashes import live_on, opened

NAMESPACE = "outage"


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane of our own: it is stopped here."""
    plane = ControlPlane(tmp_path_factory.mktemp("outage"))
    plane.start()
    yield plane
    plane.stop()


@dataclass
class Scene:
    """A world on a control plane, and a browser into it."""

    plane: ControlPlane
    world: World
    session: aiohttp.ClientSession
    browser: Browser

    async def probe(self, process: Process | None, path: str) -> int:
        assert process is not None
        async with self.session.get(f"{process.probe_url}{path}") as answer:
            return answer.status

    async def phases(self) -> dict[int, str]:
        """Return the phases by pull request; a Preview that no pass has seen yet has no status."""
        previews = await self.browser.previews()
        return {p["spec"]["number"]: p.get("status", {}).get("phase", "") for p in previews}


@pytest.fixture
async def scene(plane: ControlPlane) -> AsyncIterator[Scene]:
    options = Options(
        kubeconfig=plane.kubeconfig(),
        namespace=NAMESPACE,
        build_seconds=0.3,
        settings={"listing": {"interval": "2s"}},
    )
    async with World(options) as world, aiohttp.ClientSession() as session:
        yield Scene(plane, world, session, browser_of(world, session))


async def until(so: Callable[[], Awaitable[bool]], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not await so():
        assert time.monotonic() < deadline, f"not in {seconds:.0f} s: {what}"
        await asyncio.sleep(0.1)


@pytest.mark.timeout(240)
async def test_all_processes_turn_unready_not_dead_and_everything_goes_on_by_itself(scene: Scene) -> None:
    bot, plane = scene.world.bot, scene.plane
    first = await opened(scene.browser)
    before = bot.web, bot.pages, bot.controller

    await asyncio.to_thread(plane.stop_api_server)
    for process in before:

        async def unready(process: Process | None = process) -> bool:
            return await scene.probe(process, "/readyz") == 503

        await until(unready, "unready")
    # Told while nothing can be stored: web answers 503, and nobody tells it again.
    second = await scene.browser.start_task("pricing")
    assert [await scene.probe(process, "/healthz") for process in before] == [200] * 3
    await asyncio.to_thread(plane.start_api_server)

    async def ready() -> bool:
        return [await scene.probe(process, "/readyz") for process in before] == [200] * 3

    async def both_serve() -> bool:
        return await scene.phases() == {first: "Ready", second: "Ready"}

    await until(ready, "ready again")
    await until(both_serve, "both previews")
    assert all(process is not None and process.running for process in before)
    assert (bot.web, bot.pages, bot.controller) == before
    await scene.browser.press(second, "close")
    seen = await live_on(scene.browser, first)
    assert [by_app for by_app, _, _ in seen.conversation] == [True, False, True, False, True]


@pytest.mark.timeout(120)
async def test_deleting_a_preview_by_hand_removes_all_it_owns_while_the_controller_is_stopped(
    scene: Scene,
) -> None:
    number = await opened(scene.browser)
    await scene.world.bot.stop_controller()
    assert await scene.browser.sessions() and await scene.browser.routes()
    (preview,) = await scene.browser.previews()

    answer = scene.plane.call(
        "DELETE", f"/apis/previewbot.dev/v1alpha1/previews/{preview['metadata']['name']}"
    )

    assert answer.status == 200

    async def all_gone() -> bool:
        return not await scene.browser.sessions() and not await scene.browser.routes()

    await until(all_gone, "session and route gone")
    assert await scene.browser.previews() == []
    # For an open pull request that means "look again", not "stop": the listing brings it back.
    await scene.world.bot.start_controller()

    async def back() -> bool:
        return await scene.phases() == {number: "Ready"}

    await until(back, "the preview is back")
    await scene.browser.press(number, "close")
