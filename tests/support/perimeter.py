"""The first table of "What leaves the perimeter" in docs/security.md, and what it means for settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from previewbot.config.server import RegistrySettings, Settings

PAGE = Path(__file__).parents[2] / "docs" / "security.md"
SECTION = "## What leaves the perimeter"
COLUMNS = ("who", "to whom", "named by", "port", "what is in it", "what stops it")
DNS = "DNS"
ITS_OWN = "the address's"
"""What the table says where the port is part of what names the destination."""

_SCHEMES = {"https": 443, "http": 80}
_HUB = "registry-1.docker.io"


@dataclass(frozen=True)
class Address:
    """A host, by the name or number that it is reached by, and a port."""

    host: str
    port: int


@dataclass(frozen=True)
class Row:
    """A row of the table: a kind of connection that previewbot opens."""

    who: tuple[str, ...]
    whom: str
    named_by: str
    port: str
    content: str
    stopped_by: str


def section() -> str:
    """Return the section, without its heading."""
    _, _, rest = PAGE.read_text("utf-8").partition(f"{SECTION}\n")
    return rest.partition("\n## ")[0]


def rows() -> list[Row]:
    """Return the rows of the table of connections."""
    lines = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in section().splitlines()]
    begin = lines.index(list(COLUMNS)) + 2
    found = []
    for cells in lines[begin:]:
        if len(cells) == 1:
            break
        who, *others = cells
        found.append(Row(tuple(who.split(", ")), *others))
    return found


def of_url(url: str) -> Address:
    """Return the address that a URL leads to."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    return Address(parts.hostname, parts.port or _SCHEMES[parts.scheme])


def _asked(settings: Settings) -> dict[str, RegistrySettings]:
    """Return how the registries are reached that images may come from; no other is asked."""
    names = {prefix.partition("/")[0].lower() for prefix in settings.images.allowed}
    return {name: settings.images.registries.get(name, RegistrySettings()) for name in names}


def _registries(settings: Settings) -> set[Address]:
    return {
        of_url(f"{'http' if access.plain_http else 'https'}://{access.address or _own_host(name)}")
        for name, access in _asked(settings).items()
    }


def _own_host(name: str) -> str:
    return _HUB if name == "docker.io" else name


def _token_servers(settings: Settings) -> set[Address]:
    return {of_url(access.token_server) for access in _asked(settings).values() if access.token_server}


def _links(settings: Settings) -> set[Address]:
    """Return where links lead, all of them as one: `*.preview.example.com`."""
    gateway = settings.links.gateway if settings.links is not None and settings.links.check else None
    if gateway is None:
        return set()
    return {Address(f"*.{gateway.domain}", gateway.port or _SCHEMES[gateway.scheme])}


def _of_people(settings: Settings) -> set[Address]:
    """Return whom pages asks about people; nobody where nobody signs in with GitHub."""
    if settings.access_or_default != "github":
        return set()
    return {of_url(settings.github.api_url), of_url(settings.github.web_url)}


BY_ENVIRONMENT = "`HTTPS_PROXY`, `HTTP_PROXY` of its environment"
"""What names a proxy: no setting."""

NAMED_BY: Mapping[str, Callable[[Settings], set[Address]]] = {
    "`github.api_url`": lambda settings: {of_url(settings.github.api_url)},
    "`images.allowed`": _registries,
    "`images.registries.<host>.token_server`": _token_servers,
    "`github.api_url` and `github.web_url`": _of_people,
    BY_ENVIRONMENT: lambda settings: set(),
    "`links.gateway.domain`": _links,
    "`url` of the setting `pictures`": lambda settings: (
        {of_url(settings.pictures.url)} if settings.pictures else set()
    ),
}
"""The destinations that settings name, by the words of the table."""


def named(row: Row, settings: Settings, others: Mapping[str, set[Address]]) -> set[Address]:
    """Return where a row leads with these settings; `others` are the destinations that no setting names."""
    return others[row.named_by] if row.named_by in others else NAMED_BY[row.named_by](settings)
