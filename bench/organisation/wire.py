"""HTTP without a network: what previewbot sends to GitHub reaches the fake in the same process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from types import SimpleNamespace
from typing import Any, cast

from aiohttp import web
from aiohttp.http import HttpVersion11, RawRequestMessage
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from previewbot_demo.github import FakeGitHub


class Wire:
    """Stands for an `aiohttp.ClientSession`, as far as the client of GitHub uses it."""

    def __init__(self, github: Callable[[], FakeGitHub]) -> None:
        self._github = github

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str], data: bytes = b"", **_: Any
    ) -> _Exchange:
        """Return what is to be entered with `async with`, and is the answer then."""
        return _Exchange(self._github(), method, URL(url), headers, data)


class _Exchange:
    def __init__(
        self, github: FakeGitHub, method: str, url: URL, headers: Mapping[str, str], data: bytes
    ) -> None:
        self._github = github
        self._request = _request(method, url, headers, data)

    async def __aenter__(self) -> _Response:
        return _Response(cast(web.Response, await self._github.handle(self._request)))

    async def __aexit__(self, *_: object) -> None:
        return None


class _Response:
    def __init__(self, answer: web.Response) -> None:
        self.status, self.headers = answer.status, answer.headers
        self._body = bytes(cast(bytes, answer.body or b""))
        self.content = self

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        """Yield the body in pieces."""
        for start in range(0, len(self._body), size):
            yield self._body[start : start + size]


def _request(method: str, url: URL, headers: Mapping[str, str], data: bytes) -> web.BaseRequest:
    path = url.raw_path_qs
    sent = CIMultiDictProxy(CIMultiDict(headers))
    message = RawRequestMessage(
        method, path, HttpVersion11, sent, (), False, None, False, False, URL(path, encoded=True)
    )
    nothing: Any = SimpleNamespace(transport=None, ssl_context=None, peername=None, sockname=None)
    request = web.BaseRequest(message, nothing, nothing, nothing, nothing, asyncio.get_running_loop())
    # There is no stream to read it from.
    request._read_bytes = data
    return request
