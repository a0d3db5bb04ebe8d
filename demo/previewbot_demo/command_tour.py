"""The part of the tour about commands: questions, a later end, and a slip of the finger."""

from __future__ import annotations

import re

from previewbot_demo.browser import Browser, Remark
from previewbot_demo.walking import Steps, Walker, Wrong


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
            (
                "the check's button `2 h longer` does so too, and the check says who pressed",
                self.pressed,
            ),
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

    async def pressed(self) -> None:
        """A button of the check moves the end once more; it is answered there, and in no comment."""
        before, said = _end(await self._comment(self._web)), len(await self._browser.conversation(self._web))
        check = await self._browser.check(self._web)
        if check is None or "extend" not in check.buttons:
            raise Wrong(f"the check of pull request {self._web} has no such button: {check}")
        await self._browser.press_check(self._web, check, "extend")

        async def moved() -> bool:
            later = _end(await self._comment(self._web)) != before
            page = await self._browser.pull(self._web)
            return later and "pressed <code>2 h longer</code>" in page

        async def seen() -> str:
            now, check = _end(await self._comment(self._web)), await self._browser.check(self._web)
            return f"; before it was {before!r}, now {now!r}, and the check says: {check}"

        await self._until("a later end, and the check's words", moved, seen)
        if len(await self._browser.conversation(self._web)) != said:
            raise Wrong("a button is answered by a comment")

    async def nonsense(self) -> None:
        """A slip of the finger is met with a suggestion."""
        await self._command(self._web, "/preview strat", "confused", "did you mean /preview start?")


def _end(comment: Remark) -> str:
    found = re.search(r"Open until (.+? UTC)", comment.text)
    return found[1] if found else ""
