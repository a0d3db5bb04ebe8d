"""All previews as one table, for people who see little, use the keyboard or a phone, or read in the dark."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import pytest
import pytest_asyncio
from flask import Flask

from previewbot.api import Holders, Phase, Preview
from previewbot.api.rights import Rights
from previewbot.pages.all_previews import LISTED_EVERY_SECONDS, all_previews
from previewbot.pages.list_page import Listing, blueprint
from previewbot.pages.showing import Showing
from previewbot.pages.visitors import GITHUB, Visitor
from previewbot.people.person import Person
from previewbot.runtime.bare_app import bare_app
from previewbot.text.render import Renderer
from tests.browser.axe import violations_in_every_look
from tests.browser.site import served
from tests.browser.test_pages_for_everybody import SMALL_TARGETS, UNREACHED
from tests.support.chromium import DESKTOP, SMALL_PHONE, Chromium, Page
from tests.support.people import Cluster, settings
from tests.support.previews import NOW
from tests.support.readers import READER, for_people_of
from tests.support.states import STATES

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]

LONG = "ALineThatNobodyBreaks" * 9


def _of_each_phase() -> list[Preview]:
    """Return one preview of each phase, and one of which nothing is known yet."""
    by_phase = {preview.status.phase: name for name, preview in sorted(STATES.items())}
    assert set(by_phase) >= set(Phase)
    return [_numbered(name, at) for at, name in enumerate(by_phase.values(), start=1)]


def _numbered(state: str, number: int, **changes: Any) -> Preview:
    preview = for_people_of(state)
    spec = replace(preview.spec, number=number)
    slot = replace(preview.status.slot, holders=Holders((7, 8, 9), 4, 2))
    observed = replace(preview.status.observed, public=True, **changes)
    status = replace(preview.status, observed=observed, slot=slot)
    return replace(preview, name=f"gh-812-{number}", spec=spec, status=status)


ROWS: dict[str, list[Preview]] = {
    "empty": [],
    "one of each phase": _of_each_phase(),
    "sixty": [
        _numbered(name, at, title=LONG if at % 2 else "Dress the basket", author=LONG[:39])
        for at, name in enumerate(sorted(STATES)[:60], start=1)
    ],
}


@dataclass
class Shown:
    """What `/previews` shows now, and to whom."""

    url: str = ""
    rows: Sequence[Preview] = ()
    signed_in: bool = True
    asks: str = GITHUB

    def person(self) -> Person | None:
        """Return who is signed in."""
        return Person(7, "maria", "token", "a-secret-of-this-session") if self.signed_in else None

    def of(self, preview: Preview) -> Rights:
        """Return what whoever looks may at this preview."""
        return self.at(preview.spec.repository_id, preview.spec.number).rights

    def at(self, repository_id: int, number: int) -> Visitor:
        """Return who looks: somebody who may read, or a stranger where pages are public."""
        return Visitor(READER if self.signed_in else Rights(state=True))

    def can_sign_in(self) -> bool:
        """Return that people can."""
        return True

    def can_press(self) -> bool:
        """Return that they can."""
        return True

    def listing(self) -> Iterator[dict[str, Any]]:
        """Return all previews, as the API server has them."""
        cluster = Cluster()
        for preview in self.rows:
            cluster.hold(preview)
        return cluster.list_previews()

    def app(self) -> Flask:
        """Return the application that serves it."""
        renderer, of_site, later = Renderer(), settings(), count(step=int(LISTED_EVERY_SECONDS))
        showing = Showing(of_site, Cluster(), renderer, self, now=lambda: NOW, form_id=lambda: "0" * 32)
        everything = all_previews(self.listing, seconds=lambda: float(next(later)))
        app = bare_app(renderer.style_source())
        app.register_blueprint(
            blueprint(Listing(of_site, showing, everything, renderer, lambda: NOW), showing)
        )
        return app


@pytest.fixture(scope="module")
def shown() -> Iterator[Shown]:
    found = Shown()
    with served(found.app()) as found.url:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page(chromium: Chromium) -> AsyncIterator[Page]:
    async with chromium.page(DESKTOP) as opened:
        yield opened


@pytest.mark.parametrize("rows", sorted(ROWS))
@pytest.mark.parametrize("signed_in", [True, False])
async def test_no_rule_of_axe_is_violated_and_it_fits_the_smallest_phone_and_a_thumb(
    page: Page, shown: Shown, rows: str, signed_in: bool
) -> None:
    page.errors.clear()
    shown.rows, shown.signed_in = ROWS[rows], signed_in
    await page.open(f"{shown.url}/previews")
    assert await page.evaluate("document.querySelectorAll('tbody tr').length") == len(ROWS[rows])

    assert await violations_in_every_look(page) == {}
    for size in (SMALL_PHONE, DESKTOP):
        await page.resize(size)
        assert await page.evaluate("document.documentElement.scrollWidth") <= size.width
        assert await page.evaluate(SMALL_TARGETS) == []
    assert await page.evaluate(UNREACHED) == []
    assert page.errors == []


async def test_the_filters_lead_to_their_own_address_and_stay_in_their_fields(
    page: Page, shown: Shown
) -> None:
    shown.rows, shown.signed_in = ROWS["one of each phase"], True
    await page.open(f"{shown.url}/previews")
    await page.evaluate("document.getElementById('state').value = 'ready'; 1")

    await page.click("button", "Show these")

    await page.until("location.search.includes('state=ready')")
    await page.until("document.getElementById('state') && document.getElementById('state').value === 'ready'")
    assert 0 < await page.evaluate("document.querySelectorAll('tbody tr').length") < len(shown.rows)
    assert page.errors == []


async def test_news_come_by_themselves_and_times_are_the_readers_own(page: Page, shown: Shown) -> None:
    shown.rows, shown.signed_in = [], True
    await page.open(f"{shown.url}/previews")
    shown.rows = [_numbered("ready", 1)]

    await page.evaluate("document.dispatchEvent(new Event('visibilitychange')); 1")

    await page.until("document.querySelectorAll('tbody tr').length === 1")
    zone = (
        "new Intl.DateTimeFormat(undefined, {timeZoneName: 'short'}).formatToParts()"
        ".find((part) => part.type === 'timeZoneName').value"
    )
    assert await page.evaluate(zone) in await page.text("tbody time")
