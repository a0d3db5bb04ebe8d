"""Opens one page, and keeps what was answered for the document that is shown."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from playwright.async_api import Error as BrowserError
from playwright.async_api import Page, Request, Response
from playwright.async_api import TimeoutError as BrowserTooLate

from previewbot.api.pictures import NoPicture
from previewbot.engine.routes import COMMIT_HEADER
from previewbot.rules.pictures import MOST_BYTES, Seen, host_of


@dataclass(frozen=True)
class Patience:
    """Seconds for a page to load; then at most so many until it is quiet, and as many for the rest."""

    load: float = 15.0
    quiet: float = 2.0
    rest: float = 15.0


class Look:
    """Opens one page, and keeps what it was led to and what answered last."""

    def __init__(self, page: Page, url: str) -> None:
        self._page, self._url = page, url
        self._status, self._host, self._commit = 0, "", ""
        page.on("request", self._asked)
        page.on("response", self._answered)

    async def at(self, patience: Patience) -> tuple[Seen, bytes]:
        """Return what was seen, and the picture of it, empty if there is none; raises what the browser does
        where it hangs or ends."""
        failure, content = None, b""
        try:
            await self._page.goto(self._url, wait_until="load", timeout=patience.load * 1000)
            # What goes on asking for ever is as quiet as it gets.
            with suppress(BrowserTooLate):
                await self._page.wait_for_load_state("networkidle", timeout=patience.quiet * 1000)
            content = await self._page.screenshot(animations="disabled", timeout=patience.rest * 500)
        except BrowserTooLate:
            failure = NoPicture.TOO_LATE
        except BrowserError as error:
            failure = _failure(error.message)
        if len(content) > MOST_BYTES:
            failure = NoPicture.NO_ROOM
        seen = Seen(self._status, self._host, commit=self._commit, failure=failure)
        return seen, b"" if failure else content

    def _asked(self, request: Request) -> None:
        # Also of a request that leads nowhere: that it was tried is what counts.
        if self._leads(request):
            self._host, self._status, self._commit = host_of(request.url), 0, ""

    def _answered(self, response: Response) -> None:
        if self._leads(response.request):
            self._status, self._commit = response.status, response.headers.get(COMMIT_HEADER, "")

    def _leads(self, request: Request) -> bool:
        return bool(request.is_navigation_request() and request.frame == self._page.main_frame)


def _failure(said: str) -> NoPicture:
    """Return what an error of the network stack means (https://source.chromium.org: net_error_list.h)."""
    if "ERR_CERT" in said:
        return NoPicture.CERTIFICATE
    if "ERR_ABORTED" in said or "Download is starting" in said:
        return NoPicture.NO_PAGE
    return NoPicture.NO_ANSWER if "net::ERR" in said else NoPicture.OTHER
