"""The guard before previews, as browsers meet it: in the demo, whose gateway asks it about each request.

Previews are at `*.preview.localhost`, previewbot at 127.0.0.1: under another registrable domain, as the docs
advise. What is at 127.0.0.1 and another port is of the same site as previewbot, as staging's own code would
be below one domain.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
import pytest_asyncio

from previewbot.people.passes import COOKIE
from previewbot_demo.tasks import TASKS, Edit, Step
from previewbot_demo.world import REPOSITORY, Options, World
from tests.support.chromium import PHONE, Chromium, Page

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
DEEP = "/cart?coupon=a%2Fb&name=J%C3%B6rg"
HAS_LINK = "[...document.querySelectorAll('article.app a')].some((a) => a.textContent === 'Open the preview')"
ASKED_WHO = "document.body?.innerText.includes('would like to act for you')"
HREF = (
    "[...document.querySelectorAll('article.app a')].find((a) => a.textContent === 'Open the preview').href"
)
TAPS = "2 taps for who is not signed in, and 1, the link itself, for who is"
"""What docs/guard.md says of the way from the comment to the opened preview; here it is counted."""

FORGE = """(async () => {
  const form = Object.assign(document.createElement('form'), {method: 'post', action: %s});
  for (const [name, value] of Object.entries({says: 'good', words: 'forged', csrf: 'guessed'})) {
    form.append(Object.assign(document.createElement('input'), {name, value}));
  }
  document.body.append(form);
  form.submit();
})()"""
WORKER = (
    "self.addEventListener('install', () => self.skipWaiting());"
    "self.addEventListener('activate', (event) => event.waitUntil(clients.claim()));"
    "self.addEventListener('fetch', (event) => {"
    " if (event.request.mode === 'navigate') event.respondWith(fetch(event.request)); });"
)
HAS_WORKER = """navigator.serviceWorker.register('/worker.js')
  .then(() => navigator.serviceWorker.ready).then(() => navigator.serviceWorker.controller !== null)"""
BY_WORKER = "performance.getEntriesByType('navigation')[0].workerStart > 0"
STYLE = '        if url.path == "/style.css":'
OF_A_WORKER = f"""        if url.path == "/worker.js":
            self._answer(200, {WORKER.encode()!r}, "text/javascript")
            return
{STYLE}"""
WITH_A_WORKER = replace(
    next(task for task in TASKS if task.name == "web"),
    name="worker",
    branch="copilot/worker",
    steps=(Step("Work without a network", (Edit("services/web/app.py", STYLE, OF_A_WORKER),)),),
)
"""A pull request whose front end has a service worker: it passes on each page that somebody opens."""

FRAME = """new Promise((done) => {
  const frame = Object.assign(document.createElement('iframe'), {src: %s});
  frame.onload = done;
  document.body.append(frame);
})"""

SOCKET = """new Promise((done) => {
  const socket = new WebSocket(%s);
  socket.onopen = socket.onerror = done;
})"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    async with World(Options(port=0, guard=True, settings={"pages": "private"})) as world:
        yield world


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def numbers(world: World) -> tuple[int, int]:
    """Two pull requests with previews."""
    second = next(task for task in TASKS if task.name == "pricing")
    return world.agents.open(WITH_A_WORKER), world.agents.open(second)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def links(world: World, numbers: tuple[int, int], chromium: Chromium) -> tuple[str, str]:
    """Where the two comments lead, once both do."""
    found = []
    async with chromium.page() as page:
        for number in numbers:
            await before_the_comment(page, world, number)
            found.append(str(await page.evaluate(f"({HREF})")))
    return found[0], found[1]


async def before_the_comment(page: Page, world: World, number: int) -> None:
    await page.open(f"{world.url}/{REPOSITORY}/pull/{number}")
    await page.until(HAS_LINK)


async def sign_in(page: Page, login: str) -> int:
    """Sign in, wherever the page is; return how many taps it took."""
    await page.click("button", login)
    return 1


def at(link: str, within: str) -> str:
    parts = urlsplit(link)
    return f"{parts.scheme}://{parts.netloc}{within}"


async def is_open(page: Page, link: str) -> None:
    """Wait until the page is the one of a link, served by the shop."""
    await page.until(f"location.href === {json.dumps(link)} && document.querySelector('main, h1')")


async def test_cold_the_link_leads_through_the_sign_in_to_where_it_leads_and_warm_nothing_is_pressed(
    world: World, numbers: tuple[int, int], links: tuple[str, str], chromium: Chromium
) -> None:
    async with chromium.page(PHONE) as page:
        await before_the_comment(page, world, numbers[0])
        await page.click("article.app a", "Open the preview")
        cold = 1 + await sign_in(page, "rob")
        await is_open(page, links[0])

        await before_the_comment(page, world, numbers[1])
        await page.click("article.app a", "Open the preview")
        await is_open(page, links[1])

        assert cold == 2
        assert TAPS in " ".join((ROOT / "docs" / "guard.md").read_text("utf-8").split())
        assert COOKIE not in str(await page.evaluate("document.cookie"))


async def test_path_and_query_of_a_deep_link_are_there_after_the_sign_in(
    links: tuple[str, str], chromium: Chromium
) -> None:
    deep = at(links[0], DEEP)
    async with chromium.page(PHONE) as page:
        await page.open(deep)
        await sign_in(page, "rob")
        await is_open(page, deep)
        # And not the ticket, which the pull request's code could read.
        assert "previewbot" not in str(await page.evaluate("location.href + document.referrer"))


async def test_the_part_after_the_hash_is_there_too_for_whoever_has_signed_in(
    links: tuple[str, str], chromium: Chromium
) -> None:
    async with chromium.page(PHONE) as page:
        await page.open(links[0])
        await sign_in(page, "rob")
        await is_open(page, links[0])

        await page.open(at(links[1], f"{DEEP}#/items/7"))
        await is_open(page, at(links[1], f"{DEEP}#/items/7"))
        assert page.errors == []


async def test_a_service_worker_of_the_previews_own_is_led_through_the_sign_in_as_well(
    links: tuple[str, str], chromium: Chromium
) -> None:
    async with chromium.page() as page:
        await page.open(links[0])
        await sign_in(page, "rob")
        await is_open(page, links[0])
        await page.until(HAS_WORKER)
        await page.set_cookie(links[0], COOKIE, "ended")

        await page.open(at(links[0], DEEP))
        await is_open(page, at(links[0], DEEP))
        assert await page.evaluate(BY_WORKER)
        # It shows nothing that it has kept: only the guard's cookie, new by now, gets it this.
        assert (await page.cookies(links[0]))[COOKIE] != "ended"


async def test_the_cookie_of_one_preview_opens_no_other_and_nothing_at_previewbot(
    world: World, numbers: tuple[int, int], links: tuple[str, str], chromium: Chromium
) -> None:
    async with chromium.page() as page:
        await page.open(links[0])
        await sign_in(page, "maria")
        await is_open(page, links[0])
        cookie = (await page.cookies(links[0]))[COOKIE]

    async with chromium.page() as thief:
        await thief.set_cookie(links[0], COOKIE, cookie)
        await thief.open(links[0])
        await is_open(thief, links[0])
        await thief.set_cookie(links[1], COOKIE, cookie)
        await thief.open(links[1])
        await thief.until(ASKED_WHO)
        for name in (COOKIE, "__Host-previewbot"):
            await thief.set_cookie(world.bot.url, name, cookie)
        await thief.open(f"{world.bot.url}/p/812/{numbers[0]}")
        await thief.until("document.body?.innerText.includes('Sign in with GitHub')")


async def test_a_browser_that_keeps_no_cookies_of_previews_is_told_and_not_led_round(
    links: tuple[str, str],
) -> None:
    async with Chromium.start(no_cookies_of="preview.localhost") as closed, closed.page(PHONE) as page:
        await page.open(links[0])
        await sign_in(page, "maria")
        await page.until("document.body?.innerText.includes('cookie')")
        hosts = [each["host"] for each in page.sent if each.get("host") == urlsplit(links[0]).netloc]
        # Once without a ticket and once with; not twenty times, as browsers allow.
        assert len(hosts) == 2


@pytest.mark.parametrize(
    ("neighbour", "site", "carries"),
    [("preview", "cross-site", False), ("same site", "same-site", True)],
)
async def test_a_form_from_elsewhere_is_refused_and_from_another_domain_it_carries_no_cookie(
    world: World,
    numbers: tuple[int, int],
    links: tuple[str, str],
    chromium: Chromium,
    neighbour: str,
    site: str,
    carries: bool,
) -> None:
    place = f"{world.bot.url}/p/812/{numbers[0]}"
    async with chromium.page() as page:
        await page.open(links[0])
        await sign_in(page, "maria")
        await is_open(page, links[0])
        await page.open(place)
        target = str(await page.evaluate("document.querySelector('form#verdict').action"))
        before = len(world.github.comments(numbers[0], REPOSITORY))

        await page.open(links[0] if neighbour == "preview" else f"{world.url}/version")
        page.sent.clear()
        await page.evaluate(FORGE % json.dumps(target))
        await page.until("document.body?.innerText.includes('was not sent from a page of previewbot')")

        (post,) = [each for each in page.sent if "content-length" in each]
        assert (post["sec-fetch-site"], "cookie" in post) == (site, carries)
        assert len(world.github.comments(numbers[0], REPOSITORY)) == before


async def test_a_websocket_from_another_preview_is_refused_though_the_cookie_comes_along(
    links: tuple[str, str], chromium: Chromium
) -> None:
    async with chromium.page() as page:
        for link in links:
            await page.open(link)
            if link == links[0]:
                await sign_in(page, "maria")
            await is_open(page, link)
        said = []
        for link in links:
            page.errors.clear()
            await page.evaluate(SOCKET % json.dumps(at(link, "/live").replace("http", "ws", 1)))
            said.append([each for each in page.errors if "WebSocket" in each])

    # The shop itself speaks no such protocol, so that neither opens; of a 401 Chromium says it like this.
    assert ["HTTP Authentication failed" in " ".join(each) for each in said] == [True, False], said


async def test_no_page_of_previewbots_shows_itself_in_a_previews_frame(
    world: World, numbers: tuple[int, int], links: tuple[str, str], chromium: Chromium
) -> None:
    async with chromium.page() as page:
        await page.open(links[0])
        await sign_in(page, "maria")
        await is_open(page, links[0])
        for place in (f"/p/812/{numbers[0]}", "/previews", f"/enter?to={links[1]}&way=x"):
            page.errors.clear()
            await page.evaluate(FRAME % json.dumps(f"{world.bot.url}{place}"))
            assert any("frame-ancestors 'none'" in each for each in page.errors), (place, page.errors)


async def test_while_pages_are_away_nobody_gets_to_a_preview(
    world: World, links: tuple[str, str], chromium: Chromium
) -> None:
    async with chromium.page() as page, aiohttp.ClientSession() as http:
        await page.open(links[0])
        await sign_in(page, "maria")
        await is_open(page, links[0])
        await world.bot.stop_pages()
        try:
            await page.open(links[0])
            assert "did not answer" in await page.text()
            host = {"Host": urlsplit(links[0]).netloc, "x-previewbot-bearer": "pvb1.x"}
            async with http.get(f"{world.url}/cart", headers=host) as answer:
                assert answer.status == 503
        finally:
            await world.bot.start_pages()
        await page.open(links[0])
        await is_open(page, links[0])
