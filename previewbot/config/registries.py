"""How registries and repositories of images are written, and what a prefix of them takes in."""

from __future__ import annotations

from collections.abc import Sequence

DOCKER_HUB = "docker.io"
_DOCKER_HUB_ALIAS = "index.docker.io"


def registry_name(host: str) -> str:
    """Return the one way we write a registry's host; Docker Hub has two names."""
    lower = host.lower()
    return DOCKER_HUB if lower == _DOCKER_HUB_ALIAS else lower


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
