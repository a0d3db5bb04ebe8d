"""Something that stands before a registry, and answers in a mood of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import aiohttp
from aiohttp import web

from previewbot_demo.registry_moods import Mood, in_mood
from tests.support.servers import served

_OF_THE_CONNECTION = ("connection", "content-length", "host", "keep-alive", "transfer-encoding")


@dataclass
class Front:
    """Passes on what its mood does not answer."""

    behind: str
    url: str = ""
    mood: Mood | None = None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request."""

        async def answer() -> web.StreamResponse:
            headers = {k: v for k, v in request.headers.items() if k.lower() not in _OF_THE_CONNECTION}
            async with (
                aiohttp.ClientSession(auto_decompress=False) as session,
                session.request(
                    request.method,
                    self.behind + request.raw_path,
                    headers=headers,
                    data=await request.read(),
                    allow_redirects=False,
                ) as found,
            ):
                given = {k: v for k, v in found.headers.items() if k.lower() not in _OF_THE_CONNECTION}
                if request.method == "HEAD":
                    given["Content-Length"] = found.headers.get("Content-Length", "0")
                return web.Response(status=found.status, headers=given, body=await found.read() or None)

        return await in_mood(self.mood, request, answer)


@contextmanager
def a_front(behind: str) -> Iterator[Front]:
    """Run something before the registry at `behind`."""
    front = Front(behind)
    with served(front.handle) as (url, _):
        front.url = url
        yield front
