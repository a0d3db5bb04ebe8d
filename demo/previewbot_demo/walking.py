"""Walking through the demo over HTTP: looking at pages, and waiting for what has to happen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from previewbot_demo.browser import Browser, Remark

T = TypeVar("T")

_LOOK_AGAIN = 0.1


class Wrong(Exception):
    """Something is not as described; the text says what was seen."""


class Walker:
    """Somebody with a browser, who waits at most `patience` seconds for anything."""

    def __init__(self, browser: Browser, patience: float) -> None:
        self._browser = browser
        self._patience = patience

    async def _status(self, number: int) -> Remark | None:
        """Return the status comment, the first of the App's; None while there is none."""
        remarks = await self._browser.conversation(number)
        return next((remark for remark in remarks if remark.by_app), None)

    async def _comment(self, number: int) -> Remark:
        """Return the status comment; without one something is wrong."""
        comment = await self._status(number)
        if comment is None:
            raise Wrong(f"pull request {number} has no status comment")
        return comment

    async def _says(self, number: int, words: str) -> bool:
        return words in (await self._comment(number)).text

    async def _first_words(self, number: int) -> str:
        comment = await self._status(number)
        return f"; the comment says: {first_line(comment)}" if comment else "; there is no comment"

    async def _shows(self, url: str, there: tuple[str, ...], not_there: tuple[str, ...]) -> None:
        page = await self._browser.open(url)
        if page.status != 200:
            raise Wrong(f"{url} answers {page.status} {page.location}".rstrip())
        for words in there:
            if words not in page.text:
                raise Wrong(f"{url} does not show “{words}”")
        for words in not_there:
            if words in page.text:
                raise Wrong(f"{url} shows “{words}”")

    async def _until(
        self,
        what: str,
        look: Callable[[], Awaitable[T | None]],
        seen: Callable[[], Awaitable[str]] | None = None,
    ) -> T:
        deadline = time.monotonic() + self._patience
        while True:
            found = await look()
            if found:
                return found
            if time.monotonic() > deadline:
                raise Wrong(f"no sign of {what} in {self._patience:.0f} s" + (await seen() if seen else ""))
            await asyncio.sleep(_LOOK_AGAIN)


def first_line(comment: Remark) -> str:
    """Return the first line of a comment that says something."""
    return next((line for line in comment.text.splitlines() if line.strip()), "")
