"""GitHub over HTTP: the demo's stand-in with one repository, and whoever talks to it in a test.

Only two things stand for GitHub. The stand-in (`previewbot_demo.github`) is for all that is about HTTP and
about several processes: the adapter with its headers, pages, entity tags, limits and redirects, the demo, and
whole processes end to end. A test breaks it by answers of its own, put in front of it (`Town.script`). The
other one, `GitHubInMemory` of tests/support/passes.py, is for passes: they are tried by the thousand, with a
fault at every call, and HTTP would only cost time there.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import jwt
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import TypeAdapter

from previewbot.clients.github import GitHub, InstallationClient
from previewbot.config.agents import built_in
from previewbot.config.server import GitHubSettings
from previewbot_demo.github import Account, FakeGitHub, Repository
from tests.support.clock import Clock, RunningClock
from tests.support.github_script import Script

APP = 4242
SECRET = "a secret of the tests"
ALICE = Account(501, "alice")
BOB = Account(502, "bob")
COPILOT = Account(198982749, "Copilot", "Bot")
FILES = {"README.md": b"# Shop\n", "src/app.py": b"one\ntwo\nthree\nfour\n", "logo.png": b"\x89PNG\xff\x00"}
REPO = "/repos/acme/shop"


def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


KEY, OTHER_KEY = _key(), _key()


def _public_pem(key: rsa.RSAPrivateKey) -> str:
    kind = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, kind).decode()


def private_pem() -> str:
    """Return the App's key as GitHub hands it out."""
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return KEY.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def app_jwt(key: rsa.RSAPrivateKey = KEY, **changes: Any) -> str:
    now = int(time.time())
    claims = {"iat": now - 60, "exp": now + 540, "iss": str(APP)} | changes
    return jwt.encode({k: v for k, v in claims.items() if v is not None}, key, algorithm="RS256")


@dataclass
class Answered:
    """An answer: status, headers, and the body as bytes."""

    status: int
    headers: Any
    data: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.data)


@dataclass
class Town:
    """A GitHub with one repository, clients of its API, and an address that takes its webhooks.

    `call` sends what a test likes; `app` and `client` are previewbot's own clients, as the App and as its
    installation. GitHub has a clock, and previewbot another.
    """

    url: str
    http: aiohttp.ClientSession
    clock: RunningClock = field(default_factory=RunningClock)
    our_clock: Clock = field(default_factory=Clock)
    script: Script = field(default_factory=Script)
    heard: list[tuple[Any, bytes]] = field(default_factory=list)
    answers: int = 202
    token: str = ""

    def found(self, files: Mapping[str, bytes] = FILES, **changes: Any) -> FakeGitHub:
        settings = {"clock": self.clock} | changes
        self.github = FakeGitHub(APP, _public_pem(KEY), self.url + "/hook", SECRET, self.url, **settings)
        collaborators = {"alice": "maintain", "bob": "triage"}
        self.repository: Repository = self.github.create_repository(
            "acme/shop", files, repository_id=812, collaborators=collaborators
        )
        for person in (ALICE, BOB, COPILOT):
            self.github.know(person)
        self.installation = self.github.install("acme")
        self.app = a_github(self.http, f"{self.url}/api/v3", self.our_clock)
        self.token = self.github.doorkeeper.new_token(self.installation).value
        return self.github

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/hook":
            self.heard.append((request.headers.copy(), await request.read()))
            return web.Response(status=self.answers)
        return await self.script.handle(request, self.github.handle)

    async def call(
        self, method: str, path: str, body: Any = None, token: str | None = None, **headers: str
    ) -> Answered:
        sent = {"Authorization": f"Bearer {self.token if token is None else token}", "User-Agent": "tests"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        url = path if path.startswith("http") else self.url + "/api/v3" + path
        async with self.http.request(
            method,
            url,
            json=body,
            headers=sent,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=10),
        ) as answer:
            return Answered(answer.status, answer.headers.copy(), await answer.read())

    async def get(self, path: str, **more: Any) -> Answered:
        return await self.call("GET", path, **more)

    async def events(self) -> list[tuple[str, Any]]:
        await self.github.webhooks.settled()
        return [(headers["X-GitHub-Event"], json.loads(body)) for headers, body in self.heard]

    @property
    def client(self) -> InstallationClient:
        return self.app.installation(self.installation.id)

    def pull_request(self, **more: Any) -> int:
        changes = {"src/app.py": b"one\nTWO\nthree\nfour\n", "README.md": None, "docs/README.md": b"# Shop\n"}
        values: dict[str, Any] = {"title": "Shout", "body": "Louder.", "message": "Shout"}
        return self.github.open_pull_request("acme/shop", COPILOT, "copilot/shout", changes, **values | more)


def a_github(session: aiohttp.ClientSession, url: str, clock: Clock, key: str | None = None) -> GitHub:
    """Return previewbot's client of a GitHub; with the App's key unless another is given."""
    pem = private_pem() if key is None else key
    settings = GitHubSettings(api_url=url, web_url=url, app_id=APP)
    return GitHub(session, settings, pem, built_in(), user_agent="previewbot/test", now=clock)


@asynccontextmanager
async def github_town(files: Mapping[str, bytes] = FILES, **settings: Any) -> AsyncIterator[Town]:
    """Yield a new town, which is taken down afterwards; `settings` are the stand-in's."""
    async with aiohttp.ClientSession() as http:
        built = Town("", http)
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", built.handle)
        async with TestServer(app) as server:
            built.url = str(server.make_url("")).rstrip("/")
            built.found(files, **settings)
            yield built
            await built.github.shutdown()


def described(model: Any, answer: Answered) -> None:
    """Hold an answer to the published description, strictly: no number for a text."""
    TypeAdapter(model).validate_json(answer.data, strict=True)
