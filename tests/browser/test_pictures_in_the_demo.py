"""Pictures from end to end, in the demo: its controller, pages, a guard before previews, a real Chromium."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from previewbot_demo.tasks import TASKS
from previewbot_demo.world import REPOSITORY, Options, World
from tests.browser.test_from_the_comment_to_a_verdict import Finger
from tests.browser.test_page_for_people import WIDTHS_OF_IMAGES
from tests.support.chromium import PHONE, Chromium

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    async with World(Options(port=0, pictures=True, guard=True, settings={"pages": "private"})) as world:
        yield world


async def test_a_change_of_the_front_end_is_seen_before_and_after_until_the_pull_request_is_closed(
    world: World, chromium: Chromium
) -> None:
    folder = world.directory / "pictures"
    number = world.agents.open(next(task for task in TASKS if task.name == "web"))
    async with chromium.page(PHONE) as page:
        finger = Finger(page, world, number)
        await finger.begin()
        await finger.look()
        await finger.sign_in("rob")
        # They are taken after the preview is ready, and the page learns of it when it is opened again.
        async with asyncio.timeout(120):
            while await page.evaluate("document.images.length") < 4:
                await asyncio.sleep(1)
                await page.open(str(await page.evaluate("location.href")))
        await page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
        assert await page.evaluate(WIDTHS_OF_IMAGES) == [390, 390, 1280, 1280]

    kept = {path.name.rpartition("~")[2]: path.read_bytes() for path in folder.iterdir()}
    for device in ("phone", "desktop"):
        assert kept[f"0-{device}-before.png"] != kept[f"0-{device}-after.png"]

    async with asyncio.timeout(60):
        # The comment is edited once for them, when all are there.
        while not (found := re.findall(r'<img src="([^"]+/pictures/[^"]+)"', finger.comments()[0].body)):
            await asyncio.sleep(0.5)
    assert len(found) == 4
    async with aiohttp.ClientSession() as stranger, stranger.get(found[1]) as answer:
        assert (answer.status, answer.content_type) == (200, "image/png")
        assert await answer.read() == kept["0-phone-after.png"]
    guessed = re.sub("/[0-9a-f]{48}/", f"/{'0' * 48}/", found[1])
    async with aiohttp.ClientSession() as stranger, stranger.get(guessed) as answer:
        assert answer.status == 404

    world.github.close(number, REPOSITORY)
    async with asyncio.timeout(60):
        while list(folder.glob("*.png")):
            await asyncio.sleep(0.5)
