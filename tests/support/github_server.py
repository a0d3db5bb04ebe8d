"""A server for the GitHub adapter's tests: it answers what a test lays down and keeps what it was asked."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import aiohttp
import jwt
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from previewbot.github import GitHub, InstallationClient

APP_ID = 4242
INSTALLATION = 33
TOKEN_PATH = f"/api/v3/app/installations/{INSTALLATION}/access_tokens"

Answer = Callable[[web.Request], web.StreamResponse | Awaitable[web.StreamResponse]]


@cache
def private_key() -> rsa.RSAPrivateKey:
    """Return the App's key; one for all tests, as making one takes time."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def private_pem() -> str:
    """Return the App's key as GitHub hands it out."""
    return (
        private_key()
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        .decode()
    )


@dataclass
class Clock:
    """A clock that a test moves."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now

    def forward(self, **by: float) -> None:
        """Move on, as in `timedelta(**by)`."""
        self.now += timedelta(**by)


@dataclass(frozen=True)
class Asked:
    """A request that came in; `data` is its JSON body, None without one."""

    method: str
    path: str
    headers: dict[str, str]
    data: Any


class Recorder:
    """Answers by method and path (below `/api/v3`); 404, as GitHub words it, for anything else."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.asked: list[Asked] = []
        self.tokens = 0
        self._answers: dict[tuple[str, str], list[Answer]] = {}
        self.on("POST", f"/app/installations/{INSTALLATION}/access_tokens", self._token)

    def on(self, method: str, path: str, *answers: Answer | object) -> None:
        """Lay down answers, given in order, the last one for good; anything not callable is sent as JSON."""
        self._answers[method, f"/api/v3{path}"] = [a if callable(a) else sends(a) for a in answers]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request; what no test laid down is a 404."""
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        data = json.loads(body) if body else None
        self.asked.append(Asked(request.method, request.path_qs, headers, data))
        answers = self._answers.get((request.method, request.path), [sends({"message": "Not Found"}, 404)])
        response = (answers.pop(0) if len(answers) > 1 else answers[0])(request)
        return response if isinstance(response, web.StreamResponse) else await response

    def paths(self) -> list[str]:
        """Return what was asked for, without the requests for tokens."""
        return [asked.path.removeprefix("/api/v3") for asked in self.asked if asked.path != TOKEN_PATH]

    def _token(self, request: web.Request) -> web.Response:
        claims = app_claims(request.headers["Authorization"])
        assert claims["iss"] == str(APP_ID)
        self.tokens += 1
        ends = self.clock() + timedelta(hours=1)
        return web.json_response(
            {"token": f"ghs_{self.tokens}", "expires_at": f"{ends:%Y-%m-%dT%H:%M:%SZ}"}, status=201
        )


@dataclass(frozen=True)
class World:
    """The adapter, the server behind it with its address, and the clock of both."""

    server: Recorder
    clock: Clock
    github: GitHub
    client: InstallationClient
    url: str


@asynccontextmanager
async def a_world() -> AsyncIterator[World]:
    """Run a server and give the adapter that talks to it."""
    clock = Clock()
    recorder = Recorder(clock)
    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", recorder.handle)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        url = str(server.make_url("/api/v3"))
        github = a_github(session, url, clock)
        yield World(recorder, clock, github, github.installation(INSTALLATION), url)


def a_github(session: aiohttp.ClientSession, url: str, clock: Clock, key: str | None = None) -> GitHub:
    """Return the adapter for a server; with the App's key unless another is given."""
    pem = private_pem() if key is None else key
    agent = "previewbot/test"
    return GitHub(session, api_url=url, app_id=APP_ID, private_key=pem, user_agent=agent, now=clock)


def app_claims(authorization: str) -> dict[str, Any]:
    """Return what an App's JWT claims, once its signature and times are found good."""
    kind, _, token = authorization.partition(" ")
    assert kind.lower() == "bearer"
    claims: dict[str, Any] = jwt.decode(token, private_key().public_key(), algorithms=["RS256"])
    assert claims["exp"] - claims["iat"] <= 600
    return claims


def sends(data: object, status: int = 200, **headers: str) -> Answer:
    """Return an answer of JSON; header names are written with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: web.json_response(data, status=status, headers=named)


def pages(key: str | None, *contents: list[Any]) -> Answer:
    """Return an answer that spreads items over pages, linked as GitHub links them."""

    def answer(request: web.Request) -> web.Response:
        page = int(request.query.get("page", "1"))
        items = contents[page - 1]
        data = items if key is None else {"total_count": sum(map(len, contents)), key: items}
        links = [f'<{request.url.update_query(page=1)}>; rel="first"']
        if page < len(contents):
            links.insert(0, f'<{request.url.update_query(page=page + 1)}>; rel="next"')
        return web.json_response(data, headers={"Link": ", ".join(links)})

    return answer


def in_turn(*statuses: int) -> tuple[Answer, ...]:
    """Return answers with nothing but a status."""
    return tuple(sends({"message": f"status {status}"}, status) for status in statuses)
