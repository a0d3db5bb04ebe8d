"""How much memory a browser takes, and its end where that is too much: a page then costs itself alone.

Neither Chromium nor the kernel bounds this well. V8's limits do not hold arrays, a limit of each process's
own memory is no limit of all of them, and where a container's limit is reached Kubernetes ends the whole of
it by default, so the worker with all pictures (`memory.oom.group`,
https://kubernetes.io/docs/concepts/architecture/cgroups/).
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_EACH = 0.1
"""Seconds from one look at the memory to the next: a page fills a few hundred MiB in a second."""

_PROC = Path("/proc")
_OWN = (b"RssAnon:", b"RssShmem:")
"""What is a process's own (https://docs.kernel.org/filesystems/proc.html); pages of files give way by
themselves."""


@dataclass(frozen=True)
class Process:
    """A process as /proc shows it: its parent, and the session that it belongs to."""

    pid: int
    parent: int
    session: int


@dataclass
class Watched:
    """What became of a browser: whether it was ended for its memory, and the most that it took, in bytes."""

    ended: bool = False
    most: int = 0


class Watch:
    """Ends the browsers that this process starts once they take `most` bytes together."""

    def __init__(self, most: int, each: float = _EACH) -> None:
        self._most, self._each = most, each

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[Watched]:
        """Watch browsers that are started meanwhile; at the end what is left of them is ended."""
        watched, browsers = Watched(), Browsers()
        watching = asyncio.create_task(self._watch(watched, browsers))
        try:
            yield watched
        finally:
            watching.cancel()
            await asyncio.wait({watching})
            _end(browsers.processes())

    async def _watch(self, watched: Watched, browsers: Browsers) -> None:
        while True:
            began = time.monotonic()
            found = browsers.processes()
            taken = sum(memory_of(each) for each in found)
            watched.most = max(watched.most, taken)
            if taken > self._most:
                watched.ended = True
                _end(found)
            # On a machine with thousands of processes a look takes long, and there is more to do.
            await asyncio.sleep(max(self._each, 4 * (time.monotonic() - began)))


class Browsers:
    """Browsers that are started from now on: they have sessions of their own, and Playwright's program has
    this one's."""

    def __init__(self) -> None:
        processes = {each.pid: each for each in _processes()}
        self._others = {each.session for each in _below(os.getpid(), processes)} | {os.getsid(0)}
        self._sessions = set[int]()

    def processes(self) -> list[int]:
        """Return all their processes that are there now."""
        processes = {each.pid: each for each in _processes()}
        sessions = {each.session for each in _below(os.getpid(), processes)}
        # Kept, since a process that loses its parent stays in its session.
        self._sessions |= sessions - self._others
        return [each.pid for each in processes.values() if each.session in self._sessions]


def memory_of(pid: int) -> int:
    """Return the bytes of memory that are a process's own; 0 if it is gone."""
    with suppress(OSError):
        lines = (_PROC / str(pid) / "status").read_bytes().splitlines()
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(_OWN))
    return 0


def _below(pid: int, processes: Mapping[int, Process]) -> Iterator[Process]:
    children: dict[int, list[Process]] = {}
    for each in processes.values():
        children.setdefault(each.parent, []).append(each)
    left = [pid]
    while left:
        found = children.pop(left.pop(), [])
        yield from found
        left.extend(each.pid for each in found)


def _processes() -> Iterator[Process]:
    for name in os.listdir(_PROC):
        if name.isdigit():
            with suppress(OSError, ValueError, IndexError):
                # The name of a program may have anything in it, also brackets.
                fields = (_PROC / name / "stat").read_bytes().rpartition(b")")[2].split()
                yield Process(int(name), int(fields[1]), int(fields[3]))


def _end(pids: list[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
