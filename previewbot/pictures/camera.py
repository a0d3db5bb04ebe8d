"""Looks at one page in a browser of its own, which ends with it; nothing but two hosts is reached.

Behind a link is what a pull request made of a service, so its page is a stranger's. Each picture has a new
Chromium with an empty profile: no cookie, no cache, no page of another preview is in it. The two hosts are
given to it with the addresses they have, and no other name, and no other address, leads anywhere
(`--host-resolver-rules`, https://www.chromium.org/developers/design-documents/network-stack/, which holds for
redirects, WebSockets and numbers too). It saves nothing, and it is given so many seconds.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from tempfile import TemporaryDirectory
from typing import Any

from playwright.async_api import (
    Browser,
    BrowserContext,
    async_playwright,
)
from playwright.async_api import Error as BrowserError

from previewbot.api.pictures import SIZES, Device, NoPicture, Side
from previewbot.engine.guarded import with_bearer
from previewbot.pictures.addresses import addresses_for, opened
from previewbot.pictures.album import Job
from previewbot.pictures.colours import colours
from previewbot.pictures.look import Look, Patience
from previewbot.rules.pictures import Seen, host_of
from previewbot.rules.pictures_health import BrowserState, why_not

_FLAGS = (
    "--no-proxy-server",
    "--disable-quic",
    # WebRTC asks no rule for hosts: without these a page sends UDP to any number. Which of the two a Chromium
    # heeds depends on how it was built: Debian's the first.
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
)
_PHONE = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{} Mobile Safari/537.36"
)

log = logging.getLogger(__name__)


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
                async with self._launched():
                    pass
        except Exception as error:
            if self.browser is not BrowserState.CANNOT_START:
                self._cannot_start(str(error) or "it does not start in time")

    async def take(self, job: Job) -> tuple[Seen, bytes]:
        """Return what was seen, and the picture of it; raises nothing but what ends the process."""
        patience = self._patience
        try:
            # Beside what each step is given: a browser that hangs ends with Playwright's own program.
            async with asyncio.timeout(patience.load + patience.rest):
                seen, content = await self._take(job)
        except TimeoutError:
            return Seen(failure=NoPicture.TOO_LATE), b""
        except Exception as error:
            # Also one without a class of its own: Playwright's program ended, for example for want of memory.
            log.warning("no picture", extra={"preview": job.name, "error": type(error).__name__})
            return Seen(failure=NoPicture.OTHER), b""
        if seen.failure is NoPicture.NO_ANSWER:
            # Mostly it is no fault of the page's: a NetworkPolicy, a Gateway that is elsewhere.
            log.warning("nothing answered", extra={"preview": job.name, "host": host_of(job.url)})
        elif seen.left_out:
            log.info("left out", extra={"preview": job.name, "hosts": list(seen.left_out)})
        return seen, content

    async def _take(self, job: Job) -> tuple[Seen, bytes]:
        led = await addresses_for(job, self._hosts)
        if host_of(job.url) not in led:
            return Seen(failure=NoPicture.NO_ANSWER), b""
        rules = ", ".join([*(f"MAP {host} {address}" for host, address in led.items()), "MAP * ~NOTFOUND"])
        async with self._launched(f"--host-resolver-rules={rules}") as browser:
            context = await _context(browser, job)
            look = Look(await context.new_page(), _opened(job), self._patience, led)
            seen, content = await look.taken()
            if not content:
                return seen, b""
            await context.close()
            return replace(seen, colours=await colours(browser, content)), content

    @asynccontextmanager
    async def _launched(self, *more: str) -> AsyncIterator[Browser]:
        """Yield a new browser, and note whether there is one."""
        # With a home of its own: Chromium keeps there what a page crashed with, for a month. That would fill
        # the disk, and be a way from one preview's page to another's. As it ends it may still write there.
        with TemporaryDirectory(prefix="previewbot-browser-", ignore_cleanup_errors=True) as home:
            async with async_playwright() as playwright:
                try:
                    browser = await playwright.chromium.launch(
                        executable_path=self._path,
                        chromium_sandbox=self._sandbox,
                        args=[*_FLAGS, *more],
                        timeout=self._patience.load * 1000,
                        env={**os.environ, "HOME": home, "TMPDIR": home},
                    )
                except BrowserError as error:
                    self._cannot_start(error.message)
                    raise
                self.browser, self.why = BrowserState.OK, ""
                yield browser

    def _cannot_start(self, said: str) -> None:
        self.browser, self.why = BrowserState.CANNOT_START, why_not(said)
        log.error("the browser cannot start", extra={"error": self.why})


async def _context(browser: Browser, job: Job) -> BrowserContext:
    device = job.picture.device
    width, height = SIZES[device]
    options: dict[str, Any] = {}
    if device is Device.PHONE:
        options = {"is_mobile": True, "has_touch": True, "user_agent": _PHONE.format(browser.version)}
    return await browser.new_context(
        viewport={"width": width, "height": height},
        accept_downloads=False,
        service_workers="block",
        reduced_motion="reduce",
        locale="en-GB",
        timezone_id="UTC",
        **options,
    )


def _opened(job: Job) -> str:
    """Return what the browser opens for a picture.

    With a header, Playwright would pass the bearer on to wherever the preview redirects, and leave it out of
    WebSockets. So the guard is asked for its cookie, which browsers send to that one host and with all.
    """
    url = opened(job.url)
    return with_bearer(url, job.wish.bearer) if job.wish.bearer and job.picture.side is Side.AFTER else url


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
