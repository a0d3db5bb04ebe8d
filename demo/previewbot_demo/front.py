"""previewbot's public address: `/webhook` leads to web, all else to pages, as the chart's routes lead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from previewbot_demo import hosts

WEBHOOK = "/webhook"
_HOP_BY_HOP = ("connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade")
_TIMEOUT = aiohttp.ClientTimeout(total=60, connect=5)


@dataclass
class Front:
    """Listens at `port` of 127.0.0.1, and sends each request to the port of the process that answers it."""

    port: int
    web_port: int
    pages_port: int
    _client: aiohttp.ClientSession | None = field(default=None, init=False)
    _runner: web.AppRunner | None = field(default=None, init=False)

    async def open(self) -> None:
        """Begin to listen; raises OSError if the port is taken."""
        self._client = aiohttp.ClientSession(
            timeout=_TIMEOUT, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
        )
        self._runner = await hosts.listen(self._handle, self.port)

    async def close(self) -> None:
        """Listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()
        if self._client is not None:
            await self._client.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        assert self._client is not None
        port = self.web_port if request.path == WEBHOOK else self.pages_port
        # As it was sent: what a process makes of dots and slashes in an address is the process' own.
        url = f"http://127.0.0.1:{port}{request.raw_path}"
        try:
            async with self._client.request(
                request.method,
                URL(url, encoded=True),
                headers=_passed_on(request.headers),
                data=request.content if request.can_read_body else None,
                allow_redirects=False,
            ) as answer:
                body = await answer.read()
        except aiohttp.ClientError:
            return web.Response(status=503, text="no server is available to handle this request")
        headers = _passed_on(answer.headers)
        if request.method != "HEAD":
            headers.popall("Content-Length", None)
        return web.Response(status=answer.status, body=body, headers=headers)


def _passed_on(headers: Mapping[str, str]) -> CIMultiDict[str]:
    found = CIMultiDict(headers)
    for name in _HOP_BY_HOP:
        found.popall(name, None)
    return found
