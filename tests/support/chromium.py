"""A real Chromium, driven over its DevTools protocol: what a page does, and how it looks to a person.

    async with Chromium.start() as chromium, chromium.page(PHONE, dark=True) as page:
        await page.open(url)
        await page.click("button", "Let Copilot")
        await page.until("document.querySelector('article.app')")
        picture = await page.picture("article.app")
        assert page.errors == []

Nothing is waited for by sleeping and hoping: each wait is for a condition, and says what the page showed
if it never came.
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.support.devtools import PATIENCE, NoChromium, Trouble, Wire, browser, chromium

__all__ = [
    "DESKTOP",
    "PATIENCE",
    "PHONE",
    "SMALL_PHONE",
    "Chromium",
    "NoChromium",
    "Page",
    "Size",
    "Trouble",
    "browser",
]

_LOOK_AGAIN = 0.05

_KEYS = {
    "Tab": 9,
    "Enter": 13,
    "Escape": 27,
    " ": 32,
    "ArrowLeft": 37,
    "ArrowUp": 38,
    "ArrowRight": 39,
    "ArrowDown": 40,
}
_TEXT_OF_KEY = {"Enter": "\r", " ": " "}
# A page that is just being replaced has no place to run a script in: that is "not yet", not a fault.
_BETWEEN_PAGES = ("context was destroyed", "Cannot find context", "navigated or closed")


@dataclass(frozen=True)
class Size:
    """The part of a page that is seen, in CSS pixels; a phone also has touch, and a viewport of its own."""

    width: int
    height: int
    phone: bool = False
    scale: float = 1.0


DESKTOP = Size(1280, 800)
PHONE = Size(390, 844, phone=True, scale=2.0)
SMALL_PHONE = Size(320, 640, phone=True, scale=2.0)


class Chromium:
    """One running Chromium with a profile of its own; `page` opens a page that shares nothing with others."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    @classmethod
    @asynccontextmanager
    async def start(
        cls, hosts: Mapping[str, str] | None = None, *, no_cookies_of: str = ""
    ) -> AsyncIterator[Chromium]:
        """Start Chromium, and end it afterwards; raises `NoChromium`.

        `hosts` leads host names to addresses, `{"*.example.com": "10.0.0.1"}`; `*.localhost` needs no entry.
        It keeps no cookies of the hosts below the domain `no_cookies_of`, as somebody may have set it.
        """
        async with chromium(hosts or {}, no_cookies_of) as wire:
            yield cls(wire)

    @asynccontextmanager
    async def page(self, size: Size = DESKTOP, *, dark: bool = False) -> AsyncIterator[Page]:
        """Open an empty page without any cookie, and close it afterwards."""
        context = (await self._wire.send("Target.createBrowserContext"))["browserContextId"]
        wanted = {"url": "about:blank", "browserContextId": context}
        target = (await self._wire.send("Target.createTarget", wanted))["targetId"]
        attached = await self._wire.send("Target.attachToTarget", {"targetId": target, "flatten": True})
        page = Page(self._wire, attached["sessionId"])
        try:
            await page.begin(size, dark)
            yield page
        finally:
            await self._wire.send("Target.disposeBrowserContext", {"browserContextId": context})


class Page:
    """One page, as somebody has it before them."""

    def __init__(self, wire: Wire, session: str) -> None:
        self._wire = wire
        self._session = session
        self._loaded: set[str] = set()
        self._news = asyncio.Event()
        self.errors: list[str] = []
        """What its console shows in red: scripts that threw, refused by a policy, files that did not come."""
        self.sent: list[dict[str, str]] = []
        """The headers of each request, with cookies, as they went over the wire."""
        wire.listeners[session] = self._hear

    async def begin(self, size: Size, dark: bool) -> None:
        """Listen to the page, and give it its size and colours."""
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self._send(f"{domain}.enable")
        await self._send("Page.setLifecycleEventsEnabled", {"enabled": True})
        await self.resize(size)
        await self.colours(dark)

    async def resize(self, size: Size) -> None:
        """Show the page in another size."""
        metrics = {
            "width": size.width,
            "height": size.height,
            "deviceScaleFactor": size.scale,
            "mobile": size.phone,
        }
        await self._send("Emulation.setDeviceMetricsOverride", metrics)
        await self._send("Emulation.setTouchEmulationEnabled", {"enabled": size.phone})

    async def colours(self, dark: bool) -> None:
        """Prefer dark or light colours; nothing moves, so that pictures are alike."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        still = {"name": "prefers-reduced-motion", "value": "reduce"}
        await self._send("Emulation.setEmulatedMedia", {"features": [scheme, still]})

    async def scripts(self, allowed: bool) -> None:
        """Let the page run scripts from its next load on, or not; `evaluate` works in both."""
        await self._send("Emulation.setScriptExecutionDisabled", {"value": not allowed})

    async def first(self, script: str) -> None:
        """Run a script in each page that is opened from now on, before any of its own."""
        await self._send("Page.addScriptToEvaluateOnNewDocument", {"source": script})

    async def open(self, url: str) -> None:
        """Open an address and wait until it is loaded; raises `Trouble` if there is no answer."""
        answer = await self._send("Page.navigate", {"url": url})
        if answer.get("errorText"):
            raise Trouble(f"{url}: {answer['errorText']}")
        if "loaderId" in answer:  # without one only the part after the # changed
            await self._until_loaded(answer["loaderId"], url)

    async def cookies(self, url: str) -> dict[str, str]:
        """Return the cookies that a request of an address would carry, those that no script sees, too."""
        found = await self._send("Network.getCookies", {"urls": [url]})
        return {each["name"]: each["value"] for each in found["cookies"]}

    async def set_cookie(self, url: str, name: str, value: str) -> None:
        """Keep a cookie as if the host of an address had set it, for itself and secure connections alone."""
        cookie = {"url": url, "name": name, "value": value, "path": "/", "secure": True, "httpOnly": True}
        assert (await self._send("Network.setCookie", cookie))["success"]

    async def evaluate(self, expression: str, *, frame: str = "") -> Any:
        """Return what an expression is in the page, as JSON values; a promise is awaited.

        With `frame`, part of a frame's address, it is asked in that frame; a policy of the page does not hold
        for it. Raises `Trouble` if the script throws.
        """
        asked = {"expression": expression, "awaitPromise": True, "returnByValue": True, "userGesture": True}
        if frame:
            asked["contextId"] = await self._world_of(frame)
        answer = await self._send("Runtime.evaluate", asked)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise Trouble(details.get("exception", {}).get("description") or details["text"])
        return answer["result"].get("value")

    async def until(self, condition: str, *, frame: str = "", seconds: float = PATIENCE) -> Any:
        """Wait until an expression is true in the page, as JavaScript sees it; return it as JSON values.

        Raises `Trouble` after `seconds`, and if the script throws.
        """
        asked = f"(async () => {{ const it = await ({condition}); return [Boolean(it), it]; }})()"
        deadline = time.monotonic() + seconds
        while True:
            try:
                true, value = await self.evaluate(asked, frame=frame)
                if true:
                    return value
            except Trouble as trouble:
                if not any(words in str(trouble) for words in (*_BETWEEN_PAGES, "no frame")):
                    raise
            if time.monotonic() > deadline:
                seen = await self.evaluate("location.href + '\\n' + document.body.innerText.slice(0, 800)")
                raise Trouble(f"not within {seconds:g} s: {condition}; the page shows {seen}")
            await asyncio.sleep(_LOOK_AGAIN)

    async def text(self, selector: str = "body") -> str:
        """Return the text of the first element of a selector, as it is seen."""
        await self.until(f"document.querySelector({json.dumps(selector)})")
        return str(await self.evaluate(f"document.querySelector({json.dumps(selector)}).innerText"))

    async def click(self, selector: str, text: str = "") -> None:
        """Click the first visible element of a CSS selector that has a text in it, once it is there."""
        x, y = await self.until(f"({_WHERE})({json.dumps(selector)}, {json.dumps(text)})")
        at = {"x": x, "y": y, "button": "left", "clickCount": 1}
        for kind in ("mousePressed", "mouseReleased"):
            await self._send("Input.dispatchMouseEvent", {"type": kind, **at})

    async def press(self, key: str, *, shift: bool = False) -> None:
        """Press one of the keys that move about in a page: Tab, Enter, Escape, a space, arrows."""
        given = {"key": key, "code": "Space" if key == " " else key, "windowsVirtualKeyCode": _KEYS[key]}
        given |= {"modifiers": 8 if shift else 0}
        text = {"text": _TEXT_OF_KEY[key]} if key in _TEXT_OF_KEY else {}
        await self._send(
            "Input.dispatchKeyEvent", {"type": "keyDown" if text else "rawKeyDown", **given, **text}
        )
        await self._send("Input.dispatchKeyEvent", {"type": "keyUp", **given})

    async def write(self, text: str) -> None:
        """Write into what has the focus."""
        await self._send("Input.insertText", {"text": text})

    async def picture(self, selector: str = "", *, whole: bool = False, margin: int = 0) -> bytes:
        """Return a PNG of what is seen, of the whole page, or of one element with a margin in CSS pixels."""
        asked: dict[str, Any] = {"format": "png", "captureBeyondViewport": bool(selector or whole)}
        if selector:
            await self.until(f"document.querySelector({json.dumps(selector)})")
            asked["clip"] = await self.evaluate(f"({_BOX})({json.dumps(selector)}, {margin})") | {"scale": 1}
        elif whole:
            size = (await self._send("Page.getLayoutMetrics"))["cssContentSize"]
            asked["clip"] = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        return base64.b64decode((await self._send("Page.captureScreenshot", asked))["data"])

    async def _until_loaded(self, loader: str, url: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while loader not in self._loaded:
            self._news.clear()
            left = deadline - time.monotonic()
            try:
                await asyncio.wait_for(self._news.wait(), max(left, 0.001))
            except TimeoutError:
                raise Trouble(f"{url} was not loaded within {PATIENCE:.0f} s") from None

    async def _world_of(self, part: str) -> int:
        """Return a place to run scripts in, in the frame whose address has `part` in it."""
        tree = (await self._send("Page.getFrameTree"))["frameTree"]
        frames = list(_frames(tree))
        for one in frames[1:]:
            if part in one["url"]:
                world = await self._send("Page.createIsolatedWorld", {"frameId": one["id"]})
                return int(world["executionContextId"])
        raise Trouble(f"no frame with {part}; there are {[one['url'] for one in frames[1:]]}")

    async def _send(self, method: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return await self._wire.send(method, params, self._session)

    def _hear(self, method: str, said: dict[str, Any]) -> None:
        if method == "Page.lifecycleEvent" and said["name"] == "load":
            self._loaded.add(said["loaderId"])
            self._news.set()
        elif method == "Network.requestWillBeSentExtraInfo":
            self.sent.append({name.lower(): value for name, value in said["headers"].items()})
        elif method == "Runtime.exceptionThrown":
            details = said["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Runtime.consoleAPICalled" and said["type"] in ("error", "assert"):
            words = (str(arg.get("value", arg.get("description", ""))) for arg in said["args"])
            self.errors.append(" ".join(words))
        elif method == "Log.entryAdded" and said["entry"]["level"] == "error":
            entry = said["entry"]
            # The browser asks for it by itself, once for each of its profiles, whenever it has the time.
            if not entry.get("url", "").endswith("/favicon.ico"):
                self.errors.append(f"{entry['text']} {entry.get('url', '')}".strip())


# Only what is seen can be clicked: of a menu that is folded the first match may have no box.
_WHERE = """(selector, text) => {
  for (const element of document.querySelectorAll(selector)) {
    if (text && !element.textContent.includes(text)) continue;
    element.scrollIntoView({block: "center", behavior: "instant"});
    const box = element.getClientRects()[0];
    if (box && box.width && box.height) return [box.x + box.width / 2, box.y + box.height / 2];
  }
  return null;
}"""
_BOX = """(selector, margin) => {
  const box = document.querySelector(selector).getBoundingClientRect();
  const [x, y] = [Math.max(0, box.x + scrollX - margin), Math.max(0, box.y + scrollY - margin)];
  return {x, y, width: box.right + scrollX + margin - x, height: box.bottom + scrollY + margin - y};
}"""


def _frames(tree: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a page's frames, itself first."""
    return [tree["frame"], *(one for child in tree.get("childFrames", ()) for one in _frames(child))]
