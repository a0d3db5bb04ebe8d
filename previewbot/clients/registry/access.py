"""How registries are reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from previewbot.clients.origins import origin
from previewbot.config.registries import DOCKER_HUB, registry_name
from previewbot.rules.images import ImageReference

HUB_HOST = "registry-1.docker.io"
"""Where Docker Hub's registry answers."""

# Registries whose tokens come from another host than their own. Most give them themselves, as GitHub's, Quay,
# Google's, Azure's and Harbor do; Amazon's ECR takes the password itself. Where no page of the vendor's
# says it, it is what the registry answers to everybody under /v2/.
_TOKEN_SERVERS = {
    # https://docs.docker.com/reference/api/registry/auth/
    DOCKER_HUB: "https://auth.docker.io/token",
    # https://docs.gitlab.com/administration/packages/container_registry/
    "registry.gitlab.com": "https://gitlab.com/jwt/auth",
    "registry.digitalocean.com": "https://api.digitalocean.com/v2/registry/auth",
    # One for each region (https://www.scaleway.com/en/developers/api/registry/).
    **{
        f"rg.{region}.scw.cloud": f"https://api.scaleway.com/registry-internal/v1/regions/{region}/tokens"
        for region in ("fr-par", "nl-ams", "pl-waw")
    },
}


class RegistryAccess(Protocol):
    """How one registry is reached; the settings have these."""

    @property
    def address(self) -> str | None:
        """The host that is asked instead of the one that images are named by."""

    @property
    def docker_config_file(self) -> Path | None:
        """The docker config file with its credentials."""

    @property
    def credential_helper(self) -> str | None:
        """The credential helper that is asked before that file."""

    @property
    def plain_http(self) -> bool:
        """Whether it speaks HTTP without TLS."""

    @property
    def ca_file(self) -> Path | None:
        """The certificates to trust besides the system's."""

    @property
    def token_server(self) -> str | None:
        """Where its tokens come from, if not from its own host."""


@dataclass(frozen=True)
class _Anonymous:
    address: str | None = None
    docker_config_file: Path | None = None
    credential_helper: str | None = None
    plain_http: bool = False
    ca_file: Path | None = None
    token_server: str | None = None


@dataclass(frozen=True)
class Place:
    """A repository and how its registry is reached."""

    registry: str
    repository: str
    access: RegistryAccess

    def __str__(self) -> str:
        return f"{self.registry}/{self.repository}".rstrip("/")

    def url(self, path: str) -> str:
        """Return the address of something in the repository."""
        return f"{self.root}/v2/{self.repository}/{path}"

    def gives_tokens(self, realm: str) -> bool:
        """Return whether a realm that a challenge names is the registry's own or a token server of its."""
        # The challenge may be somebody else's: of whoever answers in the registry's place, or runs it. Their
        # realm would get the password, or be an address that the controller reaches and they do not.
        if not _is_plain(realm):
            return False
        if origin(realm) == origin(self.root):
            return True
        # A mirror that answers for a registry is somebody else: the registry's own token server is not its.
        of_registry = "" if self.access.address else _TOKEN_SERVERS.get(self.registry, "")
        known = self.access.token_server or of_registry
        page = urlsplit(known).path
        return origin(realm) == origin(known) and page in ("", urlsplit(realm).path.rstrip("/"))

    @property
    def host(self) -> str:
        """The host that is asked, with its port."""
        # Docker Hub's images are named `docker.io/…`, but its registry answers under another host.
        named = HUB_HOST if self.registry == DOCKER_HUB else self.registry
        return self.access.address or named

    @property
    def root(self) -> str:
        """The beginning of all its addresses."""
        return f"{'http' if self.access.plain_http else 'https'}://{self.host}"


class Accesses:
    """Knows for every registry how it is reached: anonymously over HTTPS, unless something else is said."""

    def __init__(self, access: Mapping[str, RegistryAccess]) -> None:
        self._access = {registry_name(host): one for host, one in access.items()}

    def place(self, reference: ImageReference) -> Place:
        """Return where a reference's tag is to be looked for."""
        return self.of(reference.registry, reference.repository)

    def of(self, registry: str, repository: str) -> Place:
        """Return a repository of a registry, and how that is reached."""
        name = registry_name(registry)
        return Place(name, repository, self._access.get(name, _Anonymous()))


def _is_plain(url: str) -> bool:
    """Return whether everybody reads an address alike: no user, no odd character, no way up in its path."""
    try:
        parts = urlsplit(url)
        origin(url)
    except ValueError:
        return False
    odd = not url.isascii() or not url.isprintable() or set(url) & set("\\ @#")
    return bool(parts.hostname) and not odd and ".." not in parts.path
