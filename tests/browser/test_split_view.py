"""The page that the demo opens with, for whoever does what it suggests on a small phone, with a keyboard."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from previewbot_demo.world import Options, World
from tests.support.chromium import SMALL_PHONE, Chromium, Page

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

PULLS = "/acme/shop"
IN_SIGHT = """(() => {
  const it = document.querySelector(%r), box = it?.getBoundingClientRect();
  return box && box.top >= -1 && box.top < innerHeight;
})()"""


@dataclass(frozen=True)
class Visit:
    """One visitor with a small phone; what the page shows next is theirs to do."""

    page: Page

    async def takes_me_there(self, step: str) -> None:
        await self.page.until(f"document.querySelector('li.next').dataset.step === {step!r}")
        await self.page.click("li.next button", "Take me there")

    async def sees(self, selector: str) -> None:
        await self.page.until(IN_SIGHT % selector, frame=PULLS)

    async def is_at(self, selector: str) -> None:
        await self.page.until(f"document.activeElement?.matches({selector!r})", frame=PULLS)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def visit(chromium: Chromium) -> AsyncIterator[Visit]:
    async with World(Options(port=0)) as world, chromium.page(SMALL_PHONE) as page:
        await page.open(world.url)
        yield Visit(page)


async def test_on_the_smallest_phone_nothing_is_cut_off(visit: Visit) -> None:
    sizes = await visit.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert sizes == [320, 320]


async def test_take_me_there_leads_to_the_very_thing_and_the_keyboard_with_it(visit: Visit) -> None:
    page = visit.page
    await visit.takes_me_there("open")
    await visit.is_at("form[action$='/tasks/web'] button")
    await page.press("Enter")
    await page.until(
        "document.querySelector('article.app a')?.textContent === 'Open the preview'", frame=PULLS
    )

    await visit.takes_me_there("click")
    await visit.is_at("article.app a")
    await visit.sees("article.app a")
    await page.press("Enter")
    await page.until("!document.getElementById('preview-frame').hidden")

    await page.click("[data-tab='pull']")
    await visit.takes_me_there("walk")
    assert await page.evaluate("[document.body.dataset.show, document.activeElement.id]") == [
        "preview",
        "preview-frame",
    ]
