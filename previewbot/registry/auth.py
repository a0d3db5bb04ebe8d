"""How a registry wants to be asked: the challenge of a 401, and credentials from a docker config file.

https://distribution.github.io/distribution/spec/auth/token/ and
https://docs.docker.com/reference/cli/docker/login/#configure-the-credential-store
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PARAMETER_RE = re.compile(r'([a-z_]+)="([^"]*)"|([a-z_]+)=([^\s,"]+)', re.IGNORECASE)
_DOCKER_HUB = ("https://index.docker.io/v1/", "index.docker.io", "docker.io", "registry-1.docker.io")


@dataclass(frozen=True)
class Credentials:
    """A user's name and password, or an identity token to be exchanged."""

    username: str
    password: str
    identity_token: str = ""

    def __repr__(self) -> str:
        """Keep the secrets out of logs."""
        return f"Credentials({self.username!r}, …)"

    def basic(self) -> str:
        """Return the value of the Authorization header."""
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()


@dataclass(frozen=True)
class Challenge:
    """The parts of a `WWW-Authenticate` header."""

    scheme: str
    realm: str = ""
    service: str = ""
    scope: str = ""


def parse_challenge(header: str) -> Challenge | None:
    """Return the challenge, or None if it is none that we can answer."""
    scheme, _, rest = header.strip().partition(" ")
    if scheme.lower() not in ("bearer", "basic"):
        return None
    found = {
        (name or bare).lower(): value or plain for name, value, bare, plain in _PARAMETER_RE.findall(rest)
    }
    return Challenge(scheme.lower(), found.get("realm", ""), found.get("service", ""), found.get("scope", ""))


def credentials_for(registry: str, path: Path | None) -> Credentials | None:
    """Return the credentials for a registry from a docker config file, read anew each time (they rotate).

    Raises ValueError if the file cannot be read as one.
    """
    if path is None:
        return None
    try:
        auths = json.loads(path.read_text(encoding="utf-8")).get("auths", {})
    except (OSError, ValueError, AttributeError) as error:
        raise ValueError(f"{path} is no docker config file") from error
    for key in _keys(registry):
        if isinstance(auths, Mapping) and isinstance(auths.get(key), Mapping):
            return _from_entry(auths[key])
    return None


def _keys(registry: str) -> tuple[str, ...]:
    hub = _DOCKER_HUB if registry in _DOCKER_HUB else ()
    plain = (
        registry,
        f"https://{registry}",
        f"http://{registry}",
        f"https://{registry}/v1/",
        f"https://{registry}/v2/",
    )
    return (*plain, *hub)


def _from_entry(entry: Mapping[str, Any]) -> Credentials | None:
    username, password = str(entry.get("username", "")), str(entry.get("password", ""))
    if entry.get("auth"):
        try:
            decoded = base64.b64decode(str(entry["auth"]), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise ValueError("the auth of a docker config file is not base64") from error
        username, _, password = decoded.partition(":")
    token = str(entry.get("identitytoken", ""))
    return Credentials(username, password, token) if username or token else None
