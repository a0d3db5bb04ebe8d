"""How registries are reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from previewbot.rules.images import ImageReference, registry_name

_HUB = "docker.io"
_HUB_HOST = "registry-1.docker.io"


class RegistryAccess(Protocol):
    """How one registry is reached; the settings have these."""

    @property
    def docker_config_file(self) -> Path | None:
        """The docker config file with its credentials."""

    @property
    def plain_http(self) -> bool:
        """Whether it speaks HTTP without TLS."""

    @property
    def ca_file(self) -> Path | None:
        """The certificates to trust besides the system's."""


@dataclass(frozen=True)
class _Anonymous:
    docker_config_file: Path | None = None
    plain_http: bool = False
    ca_file: Path | None = None


@dataclass(frozen=True)
class Place:
    """A repository and how its registry is reached."""

    registry: str
    repository: str
    access: RegistryAccess

    def __str__(self) -> str:
        return f"{self.registry}/{self.repository}"

    def url(self, path: str) -> str:
        """Return the address of something in the repository."""
        # Docker Hub's images are named `docker.io/…`, but its registry answers under another host.
        host = _HUB_HOST if self.registry == _HUB else self.registry
        return f"{'http' if self.access.plain_http else 'https'}://{host}/v2/{self.repository}/{path}"


class Accesses:
    """Knows for every registry how it is reached: anonymously over HTTPS, unless something else is said."""

    def __init__(self, access: Mapping[str, RegistryAccess]) -> None:
        self._access = {registry_name(host): one for host, one in access.items()}

    def place(self, reference: ImageReference) -> Place:
        """Return where a reference's tag is to be looked for."""
        access = self._access.get(reference.registry, _Anonymous())
        return Place(reference.registry, reference.repository, access)
