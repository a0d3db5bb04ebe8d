"""The tour of the demo's own world: the tour, with the page that the demo opens with and with programs."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from functools import partial

import aiohttp

from previewbot_demo.browser import Browser, Glass
from previewbot_demo.demo_page import DemoPage
from previewbot_demo.program_tour import ProgramTour
from previewbot_demo.programs import Doors, Programs
from previewbot_demo.reviewer import SAY, Reviewer
from previewbot_demo.tasks import MARIA
from previewbot_demo.tour import Moment, Tour
from previewbot_demo.walking import Steps, Wrong
from previewbot_demo.world import REPOSITORY, World


class DemoTour(Tour):
    """The tour with the demo's own page beside it, which ticks off what is done, and with programs."""

    def __init__(self, browser: Browser, patience: float, programs: Programs, reviewer: Reviewer) -> None:
        super().__init__(browser, patience)
        self._reviewer = reviewer
        self._page = DemoPage(browser)
        self._programs = ProgramTour(browser, patience, programs)

    def about_state(self) -> Steps:
        """Return what previews have of their own, and what the demo's broker is for."""
        words = "Cursor changes the packers: they pack what is ordered through its link, and nothing else"
        return (*super().about_state(), (words, self.packed))

    def commands(self) -> Steps:
        """Return the steps about what people ask for and say."""
        words = (
            "Maria signs in from the comment and says what should change: a comment of hers, and the agent's"
        )
        return (*super().commands(), (words, self.said))

    def for_programs(self, moment: Moment) -> Steps:
        """Return what programs are told at this moment."""
        asks, front_end = self._programs, self._of_the_front_end
        steps: dict[Moment, Steps] = {
            "ready": (
                (
                    "programs are told the same as JSON, by both addresses and in the comment",
                    front_end(asks.told),
                ),
                (
                    "asked again it is 304; without the bearer no more is told than by the page",
                    front_end(asks.asked_again),
                ),
                ("answers through the link name the commit, staging's name none", front_end(asks.named)),
                (
                    "`previewbot wait` has waited for it since it was opened: 0, and the link",
                    front_end(asks.waited),
                ),
            ),
            "pushed": (
                ("JSON, comment and answers name the new commit to programs", front_end(asks.told_anew)),
            ),
            "stopped": (
                (
                    "programs are told that it has ended, and the link names no commit",
                    front_end(asks.told_of_the_end),
                ),
            ),
            "merged": (
                (
                    "`previewbot wait` ended with 3 for a commit that was replaced, with 1 for one not built",
                    self._waited_in_vain,
                ),
            ),
        }
        return steps[moment]

    def steps(self) -> Steps:
        """Return the steps, each seen by the page, and what is asked of the page itself."""
        return (
            ("the demo's page shows pull request, staging and preview side by side", self._page.shows),
            *((words, partial(self._seen, step)) for words, step in super().steps()),
            ("the demo's page has ticked off all that there is to try", self._page.ticked),
        )

    async def opened(self) -> None:
        """An agent opens a pull request, and its CI begins to wait for the preview."""
        await super().opened()
        await self._programs.wait_for(self._web)

    async def said(self) -> None:
        """Whoever reads no code says what they think, in their own name, and it is handed to the agent."""
        address, words = (await self._comment(self._web)).links.get(SAY, ""), "The banner hides the basket."
        signed_in = await self._reviewer.sign_in(address)
        if "Hand it to Copilot" not in signed_in.text:
            raise Wrong(f"the page is not for somebody who may write: {signed_in.status}")
        thanks = await self._reviewer.say(address, "hand", words)
        if "Thank you." not in thanks.text:
            raise Wrong(f"nothing was said: {thanks.status}")
        remarks = await self._browser.conversation(self._web)
        hers = next((each for each in remarks if words in each.text), None)
        if hers is None or hers.by_app or "@copilot" not in hers.text:
            raise Wrong("there is no such comment in her own name")
        await self._until(
            "what she said in previewbot's comment", lambda: self._says(self._web, "needs work")
        )

    async def failed(self) -> None:
        """Somebody waits for what is not built, too, and asks previewbot itself."""
        await super().failed()
        await self._programs.wait_for(self._catalog, with_bearer=True)

    async def close(self) -> None:
        """End what was started on the way."""
        await self._programs.close()

    def _of_the_front_end(self, step: Callable[[int, str], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        return lambda: step(self._web, self._links[self._web])

    async def _waited_in_vain(self) -> None:
        await self._programs.waited_in_vain(self._web, self._catalog)

    async def _seen(self, step: Callable[[], Awaitable[None]]) -> None:
        await step()
        await self._page.look()


async def check(world: World, patience: float = 30.0, say: Callable[[str], None] = print) -> int:
    """Take the tour in a world; say each step and how long it took; return 0, or 1 at the first fault."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        reviewer = Reviewer(session, MARIA.login)
        tour = DemoTour(browser_of(world, session), patience, programs_of(world, session), reviewer)
        try:
            for words, step in tour.steps():
                began = time.monotonic()
                try:
                    await step()
                except (Wrong, aiohttp.ClientError, TimeoutError) as fault:
                    say(f"FAILED {time.monotonic() - began:5.2f} s  {words}")
                    say(f"       {fault or type(fault).__name__}")
                    return 1
                say(f"    ok {time.monotonic() - began:5.2f} s  {words}")
        finally:
            await tour.close()
    return 0


def browser_of(world: World, session: aiohttp.ClientSession) -> Browser:
    """Return a browser that sees a world, and into its cluster."""
    options = world.options
    return Browser(
        session, world.port, REPOSITORY, Glass(world.token, options.namespace, options.repository_id)
    )


def programs_of(world: World, session: aiohttp.ClientSession) -> Programs:
    """Return programs that ask in a world, with a token as a workflow has one."""
    github = world.github
    installation = next(iter(github.store.state.installations.values()))
    token = github.doorkeeper.new_token(installation).value
    doors = Doors(world.bot.url, world.bot.bearer_file, github.shapes.api, token)
    return Programs(session, doors, REPOSITORY, world.options.repository_id)
