"""Logins from a docker config file, as `docker login` and Kubernetes' image pull secrets write it.

https://docs.docker.com/reference/cli/docker/login/ and
https://kubernetes.io/docs/tasks/configure-pod-container/pull-image-private-registry/
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from previewbot.clients.registry.keyring import entries_for
from previewbot.config.registries import DOCKER_HUB, HELPER
from previewbot.text.json import read_json

_NO_USER = "<token>"
_HUB_LOGIN = "https://index.docker.io/v1/"
"""What docker calls Docker Hub where it asks for its login."""

_MOST_BYTES = 1024 * 1024
"""More than a thousand logins; Kubernetes stores no larger Secret."""

_MOST_TRIED = 4
"""A wrong password counts at the registry, which may lock the account after some."""


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
class HelperLogin:
    """A login that the program `docker-credential-<helper>` gives, under the name of a server.

    `for_all`: the program is named for every registry there is, so that it need not know this one.
    """

    helper: str
    server: str
    for_all: bool = False


Login = Credentials | HelperLogin


def logins_for(registry: str, repository: str, path: Path | None) -> tuple[Login, ...]:
    """Return the logins for a repository in a docker config file, read anew each time (they rotate).

    An entry may name a registry, several by a pattern, or the beginning of its repositories; the most exact
    one comes first. What a program gives for this registry comes before, what one gives for all after that.
    Raises ValueError if the file cannot be read as one.
    """
    if path is None:
        return ()
    config = _read(path)
    found: list[Login] = []
    for name in entries_for(config.get("credHelpers"), registry, repository)[:1]:
        found.append(helper_login(name, registry, path))
    for entry in entries_for(config.get("auths"), registry, repository):
        login = _from_entry(entry, path)
        if login is not None and login not in found:
            found.append(login)
    if config.get("credsStore"):
        found.append(replace(helper_login(config["credsStore"], registry, path), for_all=True))
    return tuple(found[:_MOST_TRIED])


def helper_login(name: object, registry: str, path: Path | None = None) -> HelperLogin:
    """Return how a helper is asked for a registry's login; raises ValueError for a name that is none."""
    # It becomes a part of a program's name. Whoever can write the file could else name any program at all.
    if not isinstance(name, str) or not re.fullmatch(HELPER, name):
        where = f"{path} names" if path else "there is"
        raise ValueError(f"{where} a credential helper that is none: a name has small letters, digits and -")
    return HelperLogin(name, _HUB_LOGIN if registry == DOCKER_HUB else registry)


def credentials_of(username: str, password: str, identity_token: str = "") -> Credentials:
    """Return a login; docker writes a user name of its own where the password is an identity token."""
    if username == _NO_USER:
        identity_token = identity_token or password
    return Credentials(username, password, identity_token)


def _read(path: Path) -> Mapping[str, Any]:
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        config = read_json(content) if len(content) <= _MOST_BYTES else None
    except (OSError, ValueError):
        config, content = None, b""
    if len(content) > _MOST_BYTES:
        raise ValueError(f"{path} is larger than {_MOST_BYTES // 1024**2} MiB, as no docker config file is")
    if not isinstance(config, Mapping):
        raise ValueError(f"{path} is no docker config file")
    return config


def _from_entry(entry: object, path: Path) -> Credentials | None:
    if not isinstance(entry, Mapping):
        return None
    username, password = str(entry.get("username") or ""), str(entry.get("password") or "")
    if entry.get("auth"):
        username, password = _decoded(str(entry["auth"]), path)
    token = str(entry.get("identitytoken") or "")
    return credentials_of(username, password, token) if username or token else None


def _decoded(auth: str, path: Path) -> tuple[str, str]:
    # With line breaks, as `base64` writes a long one, and with or without padding, as the kubelet reads it.
    text = "".join(auth.split()).rstrip("=")
    try:
        decoded = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        username, colon, password = decoded.decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        colon = ""
    if not colon:
        raise ValueError(f"{path} has an auth that is not USER:PASSWORD in base64")
    return username, password
