"""`make pictures`: take the README's pictures anew, in Chromium, of the demo as it runs now.

Each is a PNG of at most 150 KB in docs/pictures. They are for people: look at each before you commit it.
`docs/pictures/preview.png`, behind a real Gateway, is `UPDATE_PICTURES=1 make node-test`'s.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from previewbot_demo.hosts import PREVIEW_DOMAIN, SHOP_HOST
from previewbot_demo.processes import StartError
from previewbot_demo.tour import NEW_BANNER, NEW_TOTAL
from previewbot_demo.world import REPOSITORY, Options, World
from tests.support.chromium import PHONE, Chromium, NoChromium, Page, Size, Trouble

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
LARGEST = 150 * 1000
_UNHURRIED = 1.5  # seconds that a session starts for: what people see of it
_STRIP = Size(560, 420, scale=2.0)
_SHOP = Size(560, 640, scale=1.5)
_COMMENT = Size(760, 700, scale=1.5)
_SPLIT = Size(1160, 660)
_PAGE = Size(820, 700, scale=1.5)
_WIDE = Size(1280, 1010)
_ALL_TAKEN = 120.0
_IN_HAND = replace(PHONE, scale=1.5)
_WORDS = "The banner hides the basket on my phone."
_COMMENTED = "document.querySelector('article.app a')?.textContent.includes('Open the preview')"
_LINK = (
    "[...document.querySelectorAll('article.app a')].find(a => a.textContent === 'Open the preview')?.href"
)


class Photographer:
    """Goes through the demo with a Chromium, and keeps what it sees."""

    def __init__(self, world: World, chromium: Chromium, folder: Path) -> None:
        self._world = world
        self._chromium = chromium
        self._folder = folder
        self._pulls = f"{world.url}/{REPOSITORY}/pulls"
        self._web = self._pricing = ""  # their pages' paths
        self._shop = f"http://{SHOP_HOST}:{world.port}"

    async def take_all(self) -> None:
        """Take every picture; raises `Trouble` if one is too large, or the demo not as it should be."""
        front = await self._strip()
        backend = await self._opened("Let Codex change the prices")
        await self._pair("front-end", front, NEW_BANNER)
        await self._pair("backend", backend, NEW_TOTAL)
        await self._comment()
        await self._split_view()
        await self._pages()
        await self._reviewer()

    async def _strip(self) -> str:
        """Button, comment, click: three pictures of one size. Return the link."""
        async with self._chromium.page(_STRIP) as page:
            await page.open(self._pulls)
            await self._keep("1-button", page)
            await page.click("button", "Let Copilot change the front end")
            link = str(await page.until(_LINK))
            self._web = str(await page.evaluate("location.pathname"))
            await page.evaluate("document.querySelector('article.app').scrollIntoView({block: 'start'})")
            await self._keep("2-comment", page)
            await page.open(link)
            await page.until(f"document.body?.innerText.includes({NEW_BANNER!r})")
            await self._keep("3-click", page)
        return link

    async def _opened(self, button: str) -> str:
        async with self._chromium.page() as page:
            await page.open(self._pulls)
            await page.click("button", button)
            link = str(await page.until(_LINK))
            self._pricing = str(await page.evaluate("location.pathname"))
        return link

    async def _pair(self, name: str, link: str, change: str) -> None:
        """The same path in staging and in a preview."""
        async with self._chromium.page(_SHOP) as page:
            for side, base in (("staging", self._shop), ("preview", _origin(link))):
                await page.open(f"{base}/cart")
                there = await page.evaluate(f"document.body?.innerText.includes({change!r})")
                if there != (side == "preview"):
                    raise Trouble(f"{base}/cart {'shows' if there else 'does not show'} {change}")
                await self._keep(f"{name}-{side}", page)

    async def _comment(self) -> None:
        """The comment, cropped to itself."""
        async with self._chromium.page(_COMMENT) as page:
            await page.open(self._world.url + self._web)
            await page.until(_COMMENTED)
            await self._keep("comment", page, "article.app", 12)

    async def _split_view(self) -> None:
        """What `make demo` opens, after the first click on the comment's link."""
        pull = self._pricing
        for name, size in (("split-view", _SPLIT), ("split-view-phone", _IN_HAND)):
            async with self._chromium.page(size) as page:
                await page.open(self._world.url)
                left = "document.getElementById('pull-frame')"
                await page.until(f"{left}.contentDocument.readyState === 'complete'")
                await page.evaluate(f"{left}.contentWindow.location.assign({pull!r})")
                await page.until(_COMMENTED, frame=pull)
                await page.evaluate(_CLICK_LINK, frame=pull)
                await page.until("!document.getElementById('preview-frame').hidden")
                await page.evaluate("document.querySelector('[data-path=\"/cart\"]').click()")
                await page.until(
                    f"document.body?.innerText.includes({NEW_TOTAL!r})", frame="preview.localhost"
                )
                await page.until("document.querySelector('[data-step=walk]').classList.contains('done')")
                await page.evaluate(_TO_COMMENT, frame=pull)
                await page.evaluate("scrollTo(0, 0)")
                # One side follows the other at the next look, which loads it once more; then it is drawn.
                for host in (SHOP_HOST, PREVIEW_DOMAIN) if size is _SPLIT else (PREVIEW_DOMAIN,):
                    await page.until(_DRAWN, frame=host)
                await self._keep(name, page)

    async def _pages(self) -> None:
        """The page of a preview for whoever is signed in: on a desktop, and on a phone in dark colours."""
        for name, size, dark in (("page", _PAGE, False), ("page-phone", _IN_HAND, True)):
            async with self._chromium.page(size, dark=dark) as page:
                await self._signed_in(page)
                await self._keep(name, page)

    async def _reviewer(self) -> None:
        """From the comment to what somebody thinks of it, on a phone."""
        async with self._chromium.page(_IN_HAND) as page:
            await page.open(self._world.url + self._web)
            await page.until(_COMMENTED)
            await self._keep("reviewer-comment", page, "article.app", 8)
            await self._signed_in(page)
            await self._keep("reviewer-page", page)
            await page.click("textarea")
            await page.write(_WORDS)
            await page.evaluate("document.querySelector('#say').scrollIntoView({block: 'start'})")
            await self._keep("reviewer-form", page)
            await page.click("button", "Hand it to Copilot")
            await page.until("document.querySelector('.note.good')")
            await page.open(self._world.url + self._web)
            verdict = (
                "[...document.querySelectorAll('article')].find((a) => a.innerText.includes('Needs work:'))"
            )
            await page.until(f"{verdict} && ({verdict}.id = 'verdict')")
            await self._keep("reviewer-verdict", page, "#verdict", 8)

    async def take_pictures_of_pictures(self) -> None:
        """Before and after, as they stand on a preview's page: on a wide screen, and on a phone."""
        async with self._chromium.page(_STRIP) as page:
            await page.open(self._pulls)
            await page.click("button", "Let Copilot change the front end")
            await page.until(_LINK)
            self._web = str(await page.evaluate("location.pathname"))
        for name, size, device in (("pictures", _WIDE, "desktop"), ("pictures-phone", _IN_HAND, "phone")):
            async with self._chromium.page(size) as page:
                await self._signed_in(page)
                # They are taken after the preview is ready; the page has them when it is opened again.
                async with asyncio.timeout(_ALL_TAKEN):
                    while await page.evaluate("document.images.length") < 4:
                        await page.open(str(await page.evaluate("location.href")))
                await page.evaluate(_SHOW.replace("DEVICE", device))
                await page.until(_LOADED)
                await self._keep(name, page)

    async def _signed_in(self, page: Page) -> None:
        number = self._web.rpartition("/")[2]
        await page.open(f"{self._world.bot.url}/p/{self._world.options.repository_id}/{number}")
        await page.click("a", "Sign in with GitHub")
        await page.click("button", "maria")
        await page.until("document.querySelector('textarea')")
        await page.evaluate("scrollTo(0, 0)")

    async def _keep(self, name: str, page: Page, selector: str = "", margin: int = 0) -> None:
        picture = await page.picture(selector, margin=margin)
        print(f"  {len(picture) / 1000:6.1f} KB  {name}.png", flush=True)
        if len(picture) > LARGEST:
            raise Trouble(f"{name}.png has {len(picture)} bytes, more than {LARGEST}")
        (self._folder / f"{name}.png").write_bytes(picture)


_CLICK_LINK = """[...document.querySelectorAll('article.app a')]
  .find(a => a.textContent === 'Open the preview').click()"""
_DRAWN = """document.body?.innerText.includes('Your basket')
  && new Promise((drawn) => requestAnimationFrame(() => setTimeout(() => drawn(true), 2000)))"""
_SHOW = """(() => {
  for (const fold of document.querySelectorAll('section[aria-labelledby=pictures] details')) {
    fold.open = Boolean(fold.querySelector('.pictures.DEVICE'))
  }
  document.querySelector('section[aria-labelledby=pictures]').scrollIntoView({block: 'start'})
  scrollBy(0, -16)
})()"""
_LOADED = """(() => {
  const shown = [...document.querySelectorAll('details[open] figure img')]
  return shown.length > 0 && shown.every((one) => one.complete && one.naturalWidth)
})()"""
_TO_COMMENT = "document.querySelector('article.app').scrollIntoView({block: 'start'})"


def _origin(link: str) -> str:
    parts = urlsplit(link)
    return f"{parts.scheme}://{parts.netloc}"


async def take(port: int, folder: Path) -> None:
    """Start the demo, take all pictures of it, and end it; raises `NoChromium` and `Trouble`."""
    async with World(Options(port=port, start_seconds=_UNHURRIED)) as world, Chromium.start() as chromium:
        await Photographer(world, chromium, folder).take_all()
    # A world of its own: in the others, comments and pages are as they are without a worker of pictures.
    options = Options(port=port, start_seconds=_UNHURRIED, pictures=True)
    async with World(options) as world, Chromium.start() as chromium:
        await Photographer(world, chromium, folder).take_pictures_of_pictures()


def main() -> int:
    """Take the pictures; return the exit code."""
    parser = argparse.ArgumentParser(description="Take the README's pictures of the running demo.")
    parser.add_argument("--port", type=int, default=8470, help="the demo's, as it is read in pictures")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    options = parser.parse_args()
    try:
        asyncio.run(take(options.port, options.folder))
    except (NoChromium, StartError, Trouble) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
