"""The settings as values; names are those of the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True)
class GitHubSettings:
    """Which GitHub, and as which App.

    The files are None where the secret comes from the environment, or where this process does without it.
    """

    api_url: str
    web_url: str
    app_id: int
    private_key_file: Path | None = None
    webhook_secret_file: Path | None = None


@dataclass(frozen=True)
class LeaseSettings:
    """The Lease that decides which of several controllers works."""

    name: str
    namespace: str


@dataclass(frozen=True)
class ClusterSettings:
    """Which cluster (`kubeconfig` None: the one we run in), and the namespaces previews may live in.

    Without a `lease` the controllers agree on one named `previewbot-controller` in the first namespace.
    """

    kubeconfig: Path | None
    namespaces: tuple[str, ...]
    lease: LeaseSettings | None = None

    @property
    def lease_or_default(self) -> LeaseSettings:
        """The Lease that is named, or the default one."""
        return self.lease or LeaseSettings("previewbot-controller", self.namespaces[0])


@dataclass(frozen=True)
class GatewaySettings:
    """The Gateway that links go through; `port` only where it is not the scheme's own.

    `settle` is how long it may take to act on a route after its status says that it knows it.
    """

    name: str
    namespace: str
    domain: str
    scheme: str = "https"
    port: int | None = None
    settle: timedelta = timedelta(seconds=3)


@dataclass(frozen=True)
class LinkSettings:
    """How a link is made."""

    gateway: GatewaySettings | None = None


@dataclass(frozen=True)
class RegistrySettings:
    """A registry that needs more than anonymous HTTPS; `ca_file` is trusted besides the system's CAs."""

    docker_config_file: Path | None = None
    plain_http: bool = False
    ca_file: Path | None = None


@dataclass(frozen=True)
class ImageSettings:
    """Prefixes of the repositories that images may come from, and how registries are reached."""

    allowed: tuple[str, ...]
    registries: Mapping[str, RegistrySettings]


@dataclass(frozen=True)
class Limits:
    """How many previews may run at once; those over it wait, oldest first."""

    previews: int = 50


@dataclass(frozen=True)
class Ttl:
    """How long a preview lives from its first Ready, and how far it can be extended."""

    default: timedelta = timedelta(hours=8)
    max: timedelta = timedelta(hours=72)


@dataclass(frozen=True)
class Deadlines:
    """How long an image, and a session that was created, may take.

    `progress` is how long the controller may go without any, or without an answer of the API server.
    """

    image: timedelta = timedelta(minutes=60)
    session: timedelta = timedelta(minutes=5)
    progress: timedelta = timedelta(minutes=5)


@dataclass(frozen=True)
class Listing:
    """How often open pull requests are listed, to make good what webhooks missed."""

    interval: timedelta = timedelta(minutes=3)


@dataclass(frozen=True)
class Settings:
    """All settings of a server."""

    github: GitHubSettings
    public_url: str
    cluster: ClusterSettings
    images: ImageSettings
    links: LinkSettings | None = None
    config_branches: tuple[str, ...] = ()
    limits: Limits = Limits()
    ttl: Ttl = Ttl()
    deadlines: Deadlines = Deadlines()
    listing: Listing = Listing()

    @property
    def github_host(self) -> str:
        """The host (with a port, if the URL names one) that people know this GitHub by."""
        return urlsplit(self.github.web_url).netloc.lower()
