"""What others wrote, or named, keeps within the smallest phone's page, however it is made up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from previewbot.api import ClosingIssue, Preview, RequestSeen
from tests.browser.site import Site
from tests.support.chromium import SMALL_PHONE, Chromium, Page
from tests.support.states import STATES

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]


def asked_for(preview: Preview, words: str) -> Preview:
    """Return a Preview of a pull request that closes an issue with this title and these first lines."""
    issue = ClosingIssue("acme/shop", 12, own=True, public=True, title=words, opening=(words, words))
    observed = replace(preview.status.observed, public=True, fork=False, closing_issues=(issue,))
    observed = replace(observed, request=RequestSeen(1))
    return replace(preview, status=replace(preview.status, observed=observed))


def named(preview: Preview, *names: str) -> Preview:
    """Return a Preview with services of these names."""
    first = preview.status.services[0]
    services = tuple(replace(first, name=name) for name in names)
    return replace(preview, status=replace(preview.status, services=services))


async def fits(page: Page) -> bool:
    return bool(await page.evaluate(f"document.documentElement.scrollWidth <= {SMALL_PHONE.width}"))


@pytest.mark.parametrize(
    "words",
    ["w" * 140, "path/to_a/" * 14, "עברית " * 20, "名" * 140, "a\u0351\u036b\u0343" * 35, "<img src=x>" * 12],
    ids=["one word", "a path", "from right to left", "without blanks", "marks on letters", "markup"],
)
async def test_an_issues_words_fit(chromium: Chromium, public: Site, words: str) -> None:
    async with chromium.page(SMALL_PHONE) as page:
        await page.open(public.page(asked_for(STATES["ready"], words)))

        assert await fits(page)
        assert await page.evaluate("document.querySelector('img') === null")


async def test_a_long_name_of_a_service_breaks_and_a_short_one_does_not(
    chromium: Chromium, public: Site
) -> None:
    async with chromium.page(SMALL_PHONE) as page:
        await page.open(public.page(named(STATES["deploying-crashing"], "n" * 63, "cart", "checkout")))

        assert await fits(page)
        heights = "[...document.querySelectorAll('li strong')].map((each) => each.offsetHeight)"
        long, *short = await page.evaluate(heights)
        assert long > 2 * short[0] and short[0] == short[1]


async def test_thousands_of_services_are_put_in_without_a_stop(chromium: Chromium, public: Site) -> None:
    names = [f"service-{each}" for each in range(2_000)]
    async with chromium.page(SMALL_PHONE) as page:
        await page.open(public.page(named(STATES["deploying"], *names)))
        public.page(named(STATES["ready"], *reversed(names)))
        await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

        await page.until("document.querySelector('.state').innerText === 'Ready'")
        assert await page.evaluate("document.querySelectorAll('li').length") == len(names)
        assert await page.evaluate("document.querySelector('li strong').innerText") == names[-1]
