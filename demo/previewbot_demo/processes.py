"""Child processes of the demo: started, waited for, and never left behind.

On Linux the kernel itself ends a child when the demo dies, however it dies (`PR_SET_PDEATHSIG`,
https://man7.org/linux/man-pages/man2/pr_set_pdeathsig.2const.html).
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import aiohttp

from previewbot_demo.ports import free_port

_PR_SET_PDEATHSIG = 1
_FIRST_ANSWER = 60.0
"""Only a fault takes as long; a machine that is busy with something else has taken 20."""

_GOODBYE = 5.0
_LOOK_AGAIN = 0.03


class StartError(Exception):
    """A process ended, or did not answer, before it served; the text says what it last wrote."""


class Child(Protocol):
    """A child process, as asyncio has them."""

    @property
    def pid(self) -> int:
        """Its number, which is also that of its process group."""

    @property
    def returncode(self) -> int | None:
        """How it ended; None while it runs."""

    async def wait(self) -> int:
        """Wait until it has ended; return how."""


Spawn = Callable[[Sequence[str], Mapping[str, str], Path, Path], Awaitable[Child]]
"""Starts a command, with an environment, in a folder, and appends what it writes to a log."""


@dataclass(frozen=True)
class Process:
    """A running child that serves HTTP at `port` of 127.0.0.1, and its probes at `probe_port`.

    `log` holds what it wrote.
    """

    child: Child
    port: int
    log: Path
    probe_port: int

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def probe_url(self) -> str:
        """Where its probes are."""
        return f"http://127.0.0.1:{self.probe_port}"

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self.child.returncode is None

    def last_words(self, lines: int = 1) -> str:
        """Return the last lines that it wrote."""
        text = self.log.read_text(encoding="utf-8", errors="replace").strip()
        return "\n".join(text.splitlines()[-lines:])

    async def stop(self) -> None:
        """Ask it to end, and after 5 s make it."""
        await self._signal(signal.SIGTERM)

    async def kill(self) -> None:
        """End it at once, as a power cut would."""
        await self._signal(signal.SIGKILL)

    async def _signal(self, number: signal.Signals) -> None:
        if self.running:
            _signal_group(self.child.pid, number)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_GOODBYE):
                    await self.child.wait()
        # What it started itself must not outlive it either.
        _signal_group(self.child.pid, signal.SIGKILL)
        await self.child.wait()


async def spawn(command: Sequence[str], environment: Mapping[str, str], directory: Path, log: Path) -> Child:
    """Start a command in its own process group."""
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *command,
            cwd=directory,
            env=dict(environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=die_with_parent(),
        )


async def start(
    command: Sequence[str],
    environment: Mapping[str, str],
    directory: Path,
    log: Path,
    port: int,
    ready: str,
    spawn: Spawn = spawn,
    probe_port: int | None = None,
) -> Process:
    """Start a command and wait until `ready`, a path, answers 200 at `probe_port`, or without one at `port`.

    Raises `StartError` if it ends, or does not answer within 60 s.
    """
    process = Process(await spawn(command, environment, directory, log), port, log, probe_port or port)
    try:
        await _until_ready(process, process.probe_url + ready)
    except BaseException:
        await process.kill()
        raise
    return process


async def start_service(source: Path, environment: Mapping[str, str], log: Path) -> Process:
    """Start a service of the shop from its unpacked source; raises `StartError`."""
    port = free_port()
    command = (sys.executable, "-B", "-u", "app.py")
    clean = {"PATH": os.environ.get("PATH", os.defpath), "PYTHONUTF8": "1"}
    return await start(
        command, clean | dict(environment) | {"PORT": str(port)}, source, log, port, "/healthz"
    )


async def _until_ready(process: Process, url: str) -> None:
    timeout = aiohttp.ClientTimeout(total=2)
    deadline = asyncio.get_running_loop().time() + _FIRST_ANSWER
    async with aiohttp.ClientSession(timeout=timeout) as session:
        while asyncio.get_running_loop().time() < deadline:
            if not process.running:
                raise StartError(f"exited with code {process.child.returncode}: {process.last_words()}")
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with session.get(url) as response:
                    if response.status == 200:
                        return
            await asyncio.sleep(_LOOK_AGAIN)
    raise StartError(f"did not answer within {_FIRST_ANSWER:.0f} s: {process.last_words()}")


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def die_with_parent() -> Callable[[], None] | None:
    """Return what a child runs before it becomes its program; prepared here, so that it is one call there."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None, use_errno=True)

    def ask() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    return ask
