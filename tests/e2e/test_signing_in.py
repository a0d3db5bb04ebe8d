"""Signing in through real processes: pages as gunicorn serves it, and the demo's GitHub."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
import pytest_asyncio
from cryptography.fernet import Fernet

from previewbot.pages.sign_in import STARTED_COOKIE
from previewbot.people.sessions import COOKIE
from previewbot_demo.github.signing_in import AUTHORIZE
from previewbot_demo.world import Options
from tests.support.worlds import Scene, scene

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town() -> AsyncIterator[Scene]:
    async with scene(Options(build_seconds=0.3)) as built:
        yield built


class Browser:
    """A browser that keeps cookies by host and port, also those that are for TLS alone: this is loopback."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http
        self.cookies: dict[str, dict[str, str]] = {}

    async def ask(
        self, method: str, url: str, data: dict[str, str] | None = None, **headers: str
    ) -> tuple[int, str, str]:
        """Send a request; return the status, where it leads, and the text."""
        jar = self.cookies.setdefault(urlsplit(url).netloc, {})
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in jar.items())
        async with self._http.request(method, url, data=data, headers=sent, allow_redirects=False) as answer:
            for header in answer.headers.getall("Set-Cookie", []):
                for name, morsel in SimpleCookie(header).items():
                    jar[name] = morsel.value
                    if morsel["max-age"] == "0":
                        del jar[name]
            return answer.status, answer.headers.get("Location", ""), await answer.text()


async def signed_in(town: Scene, browser: Browser, who: str) -> str:
    """Sign somebody in; return where they are led."""
    url, to = town.world.bot.url, "/p/812/1"
    status, github, _ = await browser.ask("GET", f"{url}/sign-in?to={to}")
    assert (status, github.startswith(f"{town.world.url}{AUTHORIZE}?")) == (303, True)
    _, _, page = await browser.ask("GET", github)
    assert f"Authorize previewbot as {who}" in page
    asked = {name: values[0] for name, values in parse_qs(urlsplit(github).query).items()}
    _, back, _ = await browser.ask("POST", f"{town.world.url}{AUTHORIZE}", asked | {"as": who})
    assert back.startswith(f"{url}/sign-in/done?")
    status, led_to, text = await browser.ask("GET", back)
    assert status == 303, text
    return led_to


def session(town: Scene, browser: Browser) -> dict[str, Any]:
    """Return what the cookie holds, as previewbot reads it."""
    keys = Path(town.world.directory, "cookie-keys").read_text()
    fernet = Fernet(base64.urlsafe_b64encode(base64.b64decode(keys)))
    cookie = browser.cookies[urlsplit(town.world.bot.url).netloc][COOKIE]
    found: dict[str, Any] = json.loads(fernet.decrypt(cookie))
    return found


async def test_somebody_signs_in_comes_back_and_signs_out(town: Scene) -> None:
    url = town.world.bot.url
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        browser = Browser(http)
        assert await signed_in(town, browser, "maria") == f"{url}/p/812/1"

        found = session(town, browser)
        assert (found["login"], STARTED_COOKIE in browser.cookies[urlsplit(url).netloc]) == ("maria", False)
        # The second time nobody is asked anything.
        assert (await browser.ask("GET", f"{url}/sign-in?to=/p/812/2"))[1] == f"{url}/p/812/2"

        out = {"csrf": found["csrf"]}
        assert (await browser.ask("POST", f"{url}/sign-out", out, Sec_Fetch_Site="same-site"))[0] == 403
        status, home, _ = await browser.ask("POST", f"{url}/sign-out", out, Sec_Fetch_Site="same-origin")
        assert (status, home) == (303, f"{url}/")
        assert COOKIE not in browser.cookies[urlsplit(url).netloc]
        async with http.get(
            f"{town.world.url}/api/v3/user", headers={"Authorization": f"Bearer {found['token']}"}
        ) as answer:
            assert answer.status == 401

        # GitHub still knows them, and leads back at once.
        _, github, _ = await browser.ask("GET", f"{url}/sign-in")
        status, back, _ = await browser.ask("GET", github)
        assert (status, back.startswith(f"{url}/sign-in/done?code=")) == (302, True)


async def test_another_browser_cannot_end_what_one_began(town: Scene) -> None:
    url = town.world.bot.url
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        marias, mallorys = Browser(http), Browser(http)
        _, github, _ = await mallorys.ask("GET", f"{url}/sign-in")
        asked = {name: values[0] for name, values in parse_qs(urlsplit(github).query).items()}
        _, back, _ = await mallorys.ask("POST", f"{town.world.url}{AUTHORIZE}", asked | {"as": "mallory"})

        status, _, text = await marias.ask("GET", back)

        assert (status, "begun in another tab or browser" in text) == (400, True)
        assert COOKIE not in marias.cookies.get(urlsplit(url).netloc, {})
