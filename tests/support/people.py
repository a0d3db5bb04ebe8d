"""Pages where people sign in, a GitHub in memory that knows some, and browsers that keep cookies."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from cryptography.fernet import Fernet
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from previewbot.api import Ask, Poke, Preview, new_object, status_object
from previewbot.clients.github.people import SessionOver
from previewbot.clients.github.people_answers import Account, RepositoryAccess, SignInRefused, Token, Written
from previewbot.config.server import Settings, parse
from previewbot.errors import PreviewbotError
from previewbot.pages.pictures import Source
from previewbot.people.sessions import COOKIE
from previewbot.runtime.pages_app import create_pages
from previewbot.text.render import Renderer
from tests.support.previews import NOW

URL = "https://previews.example.com"
VALUES: dict[str, Any] = {
    "github": {"api_url": "https://api.github.com", "web_url": "https://github.com", "app_id": 4242},
    "public_url": URL,
    "cluster": {"namespaces": ["staging"]},
    "images": {"allowed": ["ghcr.io/acme/"]},
    "sign_in": {
        "client_id": "Iv23liAbCdEfGhIjKlMn",
        "client_secret_file": "/nowhere/client-secret",
        "cookie_keys_file": "/nowhere/cookie-keys",
    },
}
_RENDERER = Renderer()
KEY = Fernet.generate_key()
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


@dataclass
class GitHubOfPeople:
    """Gives each code once, to whoever has its verifier, and knows whose a token is."""

    accounts: dict[str, Account] = field(default_factory=dict)
    may: dict[tuple[str, int], RepositoryAccess] = field(default_factory=dict)
    codes: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    """By code: whose it is, the challenge, and where it leads."""
    tokens: dict[str, str] = field(default_factory=dict)
    lives: timedelta = timedelta(hours=8)
    error: PreviewbotError | SignInRefused | None = None
    revoked: list[str] = field(default_factory=list)
    exchanged: int = 0
    written: list[tuple[str, str, str]] = field(default_factory=list)
    """Who wrote a comment where, and what it says."""

    def authorize_url(self, *, state: str, verifier: str, redirect_uri: str) -> str:
        """Return where a person lets the App act for them."""
        asked = {"state": state, "code_challenge": _challenge(verifier), "redirect_uri": redirect_uri}
        return f"https://github.com/login/oauth/authorize?{urlencode(asked)}"

    def allowed(self, login: str, url: str) -> str:
        """Return where GitHub leads somebody who lets the App act for them at this address."""
        asked = dict(parse_qsl(urlsplit(url).query))
        code = f"code-{len(self.codes)}"
        self.codes[code] = (login, asked["code_challenge"], asked["redirect_uri"])
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def exchange(self, code: str, verifier: str, redirect_uri: str) -> Token:
        """Return the token for a code, once."""
        self.exchanged += 1
        if self.error is not None:
            raise self.error
        found = self.codes.pop(code, None)
        if found is None or found[1:] != (_challenge(verifier), redirect_uri):
            raise SignInRefused("bad_verification_code")
        token = f"ghu_{found[0]}_{len(self.tokens)}"
        self.tokens[token] = found[0]
        return Token(token, self.lives)

    def who(self, token: str) -> Account:
        """Return whose a token is."""
        if token not in self.tokens:
            raise SessionOver("GET /user", status=401)
        return self.accounts[self.tokens[token]]

    def repository(self, token: str, repository_id: int) -> RepositoryAccess | None:
        """Return what the owner of a token may in a repository."""
        if self.error is not None:
            raise self.error
        return self.may.get((self.who(token).login, repository_id))

    def comment(self, token: str, full_name: str, number: int, body: str) -> Written:
        """Write a comment as the owner of a token."""
        if self.error is not None:
            raise self.error
        self.written.append((self.who(token).login, f"{full_name}#{number}", body))
        return Written(1000 + len(self.written), f"https://github.com/{full_name}/pull/{number}")

    def revoke(self, token: str) -> None:
        """Take a token no more."""
        if self.error is not None:
            raise self.error
        self.revoked.append(token)
        self.tokens.pop(token, None)


@dataclass
class Cluster:
    """A cluster with some previews, which stores what is asked for; `error` is what it answers instead."""

    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[Ask] = field(default_factory=list)
    error: PreviewbotError | None = None
    listed: int = 0
    read: int = 0

    def hold(self, preview: Preview) -> None:
        """Have this preview."""
        obj = new_object(preview.spec, Poke())
        obj["metadata"] |= {"uid": "u", "resourceVersion": "1", "creationTimestamp": "2026-11-24T09:00:00Z"}
        self.objects[preview.name] = obj | {"status": status_object(preview.status)}

    def get_preview(self, name: str) -> dict[str, Any] | None:
        """Return a preview, and count how often one is asked for."""
        self.read += 1
        if self.error is not None:
            raise self.error
        return self.objects.get(name)

    def list_previews(self) -> Iterator[dict[str, Any]]:
        """Return all previews, and count how often that is asked for."""
        self.listed += 1
        if self.error is not None:
            raise self.error
        yield from self.objects.values()

    def ask(self, ask: Ask) -> None:
        """Store what is asked for."""
        if self.error is not None:
            raise self.error
        self.asked.append(ask)

    def ready(self) -> bool:
        """Return that it answers."""
        return True


def settings(**changed: Any) -> Settings:
    """Return settings with which people sign in."""
    return parse({**VALUES, **changed}, {})


@dataclass
class Site:
    """Pages with a sign-in, their clock, and the keys of their cookies."""

    github: GitHubOfPeople = field(default_factory=GitHubOfPeople)
    cluster: Cluster = field(default_factory=Cluster)
    keys: Callable[[], tuple[bytes, ...]] = lambda: (KEY,)
    at: datetime = NOW
    values: Mapping[str, Any] = field(default_factory=dict)
    source: Source | None = None

    def __post_init__(self) -> None:
        for number, login in enumerate(("maria", "rob", "mallory"), start=7):
            self.github.accounts.setdefault(login, Account(number, login))
        self.app = self.pages()

    def pages(self) -> Flask:
        """Return the application, as another pod of it has it too."""
        return create_pages(
            settings(**self.values),
            self.cluster,
            now=lambda: self.at,
            github=self.github,
            cookie_keys=lambda: self.keys(),
            listing=self.cluster.list_previews,
            renderer=_RENDERER,
            source=self.source,
        )

    def browser(self) -> FlaskClient:
        """Return a browser without cookies."""
        return self.app.test_client()

    def begin(self, browser: FlaskClient, to: str = "") -> str:
        """Press "sign in"; return where GitHub is."""
        answer = browser.get("/sign-in", query_string={"to": to} if to else None, base_url=URL)
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"]

    def end(self, browser: FlaskClient, back: str) -> TestResponse:
        """Follow GitHub's way back."""
        parts = urlsplit(back)
        return browser.get(f"{parts.path}?{parts.query}", base_url=URL)

    def sign_in(self, browser: FlaskClient, login: str, to: str = "") -> TestResponse:
        """Sign somebody in."""
        return self.end(browser, self.github.allowed(login, self.begin(browser, to)))


def cookie_of(browser: FlaskClient, name: str = COOKIE) -> str | None:
    """Return the value of a cookie that a browser keeps."""
    found = browser.get_cookie(name, domain=urlsplit(URL).hostname or "")
    return None if found is None else found.value


def put_cookie(browser: FlaskClient, value: str, name: str = COOKIE) -> None:
    """Put a cookie into a browser."""
    browser.set_cookie(name, value, domain=urlsplit(URL).hostname or "", secure=True)


def _challenge(verifier: str) -> str:
    hashed = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(hashed).decode().rstrip("=")
