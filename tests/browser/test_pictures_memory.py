"""The browser of `previewbot pictures` before a page that takes memory without end: only that page pays."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import web

from previewbot.api.pictures import Device, NoPicture, Picture, Side
from previewbot.pictures.album import Job
from previewbot.pictures.bounded import Bounded
from previewbot.pictures.camera import Camera, chromium_here
from previewbot.pictures.memory import Browsers, Watch
from previewbot.pictures.notes import Notes
from previewbot.rules.pictures import Place, Wish

HOST = "key.preview.test"
_RAINBOW = "<body style='background:linear-gradient(red,orange,yellow,green,blue,violet)'>"
PAGES = {
    "/": _RAINBOW,
    # Arrays, which no limit of V8's holds, in a page and in what it starts.
    "/eats": f"""{_RAINBOW}<script>
const kept = [], eat = () => {{ kept.push(new Uint8Array(32 << 20).fill(1)); setTimeout(eat, 20) }}
eat()
new Worker(URL.createObjectURL(new Blob([`const kept = []
  setInterval(() => kept.push(new Uint8Array(32 << 20).fill(1)), 20)`])))
</script><img src='/never'>""",
}


async def _answer(request: web.Request) -> web.Response:
    text = PAGES.get(request.path)
    return web.Response(text=text, content_type="text/html") if text else web.Response(status=404)


@asynccontextmanager
async def served() -> AsyncIterator[int]:
    app = web.Application()
    app.router.add_get("/{path:.*}", _answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def test_a_page_that_takes_memory_without_end_costs_itself_alone(tmp_path: Path) -> None:
    chromium, most, browsers = chromium_here(), 600 * 1024 * 1024, Browsers()
    assert chromium is not None, "there is no Chromium: apt-get install chromium"
    watch = Watch(most)
    camera = Bounded(Camera(chromium, hosts={HOST: "127.0.0.1"}), watch, Notes(tmp_path))
    found = {}
    async with served() as port:
        for path in ("/eats", "/"):
            url = f"http://{HOST}:{port}{path}"
            wish = Wish("a" * 40, datetime.now(UTC) + timedelta(hours=1), (Place(path, url, url),))
            seen, content = await camera.take(Job("gh-812-42", wish, Picture(path, Device.PHONE, Side.AFTER)))
            found[path] = (seen.failure, bool(content))
            assert browsers.processes() == []

    assert found == {"/eats": (NoPicture.TOO_MUCH_MEMORY, False), "/": (None, True)}
