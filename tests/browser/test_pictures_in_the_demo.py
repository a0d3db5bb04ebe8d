"""Pictures from end to end: in the demo, with its controller and pages, and a worker with a real Chromium."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from previewbot.pictures.album import Album
from previewbot.pictures.camera import Camera, chromium_here
from previewbot.pictures.server import Worker
from previewbot.pictures.shelf import Shelf
from previewbot_demo.tasks import TASKS
from previewbot_demo.world import REPOSITORY, Options, World
from tests.browser.test_from_the_comment_to_a_verdict import Finger
from tests.browser.test_page_for_people import WIDTHS_OF_IMAGES
from tests.browser.test_pictures_of_pages import served
from tests.support.chromium import PHONE, Chromium

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

TOKEN = "0123456789abcdef0123456789abcdef"


class OnThisMachine(dict[str, str]):
    """The demo's hosts, all on this machine, to which the worker would not go by itself."""

    def __contains__(self, host: object) -> bool:
        return str(host).endswith("localhost")

    def __getitem__(self, host: str) -> str:
        return "127.0.0.1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pictures")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(folder: Path) -> AsyncIterator[World]:
    (folder / "token").write_text(TOKEN)
    path = chromium_here()
    assert path is not None, "there is no Chromium: apt-get install chromium"
    album = Album(Shelf(folder / "kept", 10**8), lambda: datetime.now(UTC))
    worker = Worker(album, Camera(path, hosts=OnThisMachine()), lambda: (TOKEN.encode(),))
    async with served(worker.application()) as port:
        pictures = {"url": f"http://127.0.0.1:{port}", "token_file": str(folder / "token"), "public": True}
        async with World(Options(port=0, settings={"pages": "private", "pictures": pictures})) as world:
            yield world


async def test_a_change_of_the_front_end_is_seen_before_and_after_until_the_pull_request_is_closed(
    world: World, chromium: Chromium, folder: Path
) -> None:
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

    kept = {path.name.rpartition("~")[2]: path.read_bytes() for path in (folder / "kept").iterdir()}
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
        while list((folder / "kept").iterdir()):
            await asyncio.sleep(0.5)
