"""What the terminal shows of a start: each step once it is done, and in a terminal also what is under way."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TextIO

_AGAIN = 0.5
_WIDEST = 79


class Progress:
    """Writes to `out`; on a terminal the line of a step that takes a while counts its seconds.

    Used as `with Progress(sys.stdout) as progress:` in a running loop; a line that is left open by a fault is
    ended there, so that what comes next begins at the left.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._live = out.isatty()
        self._what = ""
        self._began = 0.0
        self._counting: asyncio.Task[None] | None = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *fault: object) -> None:
        self._stop()
        if self._what:
            self._write("\n")
        self._what = ""

    def begins(self, what: str) -> None:
        """Show that a step is under way."""
        if not self._live:
            return
        self._stop()
        self._what, self._began = what, time.monotonic()
        self._counting = asyncio.get_running_loop().create_task(self._count())

    def done(self, what: str, seconds: float) -> None:
        """Show that a step is done, or say something in between."""
        self._stop()
        # The counting line is wiped out: the next may be shorter.
        self._write(("\r\x1b[K" if self._what else "") + f"  {seconds:5.2f} s  {what}\n")
        self._what = ""

    async def _count(self) -> None:
        while True:
            seconds = time.monotonic() - self._began
            self._write(f"\r\x1b[K  {seconds:5.1f} s  {self._what} …"[: _WIDEST + len("\r\x1b[K")])
            await asyncio.sleep(_AGAIN)

    def _stop(self) -> None:
        if self._counting is not None:
            self._counting.cancel()
        self._counting = None

    def _write(self, text: str) -> None:
        # A terminal that was closed is no reason to end: Ctrl-C and the signals still are.
        with contextlib.suppress(OSError):
            self._out.write(text)
            self._out.flush()
