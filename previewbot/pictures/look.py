"""Opens one page, waits until it shows what it asked for, and keeps what was answered for what is shown."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Container
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Error as BrowserError
from playwright.async_api import Page, Request, Response
from playwright.async_api import TimeoutError as BrowserTooLate

from previewbot.api.pictures import NoPicture
from previewbot.engine.routes import COMMIT_HEADER
from previewbot.rules.pictures import MOST_BYTES, Seen, host_of

_NEVER_ENDS = frozenset({"eventsource", "websocket", "ping", "media"})
"""Kinds of requests, in Playwright's words, that last as long as the page does, or that it does not show."""
_STREAM = "text/event-stream"
_ANEW = 3
"""So often a page waits for one address (without its query); what is asked more often is asked by a clock."""
_LOOKS = 2
"""So often a picture is taken anew of what led on meanwhile."""
_MOST_LEFT_OUT = 5


@dataclass(frozen=True)
class Patience:
    """How long a page is given, in seconds.

    `load` is for all that it shows; what is not answered after `poll` is taken for a question that is kept
    open until there is news, and waited for no longer. `still` is how long nothing is asked for once all is
    there, and `rest` what the browser itself is given.
    """

    load: float = 15.0
    poll: float = 8.0
    still: float = 0.5
    rest: float = 15.0


@dataclass(frozen=True)
class _Document:
    """A document of the page itself, and what was answered for it: 0 while nothing was."""

    status: int = 0
    host: str = ""
    commit: str = ""


class _Documents:
    """What is shown in the page, by what the browser says of it.

    Not the last request: an error page may ask for another document that is none (204), and stays.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self._frame = ""
        self._answered: dict[str, _Document] = {}
        self._tried = _Document()
        self._shown: _Document | None = None

    async def watch(self) -> None:
        """Begin; raises what the browser does (https://chromedevtools.github.io/devtools-protocol/)."""
        session = await self._page.context.new_cdp_session(self._page)
        session.on("Network.requestWillBeSent", self._asks)
        session.on("Network.responseReceived", self._answers)
        session.on("Page.frameNavigated", self._shows)
        await session.send("Network.enable")
        await session.send("Page.enable")
        self._frame = (await session.send("Page.getFrameTree"))["frameTree"]["frame"]["id"]

    @property
    def now(self) -> _Document:
        """The document that is shown; of a page that shows none yet, the one that was asked for last."""
        return self._shown or self._tried

    def _asks(self, said: dict[str, Any]) -> None:
        if self._leads(said):
            # Also of a host that nobody knows: that it was led there is what counts.
            self._tried = _Document(host=host_of(said["request"]["url"]))

    def _answers(self, said: dict[str, Any]) -> None:
        if self._leads(said):
            response = said["response"]
            headers = {name.lower(): value for name, value in response["headers"].items()}
            commit = headers.get(COMMIT_HEADER, "")
            self._tried = _Document(int(response["status"]), host_of(response["url"]), commit)
            self._answered[said["loaderId"]] = self._tried

    def _shows(self, said: dict[str, Any]) -> None:
        frame = said["frame"]
        if "parentId" not in frame:
            self._frame = frame["id"]
            led_to = _Document(host=host_of(frame.get("unreachableUrl") or frame["url"]))
            self._shown = self._answered.get(frame["loaderId"], led_to)

    def _leads(self, said: dict[str, Any]) -> bool:
        return said.get("frameId") == self._frame and said["requestId"] == said["loaderId"]


@dataclass
class _UnderWay:
    """What the page asked for and does not have yet; `left_out` are hosts at which it got nothing."""

    patience: Patience
    reached: Container[str]
    left_out: set[str] = field(default_factory=set)
    _asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    _since: dict[Request, float] = field(default_factory=dict)
    _last: float = 0.0
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def watch(self, page: Page) -> None:
        """Begin."""
        page.on("request", self._begins)
        page.on("response", self._answers)
        page.on("requestfinished", self._ends)
        page.on("requestfailed", self._fails)

    async def over(self) -> None:
        """Wait until the page has what it asked for, or it is not waited for any longer."""
        self._last = max(self._last, time.monotonic())
        while (left := self._quiet_at() - time.monotonic()) > 0:
            self._news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._news.wait()

    def _quiet_at(self) -> float:
        given_up = (since + self.patience.poll for since in self._since.values())
        return max((self._last + self.patience.still, *given_up))

    def _begins(self, request: Request) -> None:
        address = (request.method, request.url.partition("?")[0])
        self._asked[address] += 1
        if request.resource_type not in _NEVER_ENDS and self._asked[address] <= _ANEW:
            self._since[request] = time.monotonic()
            self._changes()

    def _answers(self, response: Response) -> None:
        if response.headers.get("content-type", "").startswith(_STREAM):
            self._ends(response.request)

    def _ends(self, request: Request) -> None:
        if self._since.pop(request, None) is not None:
            self._changes()

    def _fails(self, request: Request) -> None:
        host = host_of(request.url)
        if host and host not in self.reached and len(self.left_out) < _MOST_LEFT_OUT:
            self.left_out.add(host)
        self._ends(request)

    def _changes(self) -> None:
        self._last = time.monotonic()
        self._news.set()


class Look:
    """Opens one page; `reached` are the hosts that the browser knows."""

    def __init__(self, page: Page, url: str, patience: Patience, reached: Container[str]) -> None:
        self._page, self._url, self._patience = page, url, patience
        self._documents, self._under_way = _Documents(page), _UnderWay(patience, reached)

    async def taken(self) -> tuple[Seen, bytes]:
        """Return what was seen, and the picture of it, empty if there is none.

        Raises what the browser does that cannot begin.
        """
        failure, content = None, b""
        await self._documents.watch()
        self._under_way.watch(self._page)
        try:
            begun = time.monotonic()
            await self._page.goto(self._url, wait_until="load", timeout=self._patience.load * 1000)
            # What goes on asking for ever is as quiet as it gets.
            with suppress(TimeoutError):
                async with asyncio.timeout(self._patience.load - (time.monotonic() - begun)):
                    await self._under_way.over()
            content = await self._picture()
        except BrowserTooLate:
            failure = NoPicture.TOO_LATE
        except BrowserError as error:
            failure = _failure(error.message)
        if len(content) > MOST_BYTES:
            failure = NoPicture.NO_ROOM
        shown = self._documents.now
        if failure is NoPicture.TOO_LATE and not shown.status:
            # Not one byte came: that says nothing of the page, and much of the way there.
            failure = NoPicture.NO_ANSWER
        seen = Seen(
            shown.status,
            shown.host,
            commit=shown.commit,
            failure=failure,
            left_out=tuple(sorted(self._under_way.left_out)),
        )
        return seen, b"" if failure else content

    async def _picture(self) -> bytes:
        """Return a picture of the document that is shown; raises BrowserTooLate if it never stays."""
        for _ in range(_LOOKS):
            before = self._documents.now
            content: bytes = await self._page.screenshot(
                animations="disabled", timeout=self._patience.rest * 1000 / _LOOKS
            )
            if self._documents.now is before:
                return content
        raise BrowserTooLate("the page led on while it was looked at")


def _failure(said: str) -> NoPicture:
    """Return what an error of the network stack means (https://source.chromium.org: net_error_list.h)."""
    if "ERR_CERT" in said:
        return NoPicture.CERTIFICATE
    if "ERR_ABORTED" in said or "Download is starting" in said:
        return NoPicture.NO_PAGE
    return NoPicture.NO_ANSWER if "net::ERR" in said else NoPicture.OTHER
