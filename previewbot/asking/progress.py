"""How a wait goes, for whoever watches: a line for each change, and a sign of life in between."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import TextIO

from previewbot.asking.standing import Standing, State
from previewbot.asking.words import one_line
from previewbot.text.durations import spoken

_TICK = 1.0
_SIGN_OF_LIFE = 300.0
"""Seconds: some CI systems end a step that says nothing for ten minutes."""

_CLEAR = "\r\x1b[K"


class Progress:
    """Writes lines to a stream; on a terminal a last one shows that it goes on.

    No line begins with the words of others, which may be a command to GitHub's runner.
    """

    def __init__(self, stream: TextIO | None, now: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._now = stream, now
        self._began = self._spoken_at = now()
        self._last = ""
        is_terminal = stream is not None and stream.isatty()
        self._is_live = is_terminal and os.environ.get("TERM", "") not in ("", "dumb")

    def tell(self, standing: Standing) -> None:
        """Write how it stands now."""
        self._last = standing.words
        state = "waiting" if standing.state is State.NOTHING else standing.state.value
        self._write(f"[{self._passed()}] {state}: {one_line(self._last)}")

    def say(self, words: str) -> None:
        """Write something else that should be known."""
        self._write(f"[{self._passed()}] {one_line(words)}")

    @asynccontextmanager
    async def shown(self) -> AsyncIterator[None]:
        """Show signs of life as long as this is open."""
        ticking = asyncio.create_task(self._tick())
        try:
            yield
        finally:
            ticking.cancel()
            with suppress(asyncio.CancelledError):
                await ticking
            self._clear()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK)
            with suppress(OSError):
                self.sign_of_life()

    def sign_of_life(self) -> None:
        """Show that it goes on: on a terminal each time, else after minutes without a line."""
        if self._is_live:
            width = max(shutil.get_terminal_size().columns - 1, 20)
            line = f"… {self._passed()} {one_line(self._last)}"[:width]
            self._print(f"{_CLEAR}{line}", end="")
        elif self._now() - self._spoken_at >= _SIGN_OF_LIFE:
            passed = spoken(timedelta(seconds=self._now() - self._began))
            self._write(f"[{self._passed()}] still waiting, for {passed}: {one_line(self._last)}")

    def _write(self, line: str) -> None:
        self._clear()
        self._spoken_at = self._now()
        self._print(line)

    def _clear(self) -> None:
        if self._is_live:
            with suppress(BrokenPipeError):
                self._print(_CLEAR, end="")

    def _print(self, text: str, *, end: str = "\n") -> None:
        # A stream that cannot be written to (closed, a full disk) does not end the wait. Where somebody read
        # and does no more (`2>&1 | head`), nobody waits for its end either.
        if self._stream is None:
            return
        try:
            print(text, end=end, file=self._stream, flush=True)
        except BrokenPipeError:
            raise
        except (OSError, ValueError):
            self._stream = None

    def _passed(self) -> str:
        minutes, seconds = divmod(int(self._now() - self._began), 60)
        return f"{minutes}:{seconds:02}"
