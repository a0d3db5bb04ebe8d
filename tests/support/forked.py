"""Starts previewbot's processes from one that has imported all of it already; see `fork_server.py`."""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from previewbot_demo.processes import Child, die_with_parent, spawn

_ROOT = Path(__file__).parents[2]
_GONE_IN = 0.002
_LOOK_AGAIN = 0.02


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
    return _fork(rest[2], rest[2:], environment, directory, log, log)


def run_forked(
    arguments: Sequence[str], environment: Mapping[str, str], patience: float
) -> subprocess.CompletedProcess[str]:
    """Run a command of previewbot's to its end by a fork; raises `subprocess.TimeoutExpired`, as `run` does.

    One that a signal ends has no code: that is an AssertionError.
    """
    deadline = time.monotonic() + patience
    name = arguments[0] if arguments[0] in ("web", "pages", "controller") else "asking"
    with tempfile.TemporaryDirectory(prefix="previewbot-run-") as directory:
        out, errors, code = (Path(directory) / each for each in ("out", "errors", "code"))
        child = _fork(name, arguments, environment, Path.cwd(), out, errors, code)
        while child.returncode is None:
            if time.monotonic() > deadline:
                os.killpg(child.pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired(list(arguments), patience)
            time.sleep(_LOOK_AGAIN)
        assert code.exists(), f"{arguments} ended without a code: {errors.read_text()}"
        return subprocess.CompletedProcess(
            arguments, int(code.read_text()), out.read_text(), errors.read_text()
        )


def _fork(
    name: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    directory: Path,
    log: Path,
    errors: Path,
    code: Path | None = None,
) -> Forked:
    request = {
        "arguments": list(arguments),
        "environment": dict(environment),
        "directory": str(directory),
        "log": str(log),
        "errors": str(errors),
        "code": str(code or ""),
    }
    with socket.socket(socket.AF_UNIX) as connection, connection.makefile() as lines:
        connection.connect(str(_server(name)))
        connection.sendall(json.dumps(request).encode() + b"\n")
        return Forked(int(lines.readline()))


@cache
def _server(what: str) -> Path:
    """Start this process' fork server for a command, or for "asking", once; return where it listens."""
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
