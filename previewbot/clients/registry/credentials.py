"""Logins from a docker config file, as `docker login` and Kubernetes' image pull secrets write it.

https://docs.docker.com/reference/cli/docker/login/ and
https://kubernetes.io/docs/tasks/configure-pod-container/pull-image-private-registry/
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

from previewbot.config.registries import registry_name

_HUB_SERVER = "registry-1.docker.io"
_NO_USER = "<token>"
_MOST_BYTES = 1024 * 1024
"""More than a thousand logins; Kubernetes stores no larger Secret."""


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


def credentials_for(registry: str, repository: str, path: Path | None) -> Credentials | None:
    """Return the login for a repository from a docker config file, read anew each time (they rotate).

    An entry may name a registry or the beginning of its repositories; the longest that fits counts. Raises
    ValueError if the file cannot be read as one, or keeps this login in a credential helper, a program.
    """
    if path is None:
        return None
    config = _read(path)
    entries = _entries(config.get("auths"))
    parts = [registry, *repository.split("/")]
    # From `ghcr.io/acme/shop` over `ghcr.io/acme` to `ghcr.io`: the most exact entry counts.
    for length in range(len(parts), 0, -1):
        found = _from_entry(entries.get("/".join(parts[:length]), {}), path)
        if found is not None:
            return found
    # A helper is a program on somebody's laptop. Without this the registry would refuse us, in words that
    # lead nobody to the file.
    helpers = _entries(config.get("credHelpers"))
    if registry in helpers or (registry in entries and config.get("credsStore")):
        raise ValueError(f"{path} keeps the login for {registry} in a credential helper, not under auths")
    return None


def _read(path: Path) -> Mapping[str, Any]:
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        config = json.loads(content) if len(content) <= _MOST_BYTES else None
    except (OSError, ValueError, RecursionError):
        config, content = None, b""
    if len(content) > _MOST_BYTES:
        raise ValueError(f"{path} is larger than {_MOST_BYTES // 1024**2} MiB, as no docker config file is")
    if not isinstance(config, Mapping):
        raise ValueError(f"{path} is no docker config file")
    return config


def _entries(section: object) -> dict[str, Any]:
    """Return a section by registry; where one is written in two ways, the plain way counts."""
    if not isinstance(section, Mapping):
        return {}
    return {_scope(key): section[key] for key in sorted(section, key=lambda key: "://" not in key)}


def _scope(key: str) -> str:
    """Return `ghcr.io` for `https://ghcr.io/v2/`, and `docker.io` for all of Docker Hub's names."""
    host, _, path = re.sub(r"^https?://", "", key).rstrip("/").partition("/")
    host = "docker.io" if host == _HUB_SERVER else registry_name(host)
    return host if path in ("", "v1", "v2") else f"{host}/{path}"


def _from_entry(entry: object, path: Path) -> Credentials | None:
    if not isinstance(entry, Mapping):
        return None
    username, password = str(entry.get("username") or ""), str(entry.get("password") or "")
    if entry.get("auth"):
        username, password = _decoded(str(entry["auth"]), path)
    token = str(entry.get("identitytoken") or "")
    # Docker writes this user name for logins whose password is in fact an identity token.
    if username == _NO_USER:
        token = token or password
    return Credentials(username, password, token) if username or token else None


def _decoded(auth: str, path: Path) -> tuple[str, str]:
    try:
        username, colon, password = base64.b64decode(auth, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        colon = ""
    if not colon:
        raise ValueError(f"{path} has an auth that is not USER:PASSWORD in base64")
    return username, password
