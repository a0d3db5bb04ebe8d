"""Starts previewbot's processes from one that has imported all of it already; see `fork_server.py`."""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from previewbot_demo.processes import Child, die_with_parent, spawn

_ROOT = Path(__file__).parents[2]
_GONE_IN = 0.002


class Forked:
    """A process that the fork server started; its exit code is not known, only that it ended."""

    def __init__(self, number: int) -> None:
        self.pid = number
        self._ended = False

    @property
    def returncode(self) -> int | None:
        """None while it runs."""
        return None if self._runs() else -1

    async def wait(self) -> int:
        """Wait until it is gone, and what it listened on with it."""
        while self._runs():
            await asyncio.sleep(_GONE_IN)
        return -1

    def _runs(self) -> bool:
        if not self._ended:
            try:
                os.kill(self.pid, 0)
            except ProcessLookupError:
                self._ended = True
        return not self._ended


async def spawn_forked(
    command: Sequence[str], environment: Mapping[str, str], directory: Path, log: Path
) -> Child:
    """Start a command of previewbot's by a fork, any other as it is."""
    program, *rest = command
    if program != sys.executable or rest[:2] != ["-m", "previewbot"]:
        return await spawn(command, environment, directory, log)
    request = {
        "arguments": rest[2:],
        "environment": dict(environment),
        "directory": str(directory),
        "log": str(log),
    }
    with socket.socket(socket.AF_UNIX) as connection, connection.makefile() as lines:
        connection.connect(str(_server(rest[2])))
        connection.sendall(json.dumps(request).encode() + b"\n")
        return Forked(int(lines.readline()))


@cache
def _server(what: str) -> Path:
    """Start this process' fork server for `web`, `pages` or `controller`, once; return where it listens."""
    directory = Path(tempfile.mkdtemp(prefix="previewbot-fork-"))
    path = directory / "socket"
    server = subprocess.Popen(
        [sys.executable, "-u", "-m", "tests.support.fork_server", what, str(path)],
        cwd=_ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(_ROOT), str(_ROOT / "demo")])},
        stdout=subprocess.PIPE,
        preexec_fn=die_with_parent(),
    )

    def end() -> None:
        server.kill()
        server.wait()
        shutil.rmtree(directory, ignore_errors=True)

    atexit.register(end)
    assert server.stdout is not None
    with server.stdout:
        assert server.stdout.readline() == b"ready\n"
    return path
