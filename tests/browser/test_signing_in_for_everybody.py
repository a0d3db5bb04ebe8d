"""What a sign-in and a refused form say, for people who see little, or use the keyboard or a phone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from flask import Response

from previewbot.pages.policy import HEADER, policy
from previewbot.runtime.bare_app import bare_app
from previewbot.text.render import Renderer, templates_directory
from tests.browser.axe import violations_in_every_look
from tests.browser.site import served
from tests.browser.test_pages_for_everybody import SMALL_TARGETS, UNREACHED
from tests.support.chromium import DESKTOP, SMALL_PHONE, Chromium, Page

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]

NAMES = sorted(
    f"{folder}/{path.stem}"
    for folder in ("sign_in", "forms", "guard")
    for path in (templates_directory() / folder).glob("[a-z]*.html")
)
WORDS = "The button is too dark.\n\nWithout it I would not find the way to pay."


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Where each of these pages is, with the headers that all pages have."""
    renderer = Renderer()
    app = bare_app(renderer.style_source())
    leads_on = policy(renderer.style_source(), renderer.script_source("guard/into_preview.js"))

    @app.get("/<folder>/<name>")
    def shown(folder: str, name: str) -> Response:
        page = renderer.html(
            f"{folder}/{name}.html",
            to="/p/812/42",
            back="/p/812/42",
            words=WORDS,
            url="#",
            again="/",
            by_proxy=False,
        )
        # Its script leads on, here to the page itself.
        own = {HEADER: leads_on} if name == "into_preview" else {}
        return Response(page, headers=own, mimetype="text/html")

    with served(app) as address:
        yield address


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page(chromium: Chromium) -> AsyncIterator[Page]:
    async with chromium.page(DESKTOP) as opened:
        yield opened


@pytest.mark.parametrize("name", NAMES)
async def test_no_rule_of_axe_is_violated_on_phone_and_desktop_in_the_light_and_in_the_dark(
    page: Page, url: str, name: str
) -> None:
    await page.open(f"{url}/{name}")

    assert await violations_in_every_look(page) == {}


@pytest.mark.parametrize("name", NAMES)
async def test_it_fits_the_smallest_phone_and_its_targets_a_thumb_and_it_keeps_to_its_policy(
    page: Page, url: str, name: str
) -> None:
    await page.resize(SMALL_PHONE)
    page.errors.clear()
    await page.open(f"{url}/{name}")

    assert await page.evaluate("document.documentElement.scrollWidth") <= SMALL_PHONE.width
    assert await page.evaluate(SMALL_TARGETS) == []
    assert await page.evaluate(UNREACHED) == []
    assert page.errors == []
