"""Whom to ask and with what, by the arguments and the environment.

A GitHub token is sent to GitHub's API alone, previewbot's bearer to previewbot alone.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

GITHUB_API = "https://api.github.com"
APP = "previewbot"
ENVIRONMENT = "preview"
CHECK = "preview"

_TOKENS = ("GITHUB_TOKEN", "GH_TOKEN")
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,98}[a-z0-9])?")
_PLACEHOLDER = re.compile(r"\$\{[A-Za-z0-9_:.-]{1,100}\}|\$[A-Z][A-Z0-9_]{1,60}")
"""What a client's configuration has in the place of a token; some leave it, where they know no such name."""

_LONGEST = 4096
_NEITHER = (
    "whom to ask is not known. Set GITHUB_TOKEN to a token that may read the repository: then GitHub is "
    "asked. Or set PREVIEWBOT_URL to previewbot's address and PREVIEWBOT_BEARER to its bearer (or "
    "--bearer-file): then previewbot is asked."
)


class NoAccess(ValueError):
    """Whom to ask, or with what, is not said, or cannot be used; the words say what to set."""


@dataclass(frozen=True)
class Access:
    """Whom to ask: GitHub's API at `api_url` with `token`, or previewbot at `url` with `bearer`.

    Of the two addresses one is "". `app` is the App's slug, whose deployments, checks and comments count;
    `environment` is where its deployments are.
    """

    api_url: str = ""
    token: str = field(default="", repr=False)
    url: str = ""
    bearer: str = field(default="", repr=False)
    app: str = APP
    environment: str = ENVIRONMENT

    @property
    def asks_github(self) -> bool:
        """Whether it is GitHub that is asked."""
        return bool(self.api_url)


def access_from(
    environ: Mapping[str, str],
    *,
    url: str = "",
    bearer_file: Path | None = None,
    app: str = "",
    environment: str = "",
) -> Access:
    """Return whom to ask; raises NoAccess.

    `url` and `bearer_file` are what somebody wrote as arguments: then previewbot is asked, whatever the
    environment has. Else a GitHub token decides for GitHub.
    """
    slug = _slug(app or environ.get("PREVIEWBOT_APP", "") or APP)
    where = environment or environ.get("PREVIEWBOT_ENVIRONMENT", "") or ENVIRONMENT
    token = next((value for name in _TOKENS if (value := environ.get(name, "").strip())), "")
    if token and not url and bearer_file is None:
        api_url = _checked(
            environ.get("GITHUB_API_URL", "").strip() or GITHUB_API, "GITHUB_API_URL", "a token"
        )
        return Access(api_url=api_url, token=_secret(token, "GITHUB_TOKEN"), app=slug, environment=where)
    found = (url or environ.get("PREVIEWBOT_URL", "")).strip()
    if not found:
        raise NoAccess(_NEITHER)
    bearer = _bearer(environ, bearer_file)
    checked = _checked(found, "--url" if url else "PREVIEWBOT_URL", "a bearer", within=True)
    return Access(url=checked, bearer=bearer, app=slug, environment=where)


def check_host(access: Access, host: str) -> None:
    """Raise NoAccess if a pull request's address lies on another GitHub than the one that is asked."""
    if not host or not access.asks_github:
        return
    asked = (urlsplit(access.api_url).netloc or "").lower()
    # github.com and data residency (acme.ghe.com) have their API on a host of its own, Enterprise Server has
    # it below /api/v3.
    if host not in (asked, asked.removeprefix("api.")):
        raise NoAccess(
            f"the pull request is on {host}, and GITHUB_API_URL is that of {asked}: set it to {host}'s"
        )


def _bearer(environ: Mapping[str, str], file: Path | None) -> str:
    if file is None:
        bearer = environ.get("PREVIEWBOT_BEARER", "").strip()
        if not bearer:
            raise NoAccess(
                "previewbot's bearer is missing: set PREVIEWBOT_BEARER, or give --bearer-file FILE"
            )
        return _secret(bearer, "PREVIEWBOT_BEARER")
    try:
        with file.open("rb") as opened:
            content = opened.read(_LONGEST + 1)
    except OSError as error:
        raise NoAccess(f"--bearer-file {file} cannot be read: {error.strerror or error}") from error
    try:
        return _secret(content.decode().strip(), f"--bearer-file {file}")
    except UnicodeDecodeError:
        raise NoAccess(f"--bearer-file {file} is no text") from None


def _secret(text: str, name: str) -> str:
    """Return a secret that fits into a header; the words never have it in them."""
    if not text:
        raise NoAccess(f"{name} is empty")
    if _PLACEHOLDER.fullmatch(text):
        raise NoAccess(
            f"{name} is {text}, the name of a variable or secret that whoever started this does not know: "
            "set that one"
        )
    if len(text) > _LONGEST or not text.isascii() or not text.isprintable() or " " in text:
        raise NoAccess(f"{name} is no token: it is one line of letters, digits and signs, without blanks")
    return text


def _slug(text: str) -> str:
    slug = text.strip().lower().removesuffix("[bot]")
    if not _SLUG.fullmatch(slug):
        raise NoAccess(
            f"{text!r} is no App's slug: it is what stands in its address, github.com/apps/SLUG, "
            "and before [bot] in the name of its comments' author"
        )
    return slug


def _checked(url: str, name: str, secret: str, *, within: bool = False) -> str:
    """Return an address to which `secret` may be sent; without encryption only within this machine.

    `within` takes a cluster's own names (`previewbot-web.previewbot.svc`) as well.
    """
    try:
        parts = urlsplit(url)
        host, _ = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise NoAccess(f"{name} is no address, such as {GITHUB_API}") from None
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
        raise NoAccess(f"{name} is no address, such as {GITHUB_API}")
    if parts.username is not None:
        raise NoAccess(f"{name} has a login in it, which is not used: take it out")
    if parts.scheme == "http" and not (_is_here(host) or (within and _is_in_a_cluster(host))):
        raise NoAccess(f"{name} is http://, and whoever is on the way would read {secret}: write https://")
    return url.rstrip("/")


def _is_here(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_in_a_cluster(host: str) -> bool:
    return host.endswith((".svc", ".svc.cluster.local"))
