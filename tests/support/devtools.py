"""A Chromium process and the one WebSocket to its DevTools; `tests/support/chromium.py` is what tests use.

Messages are numbered; those of a page name its session (https://chromedevtools.github.io/devtools-protocol/).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp

PATIENCE = 60.0  # seconds; generous, since the machine may be busy with other tests
_LOOK_AGAIN = 0.05

_FLAGS = (
    *("--headless=new", "--no-first-run", "--no-default-browser-check", "--hide-scrollbars", "--mute-audio"),
    *("--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--disable-sync", "--disable-extensions"),
    *("--disable-background-networking", "--disable-component-update", "--disable-default-apps"),
    # A frame of another site would be a process, and a target, of its own: no script of ours would reach it.
    *("--disable-site-isolation-trials", "--disable-features=IsolateOrigins,site-per-process,Translate"),
    # The same letters on every machine: no hinting or sub-pixel colours that depend on a screen.
    *("--font-render-hinting=none", "--disable-lcd-text", "--force-color-profile=srgb"),
    *("--lang=en-GB", "--remote-debugging-port=0"),
)


class NoChromium(Exception):
    """There is no Chromium on this machine, or it does not start; the text says what to do."""


class Trouble(Exception):
    """Chromium refused what was asked, a script threw, or something did not come in time."""


def browser() -> str | None:
    """Return the path of a Chromium of this machine; None if there is none."""
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    return next((path for path in found if path is not None), None)


@asynccontextmanager
async def chromium(hosts: Mapping[str, str], no_cookies_of: str = "") -> AsyncIterator[Wire]:
    """Run a Chromium with a profile of its own, `hosts` led to addresses; raises `NoChromium`.

    It keeps no cookies of the hosts below the domain `no_cookies_of`.
    """
    path = browser()
    if path is None:
        raise NoChromium("there is no Chromium: `make node-test` installs it, or `apt-get install chromium`")
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as folder:
        if no_cookies_of:
            _forbid_cookies(Path(folder) / "profile", no_cookies_of)
        async with _process(path, Path(folder), hosts) as address, _connected(address) as wire:
            yield wire


class Wire:
    """Numbered requests over one WebSocket, their answers, and what pages say of themselves."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.listeners: dict[str, Callable[[str, dict[str, Any]], None]] = {}

    async def send(
        self, method: str, params: Mapping[str, Any] | None = None, session: str = ""
    ) -> dict[str, Any]:
        """Ask something; return the answer. Raises `Trouble` if it is refused or does not come."""
        number = next(self._numbers)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        message = {"id": number, "method": method, "params": params or {}}
        await self._socket.send_json(message | ({"sessionId": session} if session else {}))
        try:
            return await asyncio.wait_for(answer, PATIENCE)
        except TimeoutError:
            raise Trouble(f"{method}: no answer of Chromium's within {PATIENCE:.0f} s") from None
        finally:
            self._waiting.pop(number, None)

    async def listen(self) -> None:
        """Hand out what comes until the connection ends; who still waits then is told."""
        async for message in self._socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                break
            said = message.json()
            if "id" not in said:
                if (hear := self.listeners.get(said.get("sessionId", ""))) is not None:
                    hear(said["method"], said["params"])
                continue
            answer = self._waiting.get(said["id"])
            if answer is None or answer.done():
                continue
            if "error" in said:
                answer.set_exception(Trouble(said["error"]["message"]))
            else:
                answer.set_result(said["result"])
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(Trouble("Chromium has ended"))


@asynccontextmanager
async def _connected(address: str) -> AsyncIterator[Wire]:
    async with (
        aiohttp.ClientSession() as session,
        # A picture is one message of megabytes.
        session.ws_connect(address, max_msg_size=0, autoping=True) as socket,
    ):
        wire = Wire(socket)
        listening = asyncio.create_task(wire.listen())
        try:
            yield wire
        finally:
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening


def _forbid_cookies(profile: Path, domain: str) -> None:
    """Write down, as its settings page does, that no cookies of a domain are kept."""
    (profile / "Default").mkdir(parents=True)
    exceptions = {"cookies": {f"[*.]{domain},*": {"setting": 2}}}
    chosen = {"profile": {"content_settings": {"exceptions": exceptions}}}
    (profile / "Default" / "Preferences").write_text(json.dumps(chosen), "utf-8")


@asynccontextmanager
async def _process(path: str, folder: Path, hosts: Mapping[str, str]) -> AsyncIterator[str]:
    """Run Chromium; yield the address of its DevTools; afterwards end it with all its helpers."""
    flags = [*_FLAGS, f"--user-data-dir={folder / 'profile'}"]
    if os.geteuid() == 0:
        flags.append("--no-sandbox")  # Chromium refuses to make its sandbox as root
    if hosts:
        led = ",".join(f"MAP {name} {address}" for name, address in hosts.items())
        flags.append(f"--host-resolver-rules={led}")
    log = folder / "stderr"
    with log.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            *(path, *flags, "about:blank"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=stderr,
            start_new_session=True,
            env={**os.environ, "TZ": "UTC", "HOME": str(folder)},
        )
    try:
        yield await _address(process, folder / "profile" / "DevToolsActivePort", log)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def _address(process: asyncio.subprocess.Process, file: Path, log: Path) -> str:
    """Wait until Chromium has written where its DevTools listen: the port, and the path below it."""
    deadline = time.monotonic() + PATIENCE
    while process.returncode is None and time.monotonic() < deadline:
        lines = file.read_text().split() if file.exists() else []
        if len(lines) == 2:
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        await asyncio.sleep(_LOOK_AGAIN)
    last = log.read_text(errors="replace")[-800:]
    raise NoChromium(f"Chromium does not start (exit code {process.returncode}): {last}")
