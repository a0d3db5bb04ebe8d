"""The part of the tour about commands: questions, a later end, and a slip of the finger."""

from __future__ import annotations

import re

from previewbot_demo.browser import Browser, Remark
from previewbot_demo.walking import Steps, Walker


class CommandTour(Walker):
    """Commands in the pull request that changes the front end, `_web`; 0 before it is opened."""

    def __init__(self, browser: Browser, patience: float) -> None:
        super().__init__(browser, patience)
        self._web = 0

    def commands(self) -> Steps:
        """Return the steps, in order."""
        return (
            ("`/preview status` is answered", self.status),
            ("`/preview extend 2h` moves the end", self.extended),
            ("`/preview help` is answered", self.help),
            ("a command that does not exist is answered with what was meant", self.nonsense),
        )

    async def status(self) -> None:
        """A question is answered."""
        await self._command(self._web, "/preview status", "rocket", "is running, open until")

    async def extended(self) -> None:
        """The new end is in the answer and in the comment."""
        before = _end(await self._comment(self._web))
        await self._command(self._web, "/preview extend 2h", "rocket", "now stays open until")

        async def moved() -> bool:
            return _end(await self._comment(self._web)) != before

        await self._until("a later end in the comment", moved)

    async def help(self) -> None:
        """The commands are explained."""
        await self._command(self._web, "/preview help", "rocket", "/preview extend 2h")

    async def nonsense(self) -> None:
        """A slip of the finger is met with a suggestion."""
        await self._command(self._web, "/preview strat", "confused", "did you mean /preview start?")


def _end(comment: Remark) -> str:
    found = re.search(r"Open until (.+? UTC)", comment.text)
    return found[1] if found else ""
