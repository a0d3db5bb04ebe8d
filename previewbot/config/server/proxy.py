"""The settings about people who come through a sign-on proxy that stands before the pages."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field
from pydantic_core import InitErrorDetails

from previewbot.config import types as t
from previewbot.config.server.people import SignInSettings, is_safe_for_forms
from previewbot.config.server.repositories import RepositoryPattern, is_of
from previewbot.config.types import Called, about, mistake
from previewbot.config.words import Raw

_HEADER = r"^[A-Za-z][A-Za-z0-9-]{0,99}$"

HeaderName = Annotated[str, Field(strict=True, pattern=_HEADER), Called("header_name")]


def _network(written: str) -> str:
    try:
        found = ipaddress.ip_network(written)
    except ValueError:
        raise mistake("network") from None
    if found.prefixlen == 0:
        raise mistake("network_of_all")
    return str(found)


Network = Annotated[
    str,
    Field(strict=True, pattern=r"^[0-9A-Fa-f.:]{2,45}(/[0-9]{1,3})?$"),
    Called("network"),
    AfterValidator(_network),
]
"""An address, or a network as in 10.0.0.0/8."""

Networks = Annotated[tuple[Network, ...], Field(min_length=1)]


class AssertionSettings(t.Model):
    """Who somebody is, signed by the proxy (a JWT)."""

    header: HeaderName = about("the header in which the proxy sends it", "X-Pomerium-Jwt-Assertion")
    keys_file: t.File | None = about(
        "pages only; the proxy's public keys, a JSON Web Key Set, as it publishes them; RS256, ES256 and "
        "EdDSA are taken. It is read again for each request",
        "/etc/previewbot/proxy/jwks.json",
        default=None,
    )
    issuer: t.Text = about("the proxy's own name in it (`iss`)", "sso.example.com")
    audience: t.Text = about("for whom it was made (`aud`): only for these pages", "previews.example.com")
    claim: t.Text = about("what they go by", "email", default="email")
    name_claim: t.Text | None = about(
        "what to call them, which people may not choose themselves; of those who have none there, what they "
        "go by up to the `@`. Left out: as what they go by",
        "name",
        default=None,
    )


class ProxySettings(t.Model):
    """Whom a proxy before the pages lets in, and what that opens to them."""

    header: HeaderName | None = about(
        "what they go by, as the proxy says in this header; believed of nobody but `from`",
        "X-Forwarded-Email",
        default=None,
    )
    name_header: HeaderName | None = about(
        "what to call them, from the same proxy, and nothing that people choose themselves; of those who "
        "have no name there, or one with a comma, what they go by up to the `@`. Left out: as what they go "
        "by",
        "X-Forwarded-Preferred-Username",
        default=None,
    )
    peers: Annotated[Networks | None, Field(alias="from")] = about(
        "the addresses from which the proxy connects to pages, as the kernel sees them; whoever else can "
        "connect from there is anybody they like to be",
        ["10.20.0.0/24"],
        default=None,
    )
    assertion: AssertionSettings | None = about(
        "in place of `from`, `header` and `name_header`: what the proxy signs", default=None
    )
    repositories: Annotated[
        tuple[RepositoryPattern, ...],
        Field(min_length=1),
        about("whose previews they see, all of them; capitals or small", ["acme/*"]),
    ]
    sees: Literal["words", "state"] = about(
        "`words`: all that may be read in the pull request; `state`: how a preview stands, and its times",
        "state",
        default="words",
    )
    may_say: t.Truth = about(
        "they say what they think of a preview: previewbot quotes them on the pull request, under the name "
        "that the proxy has for them. For this, and for `may_extend`, pages needs `sign_in.cookie_keys_file`",
        False,
        default=True,
    )
    may_extend: t.Truth = about("they give previews two hours more, too", True, default=False)

    @property
    def they_press(self) -> bool:
        """Whether they have anything to press, so that pages must know which forms are its own."""
        return self.may_say or self.may_extend

    def names(self, repository: str) -> bool:
        """Return whether a repository, by the name that GitHub gives it, is one of those that they see."""
        return bool(repository) and any(is_of(pattern, repository) for pattern in self.repositories)


def proxy_mistakes(
    proxy: ProxySettings | None, sign_in: SignInSettings, public_url: str
) -> Iterator[InitErrorDetails]:
    """Yield what keeps people from coming in by the proxy, or would let others in."""
    if proxy is None:
        wrong = mistake("proxy_needs", at="")
        yield InitErrorDetails(type=wrong, loc=("access",), input="proxy")
        return
    if proxy.they_press:
        yield from _form_mistakes(sign_in, public_url)
    if (proxy.peers is None) == (proxy.assertion is None):
        both = proxy.peers is not None
        wrong = mistake("proxy_either" if both else "proxy_neither", at="assertion" if both else "")
        yield InitErrorDetails(type=wrong, loc=("proxy",), input={})
        return
    if proxy.assertion is None:
        if proxy.header is None:
            wrong = mistake("proxy_header", at="header", line=Raw("`header: X-Forwarded-Email`"))
            yield InitErrorDetails(type=wrong, loc=("proxy",), input={})
        return
    if proxy.assertion.keys_file is None:
        line = Raw("`keys_file: /etc/previewbot/proxy/jwks.json`")
        wrong = mistake("proxy_keys", at="keys_file", line=line)
        yield InitErrorDetails(type=wrong, loc=("proxy", "assertion"), input={})
    for key in ("header", "name_header"):
        if (name := getattr(proxy, key)) is not None:
            wrong = mistake("proxy_unsigned", at="")
            yield InitErrorDetails(type=wrong, loc=("proxy", key), input=name)


def _form_mistakes(sign_in: SignInSettings, public_url: str) -> Iterator[InitErrorDetails]:
    """Yield what keeps forms from being taken that these people send."""
    if sign_in.cookie_keys_file is None:
        line = Raw("`cookie_keys_file: /etc/previewbot/sign-in/cookie-keys`")
        wrong = mistake("proxy_cookie_keys", at="cookie_keys_file", line=line)
        yield InitErrorDetails(type=wrong, loc=("sign_in",), input={})
    if not is_safe_for_forms(public_url):
        yield InitErrorDetails(type=mistake("proxy_https", at=""), loc=("public_url",), input=public_url)
    if urlsplit(public_url).path:
        yield InitErrorDetails(type=mistake("proxy_path", at=""), loc=("public_url",), input=public_url)
