"""A preview's page for whoever is signed in: for everybody's eyes and thumbs, and as it follows along."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace

import pytest
import pytest_asyncio
from flask import Flask, Response, request

from previewbot.api import Device, NoPicture, Picture, Pictures, PictureState, Preview, Side
from previewbot.api.pictures import SIZES
from previewbot.pages.policy import HEADER, policy
from previewbot.runtime.bare_app import bare_app
from previewbot.text.for_reader import Note
from previewbot.text.render import Renderer, View
from previewbot.text.standing import standing_of
from tests.browser.axe import violations, violations_in_every_look
from tests.browser.site import served
from tests.browser.test_pages_for_everybody import SMALL_TARGETS, UNREACHED
from tests.support.chromium import DESKTOP, SMALL_PHONE, Chromium, Page
from tests.support.previews import HEAD, NOW, OLDER
from tests.support.readers import READER, WRITER, for_people_of, reader_of
from tests.support.states import STATES

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]

ONE_OF_EACH = sorted(
    {(s.status.phase, standing_of(s.status).severity): name for name, s in STATES.items()}.values()
)
"""A state for each phase and how bad it is: what differs within them all pages have in common."""

WORDS = "The sum is wrong."

WIDTHS_OF_IMAGES = """
new Promise((done) => {
  const look = () => {
    for (const each of document.images) each.scrollIntoView();
    if (![...document.images].every((each) => each.complete)) return setTimeout(look, 20);
    done([...document.images].map((each) => each.naturalWidth));
  };
  look();
})
"""
"""Each is loaded once it comes into view."""


@dataclass
class Shown:
    """What the page of `/p/812/42` shows now, and to whom."""

    url: str = ""
    preview: Preview = STATES["ready"]
    tag: str = '"first"'
    writer: bool = True
    note: Note | None = None

    def app(self) -> Flask:
        """Return the application that serves it, with its JSON."""
        renderer = Renderer()
        app = bare_app(renderer.style_source())
        allowed = policy(renderer.style_source(), renderer.script_source(), forms=True, images=True)

        @app.get("/p/812/42")
        def page() -> Response:
            pull_request = "https://github.com/acme/shop/pull/42"
            view = View(self.preview, f"{self.url}/p/812/42", pull_request, "baggage: x", now=NOW)
            reader = reader_of(self.preview, WRITER if self.writer else READER, self.note)
            text = renderer.page(view, replace(reader, tag=self.tag))
            return Response(text, 200, {HEADER: allowed}, mimetype="text/html")

        @app.get(f"/p/812/42/pictures/{HEAD}/<file>.png")
        def picture(file: str) -> Response:
            # Of the size of a phone's or a desktop's; it is drawn for this page alone.
            width, height = SIZES[Device.PHONE if "phone" in file else Device.DESKTOP]
            drawn = f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}'/>"
            return Response(drawn, 200, mimetype="image/svg+xml")

        @app.get("/p/812/42.json")
        def facts() -> Response:
            response = Response("{}", 200, mimetype="application/json")
            response.headers["ETag"] = self.tag
            response.make_conditional(request)
            return response

        return app


@pytest.fixture(scope="module")
def shown() -> Iterator[Shown]:
    found = Shown()
    with served(found.app()) as url:
        found.url = url
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page(chromium: Chromium) -> AsyncIterator[Page]:
    async with chromium.page(DESKTOP) as opened:
        yield opened


async def open_in(page: Page, shown: Shown, state: str, *, writer: bool = True) -> None:
    """Open the page of a preview in this state; what came of something stands on every second of them."""
    shown.preview, shown.writer, shown.tag = for_people_of(state), writer, '"first"'
    shown.note = Note("It was not taken.", bad=True) if len(state) % 2 else None
    await page.open(f"{shown.url}/p/812/42")


@pytest.mark.parametrize("state", ONE_OF_EACH)
async def test_no_rule_of_axe_is_violated_and_it_fits_the_smallest_phone_and_a_thumb(
    page: Page, shown: Shown, state: str
) -> None:
    page.errors.clear()
    await open_in(page, shown, state)

    assert await violations_in_every_look(page) == {}
    await page.resize(SMALL_PHONE)
    assert await page.evaluate("document.documentElement.scrollWidth") <= SMALL_PHONE.width
    assert await page.evaluate(SMALL_TARGETS) == []
    assert await page.evaluate(UNREACHED) == []
    assert page.errors == []


async def test_pictures_stand_before_beside_after_on_every_screen(page: Page, shown: Shown) -> None:
    taken = tuple(
        Picture("/a-long-path-of-the-shop/cart", device, side, PictureState.TAKEN)
        for device in Device
        for side in Side
    )
    blank = replace(taken[0], state=PictureState.REFUSED, why=NoPicture.BLANK)
    page.errors.clear()
    await open_in(page, shown, "ready")
    status = replace(shown.preview.status, pictures=Pictures(HEAD, "of", NOW, (blank, *taken[1:])))
    shown.preview = replace(shown.preview, status=status)
    await page.open(f"{shown.url}/p/812/42")

    assert await violations_in_every_look(page) == {}
    await page.resize(SMALL_PHONE)
    assert await page.evaluate("document.documentElement.scrollWidth") <= SMALL_PHONE.width
    assert await page.evaluate(UNREACHED) == []
    assert await page.evaluate(WIDTHS_OF_IMAGES) == [390, 1280, 1280]
    words = await page.evaluate("document.querySelector('.pictures.phone p').textContent")
    assert words == "The page is blank."
    assert page.errors == []


async def test_whoever_only_reads_has_a_page_without_any_fault_too(page: Page, shown: Shown) -> None:
    for state in ("ready", "expired", "deploying-crashing"):
        await open_in(page, shown, state, writer=False)
        await page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
        assert await violations(page) == []


async def news(page: Page, shown: Shown, preview: Preview, tag: str) -> None:
    """Have something new, and come back to the page."""
    shown.preview, shown.tag = preview, tag
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange')); 1")


async def test_what_somebody_writes_stays_and_so_does_the_commit_that_they_looked_at(
    page: Page, shown: Shown
) -> None:
    await page.resize(DESKTOP)
    await open_in(page, shown, "ready")
    await page.evaluate("document.getElementById('words').focus(); 1")
    await page.write(WORDS)
    older = shown.preview.status
    services = tuple(replace(each, serving_sha=OLDER) for each in older.services)

    await news(page, shown, replace(shown.preview, status=replace(older, services=services)), '"second"')

    await page.until("!document.getElementById('changed').hidden")
    assert await page.evaluate("document.getElementById('words').value") == WORDS
    assert await page.evaluate("document.activeElement.id") == "words"
    assert await page.evaluate("document.querySelector('[name=sha]').value") == HEAD
    assert HEAD[:7] in await page.text("#verdict")


async def test_whoever_looks_again_at_what_has_changed_finds_their_words_there(
    page: Page, shown: Shown
) -> None:
    await open_in(page, shown, "ready")
    await page.evaluate("document.getElementById('words').focus(); 1")
    await page.write(WORDS)
    older = shown.preview.status
    services = tuple(replace(each, serving_sha=OLDER) for each in older.services)
    await news(page, shown, replace(shown.preview, status=replace(older, services=services)), '"second"')
    await page.until("!document.getElementById('changed').hidden")

    await page.click("#changed a", "Look again")

    await page.until(f"(document.querySelector('[name=sha]') || {{}}).value === '{OLDER}'")
    assert await page.evaluate("document.getElementById('words').value") == WORDS
    # Once: whoever opens the page another time has not written that.
    await page.open(f"{shown.url}/p/812/42")
    assert await page.evaluate("document.getElementById('words').value") == ""


async def test_what_somebody_writes_stays_also_while_nothing_answers(page: Page, shown: Shown) -> None:
    await open_in(page, shown, "ready")
    await page.evaluate("document.getElementById('words').focus(); 1")
    await page.write(WORDS)

    await news(page, shown, for_people_of("deploying"), '"second"')

    await page.until("document.querySelector('.state').innerText.includes('Starting')")
    assert await page.evaluate("document.getElementById('words').value") == WORDS


async def test_without_news_the_page_is_not_asked_for(page: Page, shown: Shown) -> None:
    await open_in(page, shown, "ready")
    shown.preview = for_people_of("expired")

    await page.evaluate("document.dispatchEvent(new Event('visibilitychange')); 1")
    await page.evaluate("fetch('/p/812/42.json').then((answer) => answer.text())")

    assert "Ready" in await page.text(".state")


async def test_both_addresses_follow_the_path_that_is_named_and_never_to_another_host(
    page: Page, shown: Shown
) -> None:
    await open_in(page, shown, "ready")
    await page.evaluate("document.querySelector('[data-key=compare]').open = true; 1")
    for path, lands in (
        ("/basket?size=2#top", "/basket?size=2#top"),
        ("//evil.example", "/cart"),
        ("/\\evil.example", "/cart"),
        ("javascript:alert(1)", "/cart"),
        ("", "/cart"),
    ):
        await page.evaluate(
            f"(() => {{ const it = document.getElementById('path'); it.value = {json.dumps(path)};"
            " it.dispatchEvent(new Event('input', {bubbles: true})); })()"
        )
        links = await page.evaluate("[...document.querySelectorAll('a[data-base]')].map((each) => each.href)")
        assert set(links) == {
            f"https://key.preview.example.com{lands}",
            f"https://staging.example.com{lands}",
        }


async def test_times_are_the_readers_own_with_their_zone(page: Page, shown: Shown) -> None:
    await open_in(page, shown, "ready")
    zone = (
        "new Intl.DateTimeFormat(undefined, {timeZoneName: 'short'}).formatToParts()"
        ".find((part) => part.type === 'timeZoneName').value"
    )

    told = await page.evaluate("document.querySelector('.time time').innerText")

    assert await page.evaluate(zone) in told


async def test_a_form_is_sent_once(page: Page, shown: Shown) -> None:
    await open_in(page, shown, "ready")
    await page.evaluate(
        "document.querySelector('#verdict').addEventListener('submit', (event) => event.preventDefault()); 1"
    )

    await page.click("button", "Looks good")

    await page.until("document.querySelector('#verdict .good').disabled")
