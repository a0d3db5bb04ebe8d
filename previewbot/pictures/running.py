"""Runs `previewbot pictures`: the server and its one browser, until it is told to stop."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web

from previewbot.pictures.album import Album
from previewbot.pictures.bounded import Bounded
from previewbot.pictures.camera import Camera
from previewbot.pictures.memory import Watch
from previewbot.pictures.notes import Notes
from previewbot.pictures.server import Worker
from previewbot.pictures.shelf import Shelf, cleared

_STOP_SECONDS = 2.0


class OnThisMachine(dict[str, str]):
    """The addresses of hosts below `.localhost`, all of this machine
    (https://www.rfc-editor.org/rfc/rfc6761#section-6.3): a camera goes to no such host by itself."""

    def __contains__(self, host: object) -> bool:
        return str(host).endswith(".localhost")

    def __getitem__(self, host: str) -> str:
        return "127.0.0.1"


def run(
    bind: str,
    folder: Path,
    most_bytes: int,
    camera: Camera,
    most_memory: int,
    tokens: Callable[[], tuple[bytes, ...]],
) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code. `most_memory` is what a browser may take, in
    bytes. Raises OSError if `bind` or `folder` cannot be used."""
    shelf = Shelf(folder, most_bytes)
    album = Album(shelf, lambda: datetime.now(UTC))
    bounded = Bounded(camera, Watch(most_memory), Notes(folder))
    # Playwright's program and Chromium write below it, and so does the camera, which makes each a home.
    browsers = cleared(folder)
    os.environ["TMPDIR"] = tempfile.tempdir = str(browsers)

    async def until_told() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        worker = Worker(album, bounded, tokens)
        runner = web.AppRunner(worker.application(), access_log=None, shutdown_timeout=_STOP_SECONDS)
        await runner.setup()
        try:
            host, _, port = bind.rpartition(":")
            await web.TCPSite(runner, host.strip("[]") or None, int(port)).start()
            await stop.wait()
        finally:
            await runner.cleanup()

    try:
        asyncio.run(until_told())
    finally:
        shutil.rmtree(browsers, ignore_errors=True)
    return 0
