"""The settings about people: whether they sign in, what that opens to them, and the check of verdicts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import InitErrorDetails

from previewbot.config import types as t
from previewbot.config.types import about, mistake
from previewbot.config.words import Raw

Access = Literal["none", "github", "proxy"]

_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
"""Hosts that browsers take for safe without TLS (https://www.w3.org/TR/secure-contexts/#is-origin-trustworthy)."""

_CLIENT_ID = r"^[A-Za-z0-9._-]{1,100}$"


def _off(written: object) -> object:
    """Read the word `off` without quotes, which YAML 1.1 makes false (https://yaml.org/type/bool.html)."""
    return "off" if written is False else written


Verdicts = Annotated[
    Literal["off", "check"],
    BeforeValidator(_off),
    WithJsonSchema({"enum": ["off", "check", False]}),
]


class SignInSettings(t.Model):
    """How people sign in, and what that opens to them."""

    client_id: Annotated[str, Field(strict=True, pattern=_CLIENT_ID), t.Called("client_id")] | None = about(
        "the App's, which GitHub shows in its settings under About; it is no secret, and not the number of "
        "`github.app_id`",
        "Iv23liAbCdEfGhIjKlMn",
        default=None,
    )
    client_secret_file: t.File | None = about(
        "pages only; a client secret of the App, which GitHub shows once, when it is made. It is read again "
        "for each sign-in",
        "/etc/previewbot/sign-in/client-secret",
        default=None,
    )
    cookie_keys_file: t.File | None = about(
        "pages only; what cookies are encrypted with: `openssl rand -base64 32` a line. The first encrypts, "
        "all of them (three at most) decrypt: to change it, put the new one below, and some minutes later "
        "above. It is read again for each request. With `access: proxy` forms are known by it, where people "
        "have anything to press",
        "/etc/previewbot/sign-in/cookie-keys",
        default=None,
    )
    readers_may_extend: t.Truth = about(
        "people who may read a repository, and not write, may give its previews more time too. A public "
        "repository everybody with a GitHub account may read",
        True,
        default=False,
    )


def sign_in_mistakes(access: Access, sign_in: SignInSettings, public_url: str) -> Iterator[InitErrorDetails]:
    """Yield what keeps people from signing in, where they are to."""
    if access != "github":
        return
    for key, example in _NEEDED.items():
        if getattr(sign_in, key) is None:
            wrong = mistake("sign_in_needs", at=key, line=Raw(f"`{key}: {example}`"))
            yield InitErrorDetails(type=wrong, loc=("sign_in",), input={})
    if not is_safe_for_forms(public_url):
        wrong = mistake("sign_in_https", at="")
        yield InitErrorDetails(type=wrong, loc=("public_url",), input=public_url)
    if urlsplit(public_url).path:
        wrong = mistake("sign_in_path", at="")
        yield InitErrorDetails(type=wrong, loc=("public_url",), input=public_url)


def is_safe_for_forms(public_url: str) -> bool:
    """Return whether browsers keep cookies for this address, and say which page a form comes from."""
    url = urlsplit(public_url)
    return url.scheme == "https" or url.hostname in _THIS_MACHINE


_NEEDED = {
    "client_id": "Iv23liAbCdEfGhIjKlMn",
    "client_secret_file": "/etc/previewbot/sign-in/client-secret",
    "cookie_keys_file": "/etc/previewbot/sign-in/cookie-keys",
}
