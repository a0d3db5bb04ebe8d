"""The demo's gateway asks a guard about each request, and without a good answer nobody gets in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from previewbot_demo.external_auth import LARGEST, ExternalAuth
from tests.support.servers import served

ALLOWED = {"path": "/auth", "allowedHeaders": ["Cookie", "x-bearer"], "allowedResponseHeaders": ["x-who"]}
FILTER = {"protocol": "HTTP", "backendRef": {"name": "guard", "port": 80}, "http": ALLOWED}
NAMESPACE = "staging"


@dataclass
class Guard:
    """Whoever is asked: `answer` is what it says; `heard` what it was asked last."""

    answer: web.Response = field(default_factory=web.Response)
    delay: float = 0.0
    heard: web.Request | None = None
    body: bytes = b""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.heard, self.body = request, await request.read()
        await asyncio.sleep(self.delay)
        return self.answer


@dataclass
class Scene:
    """A gateway before a backend: `passed` are the headers that the backend was sent, if it was."""

    guard: Guard
    filter_: dict[str, Any] = field(default_factory=lambda: dict(FILTER))
    address: str | None = None
    url: str = ""
    passed: CIMultiDict[str] | None = None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        headers = CIMultiDict(request.headers)
        asked = ExternalAuth(self.where, seconds=0.5)
        answer = await asked.ask(self.filter_, NAMESPACE, request, headers)
        if answer is not None:
            return answer
        self.passed = headers
        return web.Response(text="the preview")

    def where(self, namespace: str, name: str) -> str | None:
        return self.address if (namespace, name) == (NAMESPACE, "guard") else None


@pytest.fixture
def scene() -> Iterator[Scene]:
    guard = Guard()
    with served(guard.handle) as (address, _):
        found = Scene(guard, address=address)
        with served(found.handle) as (url, _):
            found.url = url
            yield found


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


async def test_the_guard_hears_method_host_path_and_the_listed_headers_and_no_body(
    scene: Scene, http: aiohttp.ClientSession
) -> None:
    asked = URL(f"{scene.url}/a%2Fb//c?x=%20&y", encoded=True)
    sent = {"Host": "k1.preview.example:8443", "Cookie": "a=1; b=2", "X-Bearer": "b", "X-Other": "o"}
    async with http.post(asked, data=b"secret", headers=sent) as answer:
        assert (answer.status, await answer.text()) == (200, "the preview")

    heard = scene.guard.heard
    assert heard is not None
    assert (heard.method, heard.raw_path) == ("POST", "/auth/a%2Fb//c?x=%20&y")
    assert dict(heard.headers) == {
        "Host": "k1.preview.example:8443",
        "Cookie": "a=1; b=2",
        "X-Bearer": "b",
        "Content-Length": "0",
        "Connection": "close",
    }
    assert scene.guard.body == b""


@pytest.mark.parametrize(
    ("allowed", "passed"),
    [
        (["x-who"], {"x-who": "maria", "content-type": "application/json", "x-more": ""}),
        # As the standard has it, and the reason why our manifest names one.
        ([], {"x-who": "maria", "content-type": "text/plain; charset=utf-8", "x-more": "m"}),
        (["x-absent"], {"x-who": "forged", "x-absent": "", "content-type": "application/json"}),
    ],
)
async def test_of_a_good_answer_the_backend_is_told_what_the_route_allows_and_never_what_somebody_forged(
    scene: Scene, http: aiohttp.ClientSession, allowed: list[str], passed: dict[str, str]
) -> None:
    scene.filter_["http"] = ALLOWED | {"allowedResponseHeaders": allowed}
    scene.guard.answer = web.Response(text="in", headers={"X-Who": "maria", "X-More": "m"})

    forged = {"X-Who": "forged", "X-Absent": "forged", "Content-Type": "application/json"}
    await http.post(scene.url, data=b"{}", headers=forged)

    assert scene.passed is not None
    assert {name: scene.passed.get(name, "") for name in passed} == passed
    assert scene.passed["Content-Length"] == "2"


@pytest.mark.parametrize("status", [201, 204, 302, 401, 403, 500, 503])
async def test_any_answer_but_200_is_the_browsers_whole_with_its_cookies(
    scene: Scene, http: aiohttp.ClientSession, status: int
) -> None:
    said = web.Response(status=status, headers={"Location": "https://bot.example/enter?to=x"})
    if status != 204:
        said.text = "why"
    for cookie in ("a=1; Secure", "b=2"):
        said.headers.add("Set-Cookie", cookie)
    scene.guard.answer = said

    async with http.get(scene.url, allow_redirects=False) as answer:
        assert answer.status == status
        assert await answer.text() == ("" if status == 204 else "why")
        assert answer.headers["Location"] == "https://bot.example/enter?to=x"
        assert answer.headers.getall("Set-Cookie") == ["a=1; Secure", "b=2"]
    assert scene.passed is None


async def test_it_fails_closed(scene: Scene, http: aiohttp.ClientSession) -> None:
    away, address = "http://127.0.0.1:9", scene.address
    backend = {"name": "guard", "namespace": "other"}
    cases: dict[str, tuple[str | None, float, web.Response, dict[str, Any]]] = {
        "away": (away, 0.0, web.Response(), {}),
        "no such Service": (None, 0.0, web.Response(), {}),
        "in another namespace": (address, 0.0, web.Response(), {"backendRef": backend}),
        "slow": (address, 2.0, web.Response(), {}),
        "endless": (address, 0.0, web.Response(body=b"x" * (LARGEST + 1)), {}),
        "another protocol": (address, 0.0, web.Response(), {"protocol": "GRPC"}),
        "with bodies": (address, 0.0, web.Response(), {"forwardBody": {"maxSize": 1}}),
    }
    for case, (scene.address, scene.guard.delay, scene.guard.answer, changes) in cases.items():
        scene.filter_ = FILTER | changes
        async with http.get(scene.url) as answer:
            assert answer.status == 503, case
            assert "the preview" not in await answer.text()
    assert scene.passed is None
