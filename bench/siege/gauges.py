"""What is measured under an attack: memory, the answers to probes, the answers to signed deliveries."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import multiprocessing
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import aiohttp

from previewbot_demo.processes import Process

_PATIENCE = aiohttp.ClientTimeout(total=10)
"""GitHub gives up after ten seconds."""


@dataclass
class Times:
    """How long each answer took, in seconds; what came to nothing is counted as `lost`."""

    seconds: list[float] = field(default_factory=list)
    lost: int = 0

    @property
    def worst(self) -> float:
        """The longest."""
        return max(self.seconds, default=0.0)

    def line(self) -> str:
        """Return them in words."""
        answered = f"{self.worst * 1000:6.0f} ms" if self.seconds else "   none  "
        return f"{answered}, {self.lost:3} of {len(self.seconds) + self.lost:3} lost"


def forget_peak(process: Process) -> None:
    """Let the peaks of memory begin anew (https://man7.org/linux/man-pages/man5/proc_pid_clear_refs.5.html)."""
    for pid in _pids(process):
        Path(f"/proc/{pid}/clear_refs").write_text("5", "utf-8")


def peak(process: Process) -> float:
    """Return the peak of resident memory in MiB, of its largest process."""
    return max(_peak(pid) for pid in _pids(process))


def _peak(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), 0.0)


def _pids(process: Process) -> list[int]:
    """Return the process and its children."""
    children = Path(f"/proc/{process.child.pid}/task/{process.child.pid}/children").read_text("utf-8")
    return [process.child.pid, *map(int, children.split())]


@asynccontextmanager
async def measured(
    every: float, ask: Callable[[aiohttp.ClientSession], Awaitable[bool]]
) -> AsyncIterator[Times]:
    """Ask every so many seconds, each time on a connection of its own, whether or not answers come."""
    times = Times()
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    async with aiohttp.ClientSession(connector=connector, timeout=_PATIENCE) as session:
        asking: set[asyncio.Task[None]] = set()

        async def ask_once() -> None:
            began = time.monotonic()
            with contextlib.suppress(aiohttp.ClientError, OSError):
                if await ask(session):
                    times.seconds.append(time.monotonic() - began)
                    return
            times.lost += 1

        async def go_on() -> None:
            while True:
                asking.add(asyncio.create_task(ask_once()))
                await asyncio.sleep(every)

        going = asyncio.create_task(go_on())
        try:
            yield times
        finally:
            going.cancel()
            await asyncio.wait(asking)


@asynccontextmanager
async def probed_from_outside(every: float, url: str) -> AsyncIterator[Times]:
    """Ask a probe every so many seconds, from a process of its own; the times are there afterwards.

    The world answers megabytes in this process, and would hold up whoever asks here.
    """
    times = Times()
    context = multiprocessing.get_context("spawn")
    ours, its = context.Pipe()
    prober = context.Process(target=_probe, args=(every, url, its), daemon=True)
    prober.start()
    await asyncio.to_thread(ours.recv)
    try:
        yield times
    finally:
        ours.send(None)
        found: Times = await asyncio.to_thread(ours.recv)
        times.seconds, times.lost = found.seconds, found.lost
        prober.join()


def _probe(every: float, url: str, pipe: Connection) -> None:
    async def until_told() -> Times:
        async with measured(every, probe(url)) as times:
            pipe.send(None)
            await asyncio.to_thread(pipe.recv)
        return times

    pipe.send(asyncio.run(until_told()))


def probe(url: str) -> Callable[[aiohttp.ClientSession], Awaitable[bool]]:
    """Return what asks a probe."""

    async def ask(session: aiohttp.ClientSession) -> bool:
        async with session.get(url) as answer:
            return answer.status == 200

    return ask


def deliver(url: str, secret: str) -> Callable[[aiohttp.ClientSession], Awaitable[bool]]:
    """Return what sends a signed delivery about one of ten pull requests."""
    sent = 0

    async def ask(session: aiohttp.ClientSession) -> bool:
        nonlocal sent
        sent += 1
        body = json.dumps(_payload(1 + sent % 10)).encode()
        headers = {
            "Content-Type": "application/json",
            "X-GitHub-Event": "pull_request",
            "X-GitHub-Delivery": f"siege-{sent}",
            "X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
        }
        async with session.post(url, data=body, headers=headers) as answer:
            return answer.status == 202

    return ask


def _payload(number: int) -> dict[str, object]:
    return {
        "action": "synchronize",
        "pull_request": {"number": number, "updated_at": "2026-03-01T10:00:00Z"},
        "repository": {"id": 812, "full_name": "acme/shop"},
        "installation": {"id": 1},
    }
