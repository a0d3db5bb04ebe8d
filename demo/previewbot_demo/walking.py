"""Walking through the demo over HTTP: looking at pages, and waiting for what has to happen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from previewbot_demo.browser import Browser, Remark

T = TypeVar("T")

Steps = tuple[tuple[str, Callable[[], Awaitable[None]]], ...]
"""Each step's words, and what it does."""

LINK = "Open the preview"
_LOOK_AGAIN = 0.1


class Wrong(Exception):
    """Something is not as described; the text says what was seen."""


class Walker:
    """Somebody with a browser, who waits at most `patience` seconds for anything."""

    def __init__(self, browser: Browser, patience: float) -> None:
        self._browser = browser
        self._patience = patience
        self._links: dict[int, str] = {}

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

    async def _command(self, number: int, words: str, reaction: str, answer: str = "") -> None:
        """Write a command into a pull request; return once it has a reaction, and an answer."""
        written = await self._browser.comment(number, words)

        async def answered() -> bool:
            remarks = await self._browser.conversation(number)
            mine = next(remark for remark in remarks if remark.id == written)
            replies = [remark for remark in remarks if remark.by_app and remark.id > written]
            return reaction in mine.reactions and (not answer or any(answer in r.text for r in replies))

        await self._until(f"the reaction {reaction}" + (f" and “{answer}”" if answer else ""), answered)

    async def _linked(self, number: int) -> str:
        """Return the link of a pull request's comment, once there is one."""

        async def linked() -> Remark | None:
            comment = await self._status(number)
            return comment if comment is not None and LINK in comment.links else None

        comment = await self._until("a link", linked, lambda: self._first_words(number))
        self._links[number] = comment.links[LINK]
        return self._links[number]

    async def _another_comment(self, number: int, before: str) -> Remark | None:
        """Return the comment of a pull request if it has a link and says something new."""
        comment = await self._comment(number)
        return comment if LINK in comment.links and comment.text != before else None

    async def _runs(self, number: int, count: int) -> bool:
        """Say whether so many sessions of a pull request are in the cluster."""
        wanted = f"-{number}"
        names = [s["metadata"]["labels"]["previewbot.dev/preview"] for s in await self._browser.sessions()]
        return len([name for name in names if name.endswith(wanted)]) == count


def first_line(comment: Remark) -> str:
    """Return the first line of a comment that says something."""
    return next((line for line in comment.text.splitlines() if line.strip()), "")
