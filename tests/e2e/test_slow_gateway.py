"""Behind a gateway that takes its time to follow routes, a link never shows plain staging."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from previewbot_demo.browser import Browser, Page
from previewbot_demo.demo_tour import browser_of
from previewbot_demo.ports import free_port
from previewbot_demo.tour import NEW_BANNER, PUSHED_BANNER
from previewbot_demo.world import REPOSITORY, Options
from tests.support.worlds import Pull, Scene, leads_to_no_preview, scene, until

pytestmark = pytest.mark.timeout(120)

SLOW_SECONDS = 1.0


@asynccontextmanager
async def town(settle: str) -> AsyncIterator[Scene]:
    """A world with a slow gateway, for which previewbot waits so long."""
    port = free_port()
    gateway: dict[str, Any] = {"name": "public", "namespace": "staging", "domain": "preview.localhost"}
    gateway |= {"scheme": "http", "port": port, "settle": settle}
    settings = {"links": {"gateway": gateway}}
    async with scene(Options(port=port, build_seconds=0.3, settings=settings)) as built:
        built.world.gateway.sabotage.slow = SLOW_SECONDS
        yield built


def is_staging(page: Page) -> bool:
    return page.status == 200 and NEW_BANNER not in page.text and PUSHED_BANNER not in page.text


async def seen_during_a_life(town: Scene) -> list[Page]:
    """Push, stop, start and close; return all that stood behind the link in the meantime."""
    browser = browser_of(town.world, town.http)
    pull = Pull(town.world, await browser.start_task("web"), REPOSITORY)
    link = await pull.ready()
    await until_it_shows(browser, link, NEW_BANNER)
    seen: list[Page] = []

    async def look() -> None:
        while True:
            seen.append(await browser.open(link))
            await asyncio.sleep(0.02)

    looking = asyncio.create_task(look())
    await browser.press(pull.number, "push")
    await pull.ready()
    await until_it_shows(browser, link, PUSHED_BANNER)
    pull.write("/preview stop")
    await pull.says("The preview was stopped")
    pull.write("/preview start")
    await pull.ready()
    await until_it_shows(browser, link, PUSHED_BANNER)
    pull.close()
    await until("the end of the sessions", lambda: not pull.sessions)
    await pull.ended()
    await until("the end of the link", lambda: leads_to_no_preview(seen[-1]))
    looking.cancel()
    return seen


async def until_it_shows(browser: Browser, link: str, banner: str) -> None:
    while banner not in (await browser.open(link)).text:
        await asyncio.sleep(0.05)


async def test_no_session_goes_before_the_gateway_leads_elsewhere() -> None:
    async with town(settle="2s") as slow:
        seen = await seen_during_a_life(slow)

    assert [page.text for page in seen if is_staging(page)] == []
    assert {page.status for page in seen} == {200, 302}


async def test_without_the_pause_such_a_gateway_does_show_staging() -> None:
    """What the pause is for; and the test above can fail."""
    async with town(settle="0s") as slow:
        seen = await seen_during_a_life(slow)

    assert any(is_staging(page) for page in seen)
