"""Waits until the preview of a commit is ready, or will not be: looks, says what changed, looks again."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from previewbot.api.reference import Reference
from previewbot.asking.source import Look, Source
from previewbot.asking.standing import Standing, State
from previewbot.errors import Invalid, TryLater
from previewbot.text.durations import spoken

_GROWTH = 1.5
_SPREAD = 0.2
_SHORTEST_LOOK = 5.0


@dataclass(frozen=True)
class Patience:
    """How long to wait, all in seconds.

    After `grace` without anything of previewbot's for this commit it is taken for never triggered. Between
    two looks there are `first` seconds after something changed, then ever more, up to `longest`; each is up
    to a fifth longer or shorter, so that many who wait do not ask at the same moment.
    """

    timeout: float = 1800.0
    grace: float = 180.0
    first: float = 3.0
    longest: float = 30.0


class Clock(Protocol):
    """What time it is, in seconds since whenever, and how it passes."""

    def now(self) -> float:
        """Return the time; it never goes back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let so much of it pass."""
        ...


class RealClock:
    """The clock of the machine."""

    def now(self) -> float:
        """Return the time; it stands still while the machine sleeps, as what we wait for may."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Let so much of it pass."""
        await asyncio.sleep(seconds)


Tell = Callable[[Standing], None]
Say = Callable[[str], None]


async def wait(
    source: Source,
    reference: Reference,
    sha: str,
    patience: Patience,
    *,
    tell: Tell = lambda standing: None,
    say: Say = lambda words: None,
    clock: Clock | None = None,
) -> Standing:
    """Return how the preview of a commit came out: a final standing, at the latest after the time-out.

    `sha` "" is the commit that is newest when it begins. `tell` is told of each change, and of the end; `say`
    what should be known besides, each once. Raises RemoteError for what will not change by waiting: a token
    that is refused, a repository that is not there, nothing of the App that was named where another's is.
    """
    return await _Wait(source, reference, sha, patience, tell, say, clock or RealClock()).run()


class _Wait:
    """One waiting, from its first look to its end."""

    def __init__(
        self,
        source: Source,
        reference: Reference,
        sha: str,
        patience: Patience,
        tell: Tell,
        say: Say,
        clock: Clock,
    ) -> None:
        self._source, self._reference, self._sha = source, reference, sha
        self._patience, self._tell, self._say, self._clock = patience, tell, say, clock
        self._last = Standing(State.NOTHING, f"nothing is known yet of {sha[:7] or reference}", sha=sha)
        self._said: set[str] = set()
        self._first_answer: float | None = None
        self._pause, self._trouble, self._doubt = patience.first, "", ""

    async def run(self) -> Standing:
        """Look until it is over."""
        deadline = self._clock.now() + self._patience.timeout
        while True:
            left = deadline - self._clock.now()
            asked_to_wait = await self._look_once(max(left, _SHORTEST_LOOK))
            if self._last.state.is_final:
                return self._last
            left = deadline - self._clock.now()
            if left <= 0 or asked_to_wait > left:
                return self._timed_out(asked_to_wait if left > 0 else 0.0)
            # The last look is at the very end of the time, not before it.
            await self._clock.sleep(min(max(self._next_pause(), asked_to_wait), left))
            self._pause = min(self._pause * _GROWTH, self._patience.longest)

    def _next_pause(self) -> float:
        pause = self._pause * random.uniform(1 - _SPREAD, 1 + _SPREAD)
        if self._first_answer is None or self._last.state is not State.NOTHING:
            return pause
        left = self._first_answer + self._patience.grace - self._clock.now()
        return min(pause, left) if left > 0 else pause

    async def _look_once(self, seconds: float) -> float:
        """Look, and note what was found; return the seconds that somebody asked us to wait, 0 for none."""
        try:
            async with asyncio.timeout(seconds):
                self._sha = self._sha or await self._newest()
                look = await self._look()
        except TimeoutError:
            self._note_trouble(f"no answer from {self._source.whom} within {seconds:.0f} s")
            return 0.0
        except TryLater as error:
            self._note_trouble(f"{self._source.whom}: {error.message or error}")
            return error.after or 0.0
        self._trouble = ""
        for note in look.notes:
            self._say_once(note)
        self._take(look.standing, look.doubt)
        return 0.0

    async def _newest(self) -> str:
        sha = await self._source.head(self._reference)
        if sha:
            self._say_once(f"the newest commit is {sha}")
        return sha

    async def _look(self) -> Look:
        if self._sha:
            return await self._source.look(self._reference, self._sha)
        return Look(Standing(State.NOTHING, "previewbot has no preview of this pull request"))

    def _take(self, standing: Standing, doubt: str) -> None:
        now, self._doubt = self._clock.now(), doubt if standing.state is State.NOTHING else ""
        if self._first_answer is None:
            # Counted from here: while nobody answers, nothing can be seen of what is there.
            self._first_answer = now
        if standing.state is State.NOTHING and now - self._first_answer >= self._patience.grace:
            words = f"{standing.words} (still so after {_in_words(self._patience.grace)})"
            standing = replace(standing, state=standing.at_last, words=words)
            if doubt and standing.state is State.NEVER_TRIGGERED:
                # Who lets a pull request without a preview pass would never learn that nothing is tested.
                raise Invalid(str(self._reference), message=f"{words}; {doubt}")
        if standing != self._last:
            self._pause = self._patience.first
            self._tell(standing)
        self._last = standing

    def _note_trouble(self, words: str) -> None:
        self._trouble = words
        self._say_once(f"{words}; it is asked again")

    def _say_once(self, words: str) -> None:
        if words not in self._said:
            self._said.add(words)
            self._say(words)

    def _timed_out(self, asked_to_wait: float) -> Standing:
        waited = _in_words(self._patience.timeout)
        words = "; ".join(filter(None, (f"not ready after {waited}: {self._last.words}", self._doubt)))
        if self._trouble:
            words = f"not ready after {waited}; the last look failed: {self._trouble}"
        if asked_to_wait:
            until = _in_words(asked_to_wait)
            words = f"given up: {self._trouble}, for another {until}, which is more time than is left"
        ended = replace(self._last, state=State.TIMED_OUT, words=words)
        self._tell(ended)
        return ended


def _in_words(seconds: float) -> str:
    """Return a time as people say it; of less than a minute they want to know how much."""
    return spoken(timedelta(seconds=seconds)) if seconds >= 60 else f"{seconds:.0f} s"
