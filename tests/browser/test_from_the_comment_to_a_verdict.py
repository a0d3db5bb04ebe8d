"""From the comment to a verdict on the pull request: in the demo, on a phone, counted in taps.

docs/reviewers.md says how many it takes by role: here it is counted. Seconds are printed with `-s`; they are
the machine's, and no test is about them.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from previewbot.text.quotes import parse_quote
from previewbot.text.verdicts import SaidVerdict, parse_verdict
from previewbot_demo.github.model import Comment
from previewbot_demo.tasks import TASKS
from previewbot_demo.world import REPOSITORY, Options, World
from tests.browser.axe import violations
from tests.support.chromium import PHONE, Chromium, Page
from tests.support.sign_on import sign_on

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

REVIEWERS = Path(__file__).parents[2] / "docs" / "reviewers.md"
WARM_TAPS, COLD_TAPS, BY_PROXY_COLD_TAPS = 2, 4, 3
SAY = "Say what you think"
NEEDED = "The banner hides the basket on my phone."
READY = f"[...document.querySelectorAll('article.app a')].some((a) => a.textContent === {json.dumps(SAY)})"
THANKED = "document.querySelector('.note.good')?.innerText"


@dataclass
class Finger:
    """Somebody with a phone before the comment of a pull request; their taps from there on are counted."""

    page: Page
    world: World
    number: int
    taps: int = 0
    began: float = field(default_factory=time.monotonic)

    async def begin(self) -> None:
        await self.page.open(f"{self.world.url}/{REPOSITORY}/pull/{self.number}")
        await self.page.until(READY)
        self.taps, self.began = 0, time.monotonic()

    async def tap(self, selector: str, text: str) -> None:
        await self.page.click(selector, text)
        self.taps += 1

    async def sign_in(self, login: str) -> None:
        await self.tap("a", "Sign in with GitHub")
        await self.tap("button", login)

    async def look(self) -> None:
        await self.tap("article.app a", SAY)

    async def thanked(self) -> str:
        return str(await self.page.until(THANKED))

    def comments(self) -> list[Comment]:
        return self.world.github.comments(self.number, REPOSITORY)

    def said(self, login: str) -> list[SaidVerdict]:
        """Return the verdicts of somebody on the pull request, oldest first."""
        found = (parse_verdict(each.body) for each in self.comments() if each.author.login == login)
        return [each for each in found if each is not None]

    def quotations(self) -> list[SaidVerdict]:
        """Return whom previewbot quotes on the pull request, oldest first."""
        found = (parse_quote(each.body) for each in self.comments() if each.by_app)
        return [each for each in found if each is not None]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    async with World(Options(port=0, settings={"pages": "private"})) as world:
        yield world


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def number(world: World) -> int:
    return world.agents.open(next(task for task in TASKS if task.name == "web"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def by_proxy() -> AsyncIterator[tuple[World, int]]:
    """The demo behind a sign-on proxy, with a page of its own, and a pull request."""
    async with sign_on() as proxy, World(Options(port=0, settings=proxy.settings)) as world:
        proxy.pages_port = world.bot.pages_port
        yield world, world.agents.open(next(task for task in TASKS if task.name == "web"))


@asynccontextmanager
async def a_finger(world: World, number: int, chromium: Chromium) -> AsyncIterator[Finger]:
    async with chromium.page(PHONE) as page:
        yield Finger(page, world, number)


@pytest.mark.parametrize(
    ("login", "role"), [("maria", "may write to the repository"), ("rob", "may read it")]
)
async def test_cold_it_takes_four_taps_and_warm_two(
    world: World, number: int, chromium: Chromium, login: str, role: str
) -> None:
    async with a_finger(world, number, chromium) as finger:
        await finger.begin()
        await finger.look()
        await finger.sign_in(login)
        await finger.tap("button", "Looks good")
        await finger.thanked()
        cold, cold_seconds = finger.taps, time.monotonic() - finger.began

        await finger.begin()
        await finger.look()
        await finger.tap("button", "Looks good")
        await finger.thanked()
        warm, warm_seconds = finger.taps, time.monotonic() - finger.began

        assert (cold, warm) == (COLD_TAPS, WARM_TAPS)
        assert f"| {role} | {warm} taps | {cold} taps |" in REVIEWERS.read_text("utf-8")
        print(f"\n{login}: cold {cold} taps, {cold_seconds:.1f} s; warm {warm} taps, {warm_seconds:.1f} s")
        assert [(each.says, each.path) for each in finger.said(login)] == [("good", "/cart")] * 2
        # Whoever is not signed in is told 404, whatever there is.
        assert [each for each in finger.page.errors if "with a status of 404" not in each] == []


async def test_by_a_sign_on_proxy_it_takes_three_taps_and_warm_two(
    by_proxy: tuple[World, int], chromium: Chromium
) -> None:
    async with a_finger(*by_proxy, chromium) as finger:
        await finger.begin()
        await finger.look()
        await finger.tap("button", "Go on as pia")
        await finger.tap("button", "Looks good")
        cold_seconds = await quoted(finger, 1)
        cold = finger.taps

        await finger.begin()
        await finger.look()
        await finger.tap("button", "Looks good")
        warm_seconds = await quoted(finger, 2)
        warm = finger.taps

        assert (cold, warm) == (BY_PROXY_COLD_TAPS, WARM_TAPS)
        row = f"| come by your company's sign-in | {warm} taps | {cold} taps |"
        assert row in REVIEWERS.read_text("utf-8")
        print(f"\nby proxy: cold {cold} taps, {cold_seconds:.1f} s; warm {warm} taps, {warm_seconds:.1f} s")

        await finger.tap("textarea", "")
        await finger.page.write(NEEDED)
        await finger.tap("button", "Needs work")
        await quoted(finger, 3)
        *_, second, third = finger.quotations()
        assert (second.name, second.says, second.path, second.words) == ("Pia Müller", "good", "/cart", "")
        assert (third.name, third.says, third.words) == ("Pia Müller", "work", NEEDED)
        [preview] = finger.world.kube.objects("previews")
        while len(preview["status"]["verdicts"]) < 3:
            await asyncio.sleep(0.05)
            [preview] = finger.world.kube.objects("previews")
        await finger.begin()
        await finger.look()
        shown = "[...document.querySelectorAll('.said')].map((e) => e.innerText).join()"
        await finger.page.until(f"{shown}.includes({json.dumps(NEEDED)})")
        assert "Pia Müller (not a GitHub account)" in await finger.page.evaluate(shown)
        assert await violations(finger.page) == []
        # The proxy's own page has no icon.
        assert [each for each in finger.page.errors if "with a status of 404" not in each] == []


async def quoted(finger: Finger, many: int) -> float:
    """Wait until so many quotations stand on the pull request; return the seconds since the comment."""
    assert "quotes you under your name" in await finger.thanked()
    while len(finger.quotations()) < many:
        assert time.monotonic() - finger.began < 60
        await asyncio.sleep(0.05)
    return time.monotonic() - finger.began


async def test_what_should_change_is_handed_to_the_agent_and_stands_on_the_page(
    world: World, number: int, chromium: Chromium
) -> None:
    async with a_finger(world, number, chromium) as finger:
        await finger.begin()
        await finger.look()
        await finger.sign_in("maria")
        await finger.tap("textarea", "")
        await finger.page.write(NEEDED)
        await finger.tap("button", "Hand it to Copilot")
        assert "on the pull request" in await finger.thanked()

        said = finger.said("maria")[-1]
        assert (said.says, said.words) == ("work", NEEDED)
        assert "@copilot " in finger.comments()[-1].body
        # The controller finds it among the comments, and the page learns of it by itself.
        await finger.page.until(
            f"[...document.querySelectorAll('.said')].some((e) => e.innerText.includes({json.dumps(NEEDED)}))"
        )


async def test_what_is_pressed_on_the_page_is_done_and_the_page_says_so(
    world: World, number: int, chromium: Chromium
) -> None:
    async with a_finger(world, number, chromium) as finger:
        await finger.begin()
        await finger.look()
        await finger.sign_in("maria")
        await finger.tap("button", "2 hours longer")
        assert "two hours more" in await finger.thanked()
        await finger.page.until(
            "document.querySelector('[aria-labelledby=asked]')?.innerText.includes('stays open')"
        )
