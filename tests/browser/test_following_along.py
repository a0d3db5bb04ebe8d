"""A page that follows along: what is new is put in, and nothing of what its reader did is lost.

Time is the test's own: the page's timers run when it is said.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from previewbot.api import Preview
from tests.browser.site import Site
from tests.support.chromium import DESKTOP, PHONE, Chromium, Page
from tests.support.states import STATES

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

TIMERS = """
(() => {
  const waiting = new Map();
  let last = 0;
  window.setTimeout = (run, after) => { waiting.set(++last, { run, after }); return last; };
  window.clearTimeout = (id) => waiting.delete(id);
  // After how many seconds the page would look again; null for never.
  window.nextLook = () => {
    const found = [...waiting.values()].map(({ after }) => after / 1000);
    return found.length ? Math.max(...found) : null;
  };
  // Have it look now; true once it has planned its next look, or none.
  window.lookNow = async () => {
    const [id, { run }] = [...waiting.entries()].at(-1);
    waiting.delete(id);
    await run();
    return true;
  };
  Math.random = () => 0.5;
})();
"""
HIDE = """
(async (hidden) => {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
})(%s)
"""
CRASHING, READY, STARTING, ENDED = "deploying-crashing", "ready", "deploying", "stopped"


@pytest_asyncio.fixture(loop_scope="module")
async def page(chromium: Chromium, public: Site) -> AsyncIterator[Page]:
    public.asked.clear()
    public.away = False
    async with chromium.page(PHONE) as opened:
        await opened.first(TIMERS)
        yield opened
        assert [each for each in opened.errors if "the server responded" not in each] == []


async def looks(page: Page) -> float | None:
    found: float | None = await page.evaluate("nextLook()")
    return None if found is None else round(found, 2)


async def look(page: Page) -> None:
    await page.evaluate("lookNow()")


async def heading(page: Page) -> str:
    return await page.text("h1")


def with_another_service_first(preview: Preview) -> Preview:
    services = preview.status.services
    added = replace(services[0], name="another")
    return replace(preview, status=replace(preview.status, services=(added, *services)))


async def test_news_are_put_in_without_a_reload(page: Page, public: Site) -> None:
    await page.open(public.page(STATES[STARTING]))
    await page.evaluate("window.stayed = true")

    public.page(STATES[READY])
    await look(page)

    assert await heading(page) == "The preview of pull request #42 is ready"
    assert await page.text(".state") == "Ready"
    assert await page.text(".button") == "Open the preview"
    assert await page.evaluate("window.stayed") is True


async def test_an_open_fold_stays_open_and_is_still_the_same_services(page: Page, public: Site) -> None:
    await page.open(public.page(STATES[CRASHING]))
    await page.click("summary")
    words = await page.text("details pre")

    public.page(with_another_service_first(STATES[CRASHING]))
    await look(page)

    opened = "[...document.querySelectorAll('details')].map((each) => [each.dataset.key, each.open])"
    assert await page.evaluate(opened) == [["another", False], ["checkout", True]]
    assert await page.text("details[open] pre") == words


async def test_the_focus_stays_where_it_was(page: Page, public: Site) -> None:
    await page.open(public.page(STATES[CRASHING]))
    await page.evaluate("document.querySelector('summary').focus()")

    public.page(with_another_service_first(STATES[CRASHING]))
    await look(page)

    focused = await page.evaluate("document.activeElement.closest('[data-key]').dataset.key")
    assert focused == "checkout"


async def test_where_the_focused_button_is_gone_the_heading_has_the_focus_and_not_the_pages_beginning(
    page: Page, public: Site
) -> None:
    await page.open(public.page(STATES[READY]))
    await page.press("Tab")
    assert await page.evaluate("document.activeElement.className") == "button wide"

    public.page(STATES[ENDED])
    await look(page)

    assert await page.evaluate("document.activeElement.tagName") == "H1"
    await page.press("Tab")
    assert await page.evaluate("document.activeElement.tagName") == "A"


async def test_the_place_that_was_scrolled_to_and_what_was_selected_stay(page: Page, public: Site) -> None:
    await page.open(public.page(STATES[CRASHING]))
    await page.click("summary")
    await page.evaluate("document.body.style.paddingBottom = '3000px'")
    await page.evaluate("scrollTo(0, 150); getSelection().selectAllChildren(document.querySelector('pre'))")
    selected = await page.evaluate("getSelection().toString()")

    await look(page)

    assert await page.evaluate("scrollY") == 150
    assert selected and await page.evaluate("getSelection().toString()") == selected


async def test_the_state_is_a_live_region_that_was_there_before_and_changes_only_with_the_state(
    page: Page, public: Site
) -> None:
    """Else a screen reader says nothing, or the same again and again."""
    await page.open(public.page(STATES[STARTING]))
    await page.evaluate("""
        window.changes = 0;
        window.region = document.querySelector('[role=status]');
        new MutationObserver(() => { window.changes++; }).observe(
          region, { subtree: true, childList: true, characterData: true, attributes: true });
    """)

    await look(page)
    assert await page.evaluate("changes") == 0

    public.page(STATES[READY])
    await look(page)
    assert await page.evaluate("changes") > 0
    assert await page.evaluate("region.isConnected && region.innerText.includes('is ready')")


# How often


async def test_without_news_it_looks_ever_more_seldom_and_with_news_soon_again(
    page: Page, public: Site
) -> None:
    await page.open(public.page(STATES[STARTING]))

    planned = [await looks(page)]
    for _ in range(6):
        await look(page)
        planned.append(await looks(page))
    assert planned == [3, 4.5, 6.75, 10.12, 15, 15, 15]

    public.page(STATES["image-build-running"])
    await look(page)
    assert await looks(page) == 3

    public.page(STATES[READY])
    await look(page)
    assert await looks(page) == 20


@pytest.mark.parametrize("state", ["stopped", "expired", "merged", "nothing"])
async def test_what_has_ended_is_not_looked_at_again(page: Page, public: Site, state: str) -> None:
    await page.open(public.page(STATES[READY]))
    public.page(STATES.get(state))
    await look(page)

    assert await looks(page) is None
    asked = len(public.asked)
    await page.open(public.page(STATES.get(state)))
    assert await looks(page) is None
    assert len(public.asked) == asked + 1


async def test_a_hidden_tab_asks_nothing_and_looks_at_once_when_somebody_comes_back(
    page: Page, public: Site
) -> None:
    await page.open(public.page(STATES[READY]))
    await page.evaluate(HIDE % "true")
    assert await looks(page) is None

    public.page(STATES["idle"])
    asked = len(public.asked)
    await page.evaluate(HIDE % "false")

    await page.until("document.querySelector('.state').innerText === 'Asleep'")
    # Whether there is news, and then for the page.
    assert len(public.asked) == asked + 2
    await page.until("nextLook()")


async def test_who_comes_back_to_what_has_ended_sees_that_it_was_started_again(
    page: Page, public: Site
) -> None:
    await page.open(public.page(STATES[ENDED]))
    await page.evaluate(HIDE % "true")
    public.page(STATES[STARTING])
    await page.evaluate(HIDE % "false")

    await page.until("document.querySelector('.state').innerText === 'Starting'")
    await page.until("nextLook() === 3")


async def test_while_nobody_answers_the_page_stays_and_after_some_time_says_so_until_somebody_does(
    page: Page, public: Site
) -> None:
    await page.open(public.page(STATES[READY]))
    public.away = True

    for _ in range(2):
        await look(page)
    assert await page.text("#late") == ""
    await look(page)

    assert await heading(page) == "The preview of pull request #42 is ready"
    assert "may be out of date" in await page.text("#late")
    assert await looks(page) == 100

    public.away = False
    await look(page)
    assert await page.text("#late") == ""


async def test_it_gives_up_in_the_end(page: Page, public: Site) -> None:
    await page.open(public.page(STATES[READY]))
    public.away = True
    tries = 0
    while await looks(page) is not None:
        await look(page)
        tries += 1

    assert tries == 60
    assert "Reload it" in await page.text("#late")


async def test_what_is_none_of_our_pages_is_never_put_in(page: Page, public: Site) -> None:
    """As the sign-in of a proxy, once that of the reader has ended."""
    await page.open(public.page(STATES[READY]))
    await page.evaluate("""
        window.fetch = async () => new Response("<main>Sign in</main><script>window.ran = true</script>")
    """)
    await look(page)

    assert await heading(page) == "The preview of pull request #42 is ready"
    assert await page.evaluate("window.ran === undefined")


async def test_a_page_that_says_that_the_cluster_is_away_becomes_the_previews_own(
    page: Page, public: Site
) -> None:
    public.away = True
    await page.open(public.page(STATES[READY]))
    assert await heading(page) == "The cluster does not answer right now"

    public.away = False
    await look(page)

    assert await heading(page) == "The preview of pull request #42 is ready"


# Without JavaScript


@pytest.mark.parametrize(("state", "reloads"), [(STARTING, True), (READY, False), (ENDED, False)])
async def test_without_javascript_it_reloads_while_something_goes_on_and_else_says_how_to_get_news(
    chromium: Chromium, public: Site, state: str, reloads: bool
) -> None:
    public.away = False
    async with chromium.page(DESKTOP) as page:
        await page.scripts(False)
        await page.open(public.page(STATES[state]))

        assert await page.evaluate("document.querySelector('meta[http-equiv=refresh]') !== null") is reloads
        says = "reload it for news" in await page.text("main")
        assert says is (state == READY)


async def test_with_javascript_no_page_reloads_itself(page: Page, public: Site) -> None:
    await page.open(public.page(STATES[STARTING]))

    found: Any = await page.evaluate("document.querySelector('meta[http-equiv=refresh]') !== null")
    assert found is False
