"""Every page in every state, for people who see little, use the keyboard or a phone, or read in the dark."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.browser.axe import rules, violations, violations_in_every_look
from tests.browser.site import Site
from tests.support.chromium import DESKTOP, SMALL_PHONE, Chromium, Page
from tests.support.states import STATES

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]

WITHOUT_PREVIEW = {"home": "/", "no address": "/p/none", "no such page": "/nowhere", "no preview": "/p/812/1"}
ALL = [*sorted(STATES), *sorted(WITHOUT_PREVIEW), "away", "private"]

SMALL_TARGETS = """
[...document.querySelectorAll("a, button, summary")].filter((each) => {
  const { width, height } = each.getBoundingClientRect();
  // A link within a sentence is as high as its line: WCAG 2.2, 2.5.8, "inline".
  const inline = each.tagName === "A" && !each.matches(".button")
    && each.parentElement.matches("p, blockquote, li")
    && each.parentElement.textContent.trim() !== each.textContent.trim();
  return !inline && (width < 44 || height < 44);
}).map((each) => `${each.outerHTML} ${JSON.stringify(each.getBoundingClientRect())}`)
"""
UNREACHED = """
[...document.querySelectorAll("a[href], button, summary")]
  .filter((each) => each.tabIndex < 0).map((each) => each.outerHTML)
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page(chromium: Chromium) -> AsyncIterator[Page]:
    async with chromium.page(DESKTOP) as opened:
        yield opened


async def open_in(page: Page, name: str, public: Site, private: Site) -> None:
    public.away = name == "away"
    if name == "private":
        await page.open(f"{private.url}/p/812/42")
    elif name in WITHOUT_PREVIEW:
        await page.open(public.url + WITHOUT_PREVIEW[name])
    else:
        await page.open(public.page(STATES.get(name)))


@pytest.mark.parametrize("name", ALL)
async def test_no_rule_of_axe_is_violated_on_phone_and_desktop_in_the_light_and_in_the_dark(
    page: Page, public: Site, private: Site, name: str
) -> None:
    await open_in(page, name, public, private)

    assert await violations_in_every_look(page) == {}


@pytest.mark.parametrize("name", ALL)
async def test_a_page_fits_the_smallest_phone_and_its_targets_a_thumb_and_it_keeps_to_its_policy(
    page: Page, public: Site, private: Site, name: str
) -> None:
    await page.resize(SMALL_PHONE)
    page.errors.clear()
    await open_in(page, name, public, private)

    assert await page.evaluate("document.documentElement.scrollWidth") <= SMALL_PHONE.width
    assert await page.evaluate(SMALL_TARGETS) == []
    assert await page.evaluate(UNREACHED) == []
    # A page that answers 404 or 503 is told as a failed resource, and rightly.
    assert [each for each in page.errors if "the server responded with a status of" not in each] == []


async def test_all_of_axes_rules_are_tried(page: Page, public: Site, private: Site) -> None:
    await open_in(page, "ready", public, private)

    tried = await rules(page)
    assert {"color-contrast", "color-contrast-enhanced", "target-size", "meta-refresh", "region"} <= set(
        tried
    )
    # And what violates one is found.
    await page.evaluate("document.querySelector('.button').style.color = 'inherit'; 1")
    await page.evaluate("document.querySelector('.button').innerHTML = ''; 1")
    assert any(each.startswith("link-name: ") for each in await violations(page))
