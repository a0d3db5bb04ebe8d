"""The demo's public address: which process answers what, and that nothing of request or answer is lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from previewbot_demo.front import Front
from previewbot_demo.ports import free_port
from tests.support.servers import Handler, served


def told_by(name: str) -> Handler:
    """Return a process that says what it was asked."""

    async def handle(request: web.Request) -> web.StreamResponse:
        body = (await request.read()).decode()
        told = f"{name} {request.method} {request.raw_path} {request.headers.get('X-Told', '')} {body}"
        answer = web.Response(text=told, status=207)
        for cookie in ("a=1", "b=2"):
            answer.headers.add("Set-Cookie", cookie)
        return answer

    return handle


@pytest.fixture
async def front() -> AsyncIterator[str]:
    with served(told_by("web")) as (web_url, _), served(told_by("pages")) as (pages_url, _):
        found = Front(free_port(), urlsplit(web_url).port or 0, urlsplit(pages_url).port or 0)
        await found.open()
        yield f"http://127.0.0.1:{found.port}"
        await found.close()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


@pytest.mark.parametrize(
    ("path", "process"),
    [
        ("/webhook", "web"),
        ("/webhook/", "pages"),
        ("/webhooks", "pages"),
        ("/", "pages"),
        ("/p/812/42.json?x=1", "pages"),
        ("/p//812/%2e%2e/42", "pages"),
        ("/sign-in/done?code=a%2Fb&state=c", "pages"),
    ],
)
async def test_the_webhook_leads_to_web_and_all_else_to_pages_as_it_was_sent(
    front: str, http: aiohttp.ClientSession, path: str, process: str
) -> None:
    url = URL(f"{front}{path}", encoded=True)
    async with http.post(url, data=b"a=b", headers={"X-Told": "yes"}) as answer:
        assert (answer.status, await answer.text()) == (207, f"{process} POST {path} yes a=b")
        assert answer.headers.getall("Set-Cookie") == ["a=1", "b=2"]


async def test_while_a_process_is_away_its_requests_are_answered_as_a_gateway_does(
    http: aiohttp.ClientSession,
) -> None:
    away = Front(free_port(), free_port(), free_port())
    await away.open()
    try:
        async with http.get(f"http://127.0.0.1:{away.port}/p/812/42") as answer:
            assert answer.status == 503
    finally:
        await away.close()
