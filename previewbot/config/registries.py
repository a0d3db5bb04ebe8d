"""How registries and repositories of images are written, and what a prefix of them takes in."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

HELPER = "[a-z0-9]+(-[a-z0-9]+)*"
"""What stands behind `docker-credential-` in the name of a program that gives a login."""

DOCKER_HUB = "docker.io"
_DOCKER_HUB_ALIAS = "index.docker.io"


def registry_name(host: str) -> str:
    """Return the one way we write a registry's host; Docker Hub has two names."""
    lower = host.lower()
    return DOCKER_HUB if lower == _DOCKER_HUB_ALIAS else lower


def check_host(host: str) -> None:
    """Raise ValueError for what looks like a registry's host and can be none: its port, its IPv6 address."""
    address, bracket, port = host.rpartition("]") if host.startswith("[") else host.partition(":")
    if bracket == "]":
        ipaddress.IPv6Address(address[1:])
        port = port.removeprefix(":")
    if port and not 0 < int(port) < 65_536:
        raise ValueError(f"{port} is no port")


def beginnings(prefix: str) -> tuple[str, ...]:
    """Return how `registry/repository/` begins for what a prefix allows; each ends with a slash.

    `docker.io/nginx` allows what Docker itself calls so, and what an organisation of that name has.
    """
    host, _, rest = prefix.rstrip("/").partition("/")
    registry = registry_name(host)
    found = f"{registry}/{rest}".rstrip("/") + "/"
    # Docker Hub's own images are written `nginx` and named `library/nginx`.
    if registry == DOCKER_HUB and rest and "/" not in rest and not prefix.endswith("/"):
        return (found, f"{registry}/library/{rest}/")
    return (found,)


def lies_within(prefix: str, allowed: Sequence[str]) -> bool:
    """Return whether all that a prefix allows is allowed by these together."""
    wider = tuple(beginning for each in allowed for beginning in beginnings(each))
    return all(beginning.startswith(wider) for beginning in beginnings(prefix))
