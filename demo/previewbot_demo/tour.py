"""The tour: all that a person would try, done over HTTP, one line per step, ending at the first fault."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Literal

from previewbot_demo.browser import Browser
from previewbot_demo.command_tour import CommandTour
from previewbot_demo.state_tour import StateTour
from previewbot_demo.walking import LINK, Steps, first_line
from previewbot_demo.walking import Wrong as Wrong

Moment = Literal["ready", "pushed", "stopped", "merged"]
"""After which step of the tour programs ask."""

OLD_BUTTON, OLD_TOTAL = "Check out", "€ 78.50"
NEW_BANNER, NEW_BUTTON = "Autumn is here", "Get it home"
PUSHED_BANNER = "Free delivery until Sunday evening"
NEW_TOTAL = "€ 62.80"


class Tour(CommandTour, StateTour):
    """The steps, in order; each waits at most `patience` seconds for what has to happen."""

    def __init__(self, browser: Browser, patience: float) -> None:
        super().__init__(browser, patience)
        self._pricing = self._fork = self._catalog = 0

    @property
    def front_end(self) -> int:
        """The number of the pull request that changes the front end; 0 before it is opened."""
        return self._web

    @property
    def both(self) -> tuple[int, int]:
        """Return the numbers of those that change the front end and the prices; 0 before one is opened."""
        return self._web, self._pricing

    def steps(self) -> Steps:
        """Return each step's words and what it does."""
        return (
            ("staging shows the shop as it was", self.staging),
            ("Copilot changes the front end: one comment appears", self.opened),
            ("the comment gets a link", self.ready),
            ("the link shows the change", self.shown),
            ("staging does not", self.staging),
            ("Codex changes the prices: its link opens the front end with the new prices", self.backend),
            ("that one is Alice's own: the comment says which agent made it, and what tells", self.badged),
            ("both run at once, each shows only its own change", self.apart),
            ("previewbot asked both links before it announced them, and saw the change answer", self.proven),
            *self.for_programs("ready"),
            ("a new commit: the old preview serves until the new one does", self.pushed),
            *self.for_programs("pushed"),
            *self.commands(),
            ("`/preview stop` removes the session, and the link says so", self.stopped),
            *self.for_programs("stopped"),
            ("`/preview start` brings it back", self.started),
            *self.about_state(),
            ("a pull request from a fork runs nothing, and says why", self.fork),
            ("an agent's workflow waits for an approval, and the comment says so", self.waiting),
            (
                "it is approved and fails, beside another App's check: the comment names the build",
                self.failed,
            ),
            (
                "the check of that commit fails; the front end's and its deployment succeed and lead to it",
                self.checked,
            ),
            (
                "the check's buttons stop the preview and start it again, and the check says who pressed",
                self.pressed_on_and_off,
            ),
            ("closing removes the preview from the cluster, and the comment says so", self.closed),
            ("merging does too", self.merged),
            *self.for_programs("merged"),
            ("nothing is left, and each pull request has one status comment", self.nothing_left),
        )

    def for_programs(self, moment: Moment) -> Steps:
        """Return what programs are told at a moment; nothing where the tour has no way in for them."""
        del moment
        return ()

    async def staging(self) -> None:
        """Staging's own address shows the shop without any change."""
        await self._shows(f"{self._browser.shop}/cart", (OLD_BUTTON, OLD_TOTAL), (NEW_BANNER, NEW_TOTAL))

    async def opened(self) -> None:
        """An agent opens a pull request, and previewbot says something."""
        self._web = await self._browser.start_task("web")
        await self._until("a comment", lambda: self._status(self._web))

    async def ready(self) -> None:
        """The comment leads to the preview."""
        await self._linked(self._web)

    async def shown(self) -> None:
        """Behind the link is the changed front end, with staging's prices."""
        await self._shows(self._links[self._web], (NEW_BANNER, NEW_BUTTON, OLD_TOTAL), (OLD_BUTTON,))

    async def backend(self) -> None:
        """A change of a service without pages is seen through the front end."""
        self._pricing = await self._browser.start_task("pricing")
        link = await self._linked(self._pricing)
        await self._shows(link, ("Good things for slow mornings", "€ 38.40"), ("€ 40.80",))

    async def badged(self) -> None:
        """The comment tells which agent it is, by its account or its branch, and where that was asked for."""
        for number, words in (
            (self._web, "Opened by Copilot (its account)."),
            (self._web, "The basket should look like autumn"),
            (self._pricing, "Asked for in Codex's session"),
            (self._pricing, "Made with Codex (recognised by the branch name codex/…)."),
        ):
            if not await self._says(number, words):
                raise Wrong(f"the comment of pull request {number} does not say “{words}”")

    async def apart(self) -> None:
        """Three addresses, three shops."""
        cart = self._links[self._pricing].rstrip("/") + "/cart"
        await self._shows(cart, (NEW_TOTAL, OLD_BUTTON), (NEW_BANNER, OLD_TOTAL))
        await self.shown()
        await self.staging()
        await self._shows(f"{self._browser.shop}/", ("€ 48.00",), (NEW_BANNER, "€ 38.40"))

    async def proven(self) -> None:
        """At the front end's link mirrord's mark says so, at the other what pricing repeats of the header."""
        # One that has ended has no link any more, and stays until GitHub was told so.
        previews = await self._browser.previews()
        stored = {each["spec"]["number"]: each.get("status", {}).get("link", {}) for each in previews}
        for number, why in ((self._web, "ThisPreview"), (self._pricing, "PassedOn")):
            link = stored[number]
            if (link.get("proven"), link.get("why")) != ("Yes", why):
                raise Wrong(
                    f"the link of pull request {number} is proven: {link.get('proven')} {link.get('why')}"
                )

    async def pushed(self) -> None:
        """From the push on the link shows the old or the new, never staging; then comment and page agree."""
        link, before = self._links[self._web], (await self._comment(self._web)).text
        await self._browser.press(self._web, "push")
        await self.shown()

        async def renewed() -> bool:
            page = await self._browser.open(link)
            if page.status == 200 and NEW_BANNER not in page.text and PUSHED_BANNER not in page.text:
                raise Wrong("the link showed plain staging in between")
            return PUSHED_BANNER in page.text

        await self._until("the new commit behind the link", renewed)
        comment = await self._until(
            "the new commit in the comment", lambda: self._another_comment(self._web, before)
        )
        if comment.links[LINK] != link:
            raise Wrong(f"the link moved to {comment.links[LINK]}")

    async def stopped(self) -> None:
        """No session runs, and the link leads to a page that says so."""
        await self._command(self._web, "/preview stop", "rocket")
        await self._until("the session gone", lambda: self._runs(self._web, 0))
        await self._until("a comment that says so", lambda: self._says(self._web, "was stopped"))
        answer = await self._browser.open(self._links[self._web])
        page = await self._browser.open(answer.location) if answer.location else answer
        if page.status != 200 or "stopped" not in page.text:
            raise Wrong(f"the link does not say that it was stopped: {answer.status} {answer.location}")

    async def started(self) -> None:
        """The same link works again, with the newest commit."""
        await self._command(self._web, "/preview start", "rocket")
        await self._linked(self._web)
        await self._shows(self._links[self._web], (PUSHED_BANNER,), (OLD_BUTTON,))

    async def fork(self) -> None:
        """A stranger's change waits for somebody who may write here."""
        self._fork = await self._browser.start_task("fork")
        comment = await self._until("a comment", lambda: self._status(self._fork))
        if "comes from a fork" not in comment.text or not re.search(
            "/preview start [0-9a-f]{40}", comment.text
        ):
            raise Wrong(f"the comment says: {first_line(comment)}")
        if not await self._runs(self._fork, 0):
            raise Wrong("a session of the fork is in the cluster")

    async def waiting(self) -> None:
        """Nobody but a person can let an agent's workflow run; the comment says where."""
        self._catalog = await self._browser.start_task("catalog")
        await self._until("a comment", lambda: self._status(self._catalog))
        words = "Waiting for somebody to approve the workflow run"
        await self._until("what it waits for", lambda: self._says(self._catalog, words))
        link = (await self._comment(self._catalog)).links.get("approve here", "")
        page = await self._browser.open(link)
        if page.status != 200 or "Action required" not in page.text:
            raise Wrong(f"{link} does not show what waits")

    async def failed(self) -> None:
        """What builds nothing is not told as the build."""
        await self._browser.press(self._catalog, "approve")
        await self._until("a failed build", lambda: self._says(self._catalog, "its build failed"))
        comment = await self._comment(self._catalog)
        page = await self._browser.open(comment.links.get("build images", ""))
        if page.status != 200 or "Failure" not in page.text:
            raise Wrong(f"the comment does not lead to the build: {first_line(comment)}")
        if "codecov" in comment.text:
            raise Wrong(f"the comment blames another App's check: {first_line(comment)}")
        if not await self._runs(self._catalog, 0):
            raise Wrong("a session of what was not built is in the cluster")

    async def checked(self) -> None:
        """Programs read it there: how it came out, in the comment's words, and where to look at it."""
        for number, state, title in (
            (self._catalog, "failure", "The build failed"),
            (self._web, "success", f"The preview of pull request #{self._web} is ready"),
        ):

            async def says_so(number: int = number, wanted: tuple[str, str] = (state, title)) -> bool:
                check = await self._browser.check(number)
                return check is not None and (check.state, check.title) == wanted

            await self._until(f"the check of pull request {number}: {state}", says_so)
        check = await self._browser.check(self._web)
        if check is None or check.link != self._links[self._web] or check.buttons != ("stop", "extend"):
            raise Wrong(f"the check of pull request {self._web} does not lead to its preview: {check}")

        async def deployed() -> bool:
            found = await self._browser.deployments(self._web)
            return found[:1] == [("success", self._links[self._web])] and {
                state for state, _ in found[1:]
            } <= {"inactive"}

        # One of which no workflow was seen to run has its deployment some seconds later.
        await self._until(f"the deployment of pull request {self._web}", deployed)

    async def pressed_on_and_off(self) -> None:
        """What is pressed at a check is done as if it were written in a comment."""
        for identifier, title in (
            ("stop", "The preview was stopped"),
            ("start", f"The preview of pull request #{self._web} is ready"),
        ):
            check = await self._browser.check(self._web)
            if check is None or identifier not in check.buttons:
                raise Wrong(f"the check of pull request {self._web} has no button {identifier}: {check}")
            await self._browser.press_check(self._web, check, identifier)

            async def done(wanted: str = title) -> bool:
                check = await self._browser.check(self._web)
                return check is not None and check.title == wanted and " pressed " in check.text

            await self._until(f"the check after {identifier}: {title}", done)
        await self._shows(self._links[self._web], (PUSHED_BANNER,), (OLD_BUTTON,))

    async def closed(self) -> None:
        """Closing ends the backend's preview."""
        await self._browser.press(self._pricing, "close")
        await self._gone(self._pricing, "closed")

    async def merged(self) -> None:
        """Merging ends the front end's preview."""
        await self._browser.press(self._web, "merge")
        await self._gone(self._web, "merged")

    def _others(self) -> tuple[int, ...]:
        """Return the pull requests besides the first, in none of which previewbot has to answer in words."""
        numbers = (self._pricing, self._orders, self._packing, self._fork, self._catalog)
        return tuple(number for number in numbers if number)

    async def nothing_left(self) -> None:
        """The cluster is as before; nobody was written to twice."""
        for number in self._others():
            if number != self._pricing:
                await self._browser.press(number, "close")
        for what, stored in self._browser.kinds():
            await self._until(f"the last {what} gone", partial(_none, stored))
        for number, answers in ((self._web, 4), *((number, 0) for number in self._others())):
            count = len([r for r in await self._browser.conversation(number) if r.by_app])
            if count != answers + 1:
                raise Wrong(f"pull request {number} has {count} comments of previewbot, not {answers + 1}")

    async def _gone(self, number: int, why: str) -> None:
        await self._until("the session gone", lambda: self._runs(number, 0))
        words = f"no preview here now: the pull request was {why}"
        await self._until("a comment that says so", lambda: self._says(number, words))

        async def says_so() -> bool:
            answer = await self._browser.open(self._links[number])
            page = await self._browser.open(answer.location) if answer.location else answer
            return page.status == 404 and "No preview answers at this address now" in page.text

        await self._until("a page behind the link that says that nothing is there", says_so)


async def _none(stored: Callable[[], Awaitable[list[dict[str, Any]]]]) -> bool:
    return not await stored()
