"""What a page may cost the worker of pictures: what ended it is not looked at again. Chromium itself is in
tests/browser/test_pictures_memory.py."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from previewbot.api.pictures import Device, NoPicture, Picture, Side
from previewbot.pictures.album import Job
from previewbot.pictures.bounded import Bounded
from previewbot.pictures.memory import Browsers, Watch, memory_of
from previewbot.pictures.notes import FILE, Notes
from previewbot.rules.pictures import Place, Seen, Wish
from previewbot.rules.pictures_health import BrowserState
from tests.support.previews import HEAD, NOW

NAME = "gh-812-42"
WISH = Wish(HEAD, NOW + timedelta(hours=1), (Place("/", "https://a.example.com/", "https://b.example.com/"),))
SEEN = Seen(200, "a.example.com", 8)
_MEBIBYTE = 1024 * 1024
_STARTS = "bytearray(64 << 20); print(flush=True); import time; time.sleep(60)"


def a_job(name: str = NAME, wish: Wish = WISH, side: Side = Side.AFTER, device: Device = Device.PHONE) -> Job:
    return Job(name, wish, Picture("/", device, side))


def killed_while_it_looks(folder: Path) -> None:
    """Leave what a worker leaves that has no time to say so."""
    with Notes(folder).looking(a_job()):
        noted = (folder / FILE).read_bytes()
    (folder / FILE).write_bytes(noted)


class Looks:
    """Starts what takes memory in place of a browser, if it is to, and sees a page."""

    browser, why = BrowserState.OK, ""

    def __init__(self, *, starts: bool = False, dies: bool = False) -> None:
        self.starts, self.dies, self.looked = starts, dies, 0

    async def try_browser(self) -> None:
        return None

    async def take(self, job: Job) -> tuple[Seen, bytes]:
        self.looked += 1
        if self.dies:
            raise SystemExit
        if self.starts:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", "x = " + _STARTS),
                stdout=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )
            await process.wait()
        return SEEN, b"p"


def bounded(camera: Looks, folder: Path, most: int = 40 * _MEBIBYTE) -> Bounded:
    return Bounded(camera, Watch(most, 0.01), Notes(folder))


async def test_a_browser_that_takes_too_much_is_ended_and_said_so_in_words(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # Whatever else this process started is no browser of the worker's.
    other = subprocess.Popen([sys.executable, "-c", "x = " + _STARTS], start_new_session=True)
    try:
        with caplog.at_level(logging.WARNING):
            found = await asyncio.wait_for(bounded(Looks(starts=True), tmp_path).take(a_job()), 30)
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()

    assert found == (Seen(failure=NoPicture.TOO_MUCH_MEMORY), b"")
    assert caplog.messages == ["a page took too much memory, and its browser was ended"]
    assert await bounded(Looks(), tmp_path).take(a_job()) == (SEEN, b"p")


async def test_nothing_of_a_browser_is_left_after_its_picture() -> None:
    async with Watch(1024 * _MEBIBYTE).watching():
        process = subprocess.Popen([sys.executable, "-c", "x = " + _STARTS], start_new_session=True)

    assert await asyncio.to_thread(process.wait, 10) == -9


def test_memory_is_what_is_a_process_s_own_and_nothing_of_one_that_is_gone() -> None:
    browsers = Browsers()
    with subprocess.Popen(
        [sys.executable, "-c", "x = " + _STARTS], stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert browsers.processes() == [process.pid]
        assert 64 <= memory_of(process.pid) // _MEBIBYTE < 96
        process.kill()

    assert (browsers.processes(), memory_of(process.pid)) == ([], 0)


OTHERS = {
    "the same side on another device": (a_job(device=Device.DESKTOP), False),
    "staging": (a_job(side=Side.BEFORE), True),
    "another preview": (a_job("gh-812-43"), True),
    "the next commit": (a_job(wish=replace(WISH, sha="b" * 40)), True),
}


@pytest.mark.parametrize(("other", "is_looked_at"), OTHERS.values(), ids=OTHERS)
async def test_what_ended_the_worker_is_not_looked_at_again(
    tmp_path: Path, other: Job, is_looked_at: bool
) -> None:
    killed_while_it_looks(tmp_path)

    for _ in range(2):
        camera = Looks()
        again = bounded(camera, tmp_path)
        assert await again.take(a_job()) == (Seen(failure=NoPicture.TOO_MUCH_MEMORY), b"")
        assert (await again.take(other))[0].failure is (None if is_looked_at else NoPicture.TOO_MUCH_MEMORY)
        assert camera.looked == is_looked_at


async def test_what_was_looked_at_while_the_worker_was_told_to_stop_or_the_machine_went_is_not_blamed(
    tmp_path: Path,
) -> None:
    with suppress(SystemExit):
        await bounded(Looks(dies=True), tmp_path).take(a_job())
    assert await bounded(Looks(), tmp_path).take(a_job()) == (SEEN, b"p")

    killed_while_it_looks(tmp_path)
    file = tmp_path / FILE
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    file.write_text(file.read_text().replace(boot, "another"))
    assert await bounded(Looks(), tmp_path).take(a_job()) == (SEEN, b"p")

    file.write_bytes(b"\x00 no JSON")
    assert await bounded(Looks(), tmp_path).take(a_job()) == (SEEN, b"p")
