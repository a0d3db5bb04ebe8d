"""A small sign-on proxy before pages: a page of its own asks who one is, and it tells pages of each request.

It connects from 127.0.0.2, so that pages can tell it from everything else on this machine; or it signs what
it says. Whatever a visitor sends of that is taken out.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from cryptography.fernet import Fernet
from multidict import CIMultiDict
from yarl import URL

from previewbot_demo import hosts
from previewbot_demo.ports import free_port
from tests.support.proxied import BY_ASSERTION, BY_HEADER, JWKS, claims, signed

ADDRESS = "127.0.0.2"
COOKIE, PLACE = "sign-on", "/sign-on"
HEADER, NAME_HEADER = BY_HEADER["header"], "X-Forwarded-User"
ASSERTION = BY_ASSERTION["assertion"]["header"]
PEOPLE = {
    "pia": ("pia@acme.example", "Pia Müller"),
    "quentin": ("quentin@acme.example", "Quentin"),
    "namesake": ("p.mueller@acme.example", "Pia Müller"),
}
"""What the proxy knows of whom: what they go by, and what to call them."""

_TIMEOUT = aiohttp.ClientTimeout(total=60, connect=5)
_NOT_PASSED_ON = ("connection", "keep-alive", "transfer-encoding", HEADER, NAME_HEADER, ASSERTION)


def by_address(identity: str, name: str) -> Mapping[str, str]:
    """Return the headers of a proxy that is known by its address."""
    return {HEADER: identity, NAME_HEADER: name}


def by_signature(identity: str, name: str) -> Mapping[str, str]:
    """Return the header of a proxy that signs."""
    return {ASSERTION: signed(claims(datetime.now(UTC), email=name))}


@dataclass
class SignOn:
    """Listens at `port`, and leads to pages at `pages_port` once that is known."""

    directory: Path
    says: Callable[[str, str], Mapping[str, str]] = by_address
    port: int = field(default_factory=free_port)
    pages_port: int = 0
    more: dict[str, Any] = field(default_factory=dict)
    _client: aiohttp.ClientSession | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        """Its address, which is that of the pages."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> dict[str, Any]:
        """What previewbot's settings say of it."""
        known = (
            {"header": HEADER, "name_header": NAME_HEADER, "from": [f"{ADDRESS}/32"]}
            if self.says is by_address
            else {"assertion": BY_ASSERTION["assertion"] | {"keys_file": str(self.directory / "jwks.json")}}
        )
        return {
            "access": "proxy",
            "pages": "private",
            "public_url": self.url,
            "proxy": {"repositories": ["acme/*"], **known, **self.more},
            "sign_in": {"cookie_keys_file": str(self.directory / "cookie-keys")},
        }

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Ask who it is, or pass a request on to pages."""
        if request.path == PLACE:
            return await self._sign_in(request)
        who = PEOPLE.get(request.cookies.get(COOKIE, ""))
        if who is None:
            raise web.HTTPFound(URL(PLACE).with_query(to=request.raw_path))
        assert self._client is not None
        headers = CIMultiDict(request.headers)
        for name in _NOT_PASSED_ON:
            headers.popall(name, None)
        async with self._client.request(
            request.method,
            URL(f"http://127.0.0.1:{self.pages_port}{request.raw_path}", encoded=True),
            headers=[*headers.items(), *self.says(*who).items()],
            data=await request.read() or None,
            allow_redirects=False,
        ) as answer:
            found = CIMultiDict(answer.headers)
            for name in (*_NOT_PASSED_ON, "content-length"):
                found.popall(name, None)
            return web.Response(status=answer.status, body=await answer.read(), headers=found)

    async def _sign_in(self, request: web.Request) -> web.StreamResponse:
        to = request.query.get("to", "/")
        if request.method == "POST":
            answer = web.HTTPSeeOther(to)
            answer.set_cookie(COOKIE, str((await request.post()).get("as")), httponly=True, samesite="Lax")
            raise answer
        buttons = "".join(f'<button name="as" value="{name}">Go on as {name}</button>' for name in PEOPLE)
        form = f'<form method="post" action="{PLACE}?to={escape(to)}">{buttons}</form>'
        head = '<!doctype html><title>Acme</title><meta name="viewport" content="width=device-width">'
        return web.Response(text=f"{head}<h1>Sign in at Acme</h1>{form}", content_type="text/html")


@asynccontextmanager
async def sign_on(
    says: Callable[[str, str], Mapping[str, str]] = by_address, **more: Any
) -> AsyncIterator[SignOn]:
    """Run a proxy until the end of the block; `more` stands below `proxy` in the settings."""
    with tempfile.TemporaryDirectory(prefix="previewbot-sign-on-") as directory:
        proxy = SignOn(Path(directory), says, more=more)
        (proxy.directory / "cookie-keys").write_bytes(Fernet.generate_key())
        (proxy.directory / "jwks.json").write_bytes(JWKS)
        connector = aiohttp.TCPConnector(local_addr=(ADDRESS, 0))
        jar = aiohttp.DummyCookieJar()
        async with aiohttp.ClientSession(
            connector=connector, timeout=_TIMEOUT, cookie_jar=jar, auto_decompress=False
        ) as client:
            proxy._client = client
            runner = await hosts.listen(proxy.handle, proxy.port)
            try:
                yield proxy
            finally:
                await runner.cleanup()
