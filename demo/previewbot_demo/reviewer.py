"""A product manager with a browser of her own: she signs in, looks at a page, and says what she thinks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from http.cookies import SimpleCookie
from urllib.parse import parse_qs, urljoin, urlsplit

import aiohttp

from previewbot_demo.browser import Page
from previewbot_demo.walking import Wrong

SAY = "Say what you think"
"""The link of previewbot's comment that leads to the page."""
VERDICT = "<!-- previewbot verdict "
"""What the comment begins with that is a verdict."""

_TIMEOUT = aiohttp.ClientTimeout(total=20)
_MOST_REDIRECTS = 6
_FIELD_RE = re.compile(r'<input type="hidden" name="([a-z]+)" value="([^"]*)"')


class Reviewer:
    """Somebody whose browser keeps cookies by host and port, and follows redirects as browsers do."""

    def __init__(self, session: aiohttp.ClientSession, login: str) -> None:
        self._session, self.login = session, login
        self._cookies: dict[str, dict[str, str]] = {}

    async def sign_in(self, page_url: str) -> Page:
        """Open a preview's page and sign in; return the page. Raises Wrong where that does not work."""
        page = await self._open(page_url)
        found = re.search(r'href="(/sign-in\?to=[^"]*)"', page.text)
        if found is None:
            raise Wrong(f"{page_url} offers no sign-in: {page.status}")
        at_github = await self._open(urljoin(page_url, unescape(found[1])))
        asked = {name: values[0] for name, values in parse_qs(urlsplit(at_github.location).query).items()}
        authorize = at_github.location.partition("?")[0]
        return await self._open(authorize, asked | {"as": self.login})

    async def say(self, page_url: str, says: str, words: str) -> Page:
        """Fill in the form of a preview's page, and press a button; return the page that follows."""
        page = await self._open(page_url)
        form = page.text.partition('id="verdict">')[2].partition("</form>")[0]
        hidden = {name: unescape(value) for name, value in _FIELD_RE.findall(form)}
        if not hidden:
            raise Wrong(f"{page_url} has no form: {page.status}")
        sent = hidden | {"says": says, "words": words}
        return await self._open(f"{page_url}/verdict", sent, {"Sec-Fetch-Site": "same-origin"})

    async def _open(
        self, url: str, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Page:
        """Return the page at the end of all redirects; its `location` is where it is."""
        for _ in range(_MOST_REDIRECTS):
            method = "POST" if form is not None else "GET"
            jar = self._cookies.setdefault(urlsplit(url).netloc, {})
            cookie = "; ".join(f"{name}={value}" for name, value in jar.items())
            sent = {**(headers or {}), **({"Cookie": cookie} if cookie else {})}
            async with self._session.request(
                method, url, data=form, headers=sent, allow_redirects=False, timeout=_TIMEOUT
            ) as answer:
                for header in answer.headers.getall("Set-Cookie", []):
                    jar |= {name: morsel.value for name, morsel in SimpleCookie(header).items()}
                text = await answer.text()
                if answer.status not in (302, 303):
                    return Page(answer.status, text, url)
                url, form, headers = urljoin(url, answer.headers["Location"]), None, None
        raise Wrong(f"{url} leads on and on")
