"""Real programs as processes: started in a folder with a log, waited for, and never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from previewbot_demo.ports import free_port as free_port
from previewbot_demo.processes import die_with_parent

_LOOK_AGAIN = 0.05
_LOG_LINES = 15
COLLECTS_LITTLE = {"GOGC": "400"}
"""What has a program of Go's collect its garbage less often: processor time for memory, which tests have."""


class Component:
    """A program that is started with the same command as often as a test wants; its output goes to `log`."""

    def __init__(self, name: str, command: Sequence[str], directory: Path) -> None:
        self.name = name
        self.log = directory / f"{name}.log"
        self._command = list(command)
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None
        # The kernel takes the end of the thread that started a child for the death of its parent, and a test
        # may well start one in a thread that ends with the test.
        self._starter = ThreadPoolExecutor(max_workers=1)

    @property
    def running(self) -> bool:
        """Whether it is there."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process; it must be running."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it; the kernel ends it should this process die first."""
        self._process = self._starter.submit(self._spawn).result()

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Return once it is ready; raises AssertionError with its last words if it is not in time."""
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.running or time.monotonic() > deadline:
                why = f"not ready after {seconds:.0f} s" if self.running else "has ended"
                raise AssertionError(f"{self.name}: {why}\n{self.last_words()}")
            time.sleep(_LOOK_AGAIN)

    def kill(self) -> None:
        """End it at once, as a power cut would, and see it gone."""
        if self._process is not None:
            if self.running:
                self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def _spawn(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as output:
            return subprocess.Popen(
                self._command,
                cwd=self._directory,
                env=os.environ | COLLECTS_LITTLE,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=die_with_parent(),
            )

    def last_words(self) -> str:
        """Return the end of its log."""
        text = self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-_LOG_LINES:])
