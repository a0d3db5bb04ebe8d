"""Looks at one page in a browser of its own, which ends with it; nothing but two hosts is reached.

Behind a link is what a pull request made of a service, so its page is a stranger's. Each picture has a new
Chromium with an empty profile: no cookie, no cache, no page of another preview is in it. The two hosts are
given to it with the addresses they have, and no other name, and no other address, leads anywhere
(`--host-resolver-rules`, https://www.chromium.org/developers/design-documents/network-stack/, which holds for
redirects, WebSockets and numbers too). It saves nothing, and it is given so many seconds.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Any

from playwright.async_api import (
    Browser,
    BrowserContext,
    Page,
    Playwright,
    Request,
    Response,
    Route,
    async_playwright,
)
from playwright.async_api import Error as BrowserError
from playwright.async_api import TimeoutError as BrowserTooLate

from previewbot.api.pictures import SIZES, Device, NoPicture, Side
from previewbot.engine.routes import COMMIT_HEADER
from previewbot.pictures.album import Job
from previewbot.rules.guard_bearers import HEADER as BEARER
from previewbot.rules.pictures import LEAST_COLOURS, MOST_BYTES, Seen, host_of
from previewbot.rules.pictures_health import BrowserState, why_not

_FLAGS = ("--no-proxy-server", "--disable-quic", "--force-webrtc-ip-handling-policy=disable_non_proxied_udp")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_PHONE = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{} Mobile Safari/537.36"
)
# Drawn in a page without anything of the preview's: its own could say what it likes of its colours.
_COUNT = """async ([data, most]) => {
  const image = new Image()
  image.src = 'data:image/png;base64,' + data
  await image.decode()
  const canvas = document.createElement('canvas')
  canvas.width = image.width
  canvas.height = image.height
  const drawn = canvas.getContext('2d')
  drawn.drawImage(image, 0, 0)
  const colours = new Set()
  for (const one of new Uint32Array(drawn.getImageData(0, 0, image.width, image.height).data.buffer)) {
    colours.add(one)
    if (colours.size >= most) break
  }
  return colours.size
}"""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Patience:
    """Seconds for a page to load; then at most so many until it is quiet, and as many for the rest."""

    load: float = 15.0
    quiet: float = 2.0
    rest: float = 15.0


class Camera:
    """Takes pictures with a Chromium at `path`, one at a time.

    `hosts` are addresses of names that nobody else knows, for tests.
    """

    def __init__(
        self, path: str, patience: Patience | None = None, hosts: Mapping[str, str] | None = None
    ) -> None:
        self._path, self._patience = path, patience or Patience()
        self._hosts: Mapping[str, str] = {} if hosts is None else hosts
        self._sandbox = sandbox_works()
        self.browser, self.why = BrowserState.UNTRIED, ""

    async def try_browser(self) -> None:
        """Start the browser, and end it: `browser` says then whether it does, and `why` not.

        Raises nothing but what ends the process.
        """
        # Playwright's own program may end, too, and be told of as an Exception without a class of its own.
        try:
            async with asyncio.timeout(self._patience.load + self._patience.rest):
                async with async_playwright() as playwright:
                    await self._launched(playwright, ())
        except Exception as error:
            if self.browser is not BrowserState.CANNOT_START:
                self._cannot_start(str(error) or "it does not start in time")

    async def take(self, job: Job) -> tuple[Seen, bytes]:
        """Return what was seen, and the picture of it; raises nothing but what ends the process."""
        patience = self._patience
        try:
            # Beside what each step is given: a browser that hangs ends with Playwright's own program.
            async with asyncio.timeout(patience.load + patience.quiet + patience.rest):
                return await self._take(job)
        except TimeoutError:
            return Seen(failure=NoPicture.TOO_LATE), b""
        except Exception as error:
            # Also one without a class of its own: Playwright's program ended, for example for want of memory.
            log.warning("no picture", extra={"preview": job.name, "error": type(error).__name__})
            return Seen(failure=NoPicture.OTHER), b""

    async def _take(self, job: Job) -> tuple[Seen, bytes]:
        led = await self._addresses(job)
        if host_of(job.url) not in led:
            return Seen(failure=NoPicture.NO_ANSWER), b""
        rules = ", ".join([*(f"MAP {host} {address}" for host, address in led.items()), "MAP * ~NOTFOUND"])
        async with async_playwright() as playwright:
            browser = await self._launched(playwright, (f"--host-resolver-rules={rules}",))
            context = await _context(browser, job)
            look = _Look(await context.new_page(), job.url)
            seen, content = await look.at(self._patience)
            if not content:
                return seen, b""
            await context.close()
            return replace(seen, colours=await _colours(browser, content)), content

    async def _launched(self, playwright: Playwright, more: Sequence[str]) -> Browser:
        """Return a new browser, and note whether there is one."""
        try:
            browser = await playwright.chromium.launch(
                executable_path=self._path,
                chromium_sandbox=self._sandbox,
                args=[*_FLAGS, *more],
                timeout=self._patience.load * 1000,
            )
        except BrowserError as error:
            self._cannot_start(error.message)
            raise
        self.browser, self.why = BrowserState.OK, ""
        return browser

    def _cannot_start(self, said: str) -> None:
        self.browser, self.why = BrowserState.CANNOT_START, why_not(said)
        log.error("the browser cannot start", extra={"error": self.why})

    async def _addresses(self, job: Job) -> dict[str, str]:
        """Return the two hosts with an address each, as Chromium takes it; who has none is left out."""
        found = {}
        for url, others in ((job.place.with_url, job.wish.addresses), (job.place.without_url, ())):
            host = host_of(url)
            if not _HOST.fullmatch(host):
                continue
            if host in self._hosts:
                found[host] = self._hosts[host]
                continue
            for name in (host, *others):
                address = await _address_of(name)
                if address:
                    found[host] = address
                    break
        return found


class _Look:
    """Opens one page, and keeps what it was led to and what answered last."""

    def __init__(self, page: Page, url: str) -> None:
        self._page, self._url = page, url
        self._status, self._host, self._commit = 0, "", ""
        page.on("request", self._asked)
        page.on("response", self._answered)

    async def at(self, patience: Patience) -> tuple[Seen, bytes]:
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


async def _context(browser: Browser, job: Job) -> BrowserContext:
    device = job.picture.device
    width, height = SIZES[device]
    options: dict[str, Any] = {}
    if device is Device.PHONE:
        options = {"is_mobile": True, "has_touch": True, "user_agent": _PHONE.format(browser.version)}
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        accept_downloads=False,
        service_workers="block",
        reduced_motion="reduce",
        locale="en-GB",
        timezone_id="UTC",
        **options,
    )
    bearer, ours = job.wish.bearer, host_of(job.place.with_url)

    async def with_bearer(route: Route) -> None:
        await route.continue_(headers={**route.request.headers, BEARER: bearer})

    if bearer and job.picture.side is Side.AFTER:
        # Staging has no use for it, and no page of another host is to have it.
        await context.route(lambda url: host_of(url) == ours, with_bearer)
    return context


async def _colours(browser: Browser, content: bytes) -> int:
    context = await browser.new_context(offline=True)
    page = await context.new_page()
    found: int = await page.evaluate(_COUNT, [base64.b64encode(content).decode(), LEAST_COLOURS])
    return found


async def _address_of(name: str) -> str:
    """Return an address of a name as Chromium's rules write it; empty if it has none, or one of this machine.

    Where staging is says a repository's file: it must not be this pod, or what a cloud tells its machines.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ""
    for _, _, _, _, place in found:
        address = ip_address(str(place[0]).partition("%")[0])
        address = getattr(address, "ipv4_mapped", None) or address
        if not (
            address.is_loopback or address.is_link_local or address.is_unspecified or address.is_multicast
        ):
            return f"[{address}]" if address.version == 6 else str(address)
    return ""


def _failure(said: str) -> NoPicture:
    """Return what an error of the network stack means (https://source.chromium.org: net_error_list.h)."""
    if "ERR_CERT" in said:
        return NoPicture.CERTIFICATE
    if "ERR_ABORTED" in said or "Download is starting" in said:
        return NoPicture.NO_PAGE
    return NoPicture.NO_ANSWER if "net::ERR" in said else NoPicture.OTHER


def chromium_here() -> str | None:
    """Return the path of a Chromium of this machine; None if there is none."""
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    return next((path for path in found if path is not None), None)


def sandbox_works() -> bool:
    """Return whether Chromium can make its own sandbox: as no root, where users may make namespaces.

    In most clusters they may not (seccomp's RuntimeDefault), and then the pod is the sandbox.
    """
    if os.geteuid() == 0:
        return False
    unshare = shutil.which("unshare")
    if unshare is None:
        return False
    tried = subprocess.run([unshare, "--user", "--net", "true"], capture_output=True, check=False)
    return tried.returncode == 0
