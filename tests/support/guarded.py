"""Pages with a guard before their previews, and what gateways ask it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

from cryptography.fernet import Fernet
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client import CollectorRegistry
from werkzeug.test import TestResponse

from previewbot.api import Preview
from previewbot.clients.links import Question
from previewbot.errors import SettingsError
from previewbot.people.passes import COOKIE
from previewbot.rules.guard_bearers import end_of, proof, signed
from previewbot.rules.link_answers import Answer
from previewbot.runtime.pages_app import create_pages
from tests.support.people import KEY as COOKIE_KEY
from tests.support.people import URL, Site, settings

DOMAIN = "preview.example.net"
KEYS = (Fernet.generate_key(), Fernet.generate_key())
NAVIGATES = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Accept": "text/html,*/*;q=0.8"}
MARK = "x-previewbot-guard"


def links(host_in: str = "Host", **changed: Any) -> dict[str, Any]:
    """Return the settings of links with a guard."""
    guard = {"host_in": host_in, "keys_file": "/nowhere/guard-keys"}
    gateway = {"name": "public", "namespace": "gateways", "domain": DOMAIN, "guard": guard, **changed}
    return {"gateway": gateway}


@dataclass
class Guarded(Site):
    """Pages with a sign-in and a guard; `asks` is how the gateway says which host is asked for."""

    asks: str = "Host"
    guard_keys: tuple[bytes, ...] | SettingsError = KEYS
    metrics: CollectorRegistry = field(default_factory=CollectorRegistry)

    def pages(self) -> Flask:
        """Return the application, as another pod of it has it too."""
        return create_pages(
            settings(**{"links": links(self.asks), **self.values}),
            self.cluster,
            now=lambda: self.at,
            github=self.github,
            cookie_keys=lambda: (COOKIE_KEY,),
            listing=self.cluster.list_previews,
            guard_keys=self._keys,
            metrics=CollectorRegistry() if hasattr(self, "app") else self.metrics,
        )

    def _keys(self) -> tuple[bytes, ...]:
        if isinstance(self.guard_keys, SettingsError):
            raise self.guard_keys
        return self.guard_keys

    def counted(self, answer: str) -> float | None:
        """Return how often the guard answered so."""
        return self.metrics.get_sample_value("previewbot_guard_answers_total", {"answer": answer})


def asked(
    site: Guarded,
    browser: FlaskClient,
    host: str,
    within: str = "/",
    headers: Mapping[str, str] | None = None,
    method: str = "GET",
) -> TestResponse:
    """Have the gateway ask about a request for a preview, and the browser get what it answers.

    As Envoy and the Gateway API's ExternalAuth do, or as Traefik does.
    """
    cookies = (
        browser.get_cookie(COOKIE, domain=host),
        browser.get_cookie("__Host-previewbot-way", domain=host),
    )
    sent = "; ".join(f"{each.key}={each.value}" for each in cookies if each is not None)
    headers = {**(headers or {}), **({"Cookie": sent} if sent else {})}
    gateway = site.app.test_client(use_cookies=False)
    if site.asks == "Host":
        answer = gateway.open(f"/auth{within}", method=method, headers=headers, base_url=f"http://{host}")
    else:
        headers |= {"X-Forwarded-Host": host, "X-Forwarded-Uri": within, "X-Forwarded-Method": method}
        answer = gateway.get("/auth", headers=headers, base_url="http://previewbot-pages.previewbot.svc:8080")
    for line in answer.headers.getlist("Set-Cookie"):
        name, _, value = line.partition(";")[0].partition("=")
        browser.set_cookie(name, value, domain=host, secure=True)
    return answer


def enter(browser: FlaskClient, location: str) -> TestResponse:
    """Follow a way that leads to pages of ours."""
    parts = urlsplit(urljoin(URL, location))
    assert f"{parts.scheme}://{parts.netloc}" == URL
    return browser.get(f"{parts.path}?{parts.query}", base_url=URL)


def led_to(entered: TestResponse) -> str:
    """Return where somebody who is let in is led: by a page, since a redirect may be held back."""
    assert entered.status_code == 200
    [by_itself] = re.findall(r'http-equiv="refresh" content="0; url=([^"]+)"', entered.text)
    [by_a_tap] = re.findall(r'<a [^>]*href="([^"]+)"', entered.text)
    assert by_itself == by_a_tap
    return unescape(by_itself)


def within(location: str) -> str:
    """Return path and query of an address."""
    parts = urlsplit(location)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def host_of(preview: Preview) -> str:
    """Return the host of a preview."""
    return f"{preview.spec.environment_key}.{DOMAIN}"


def proven(answer: Answer, question: Question, keys: tuple[bytes, ...] = KEYS) -> Answer:
    """Return a guard's answer to a stranger with its proof, unless it has another, or is none of a guard."""
    key, _, domain = (urlsplit(question.url).hostname or "").partition(".")
    if not answer.from_guard or answer.proof:
        return answer
    end = end_of(question.bearer) - timedelta(seconds=1)
    return replace(answer, proof=proof(keys, question.bearer, key, domain, end))


def bearer(preview: Preview, until: datetime, keys: tuple[bytes, ...] = KEYS) -> str:
    """Return a bearer for a preview."""
    return signed(keys, preview.spec.environment_key, DOMAIN, until)


def opened(site: Guarded, browser: FlaskClient, host: str, path: str = "/") -> TestResponse:
    """Open an address of a preview, with all redirects through sign-in and guard; return the last answer.

    `browser` is signed in.
    """
    first = asked(site, browser, host, path, NAVIGATES)
    entered = enter(browser, first.headers["Location"])
    let_in = asked(site, browser, host, within(led_to(entered)), NAVIGATES)
    return asked(site, browser, host, within(let_in.headers["Location"]), NAVIGATES)


def ways_of(location: str) -> tuple[str, str]:
    """Return where a way into a preview leads, and for which browser it is."""
    query = parse_qs(urlsplit(location).query)
    return query["to"][0], query["way"][0]
