"""Where a reviewer goes: the front end of staging, seen through the pull request's sessions.

The link leads to the repository's `entry`, whichever service changed: mirrord's share host forwards to the
changed target itself, which for a backend would open raw JSON. With a Gateway, an HTTPRoute per pull request
sets the header; without one the share host serves where the entry itself changed; else the reader needs the
header, by mirrord's browser extension or by hand.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from previewbot.api import Link, LinkKind, OtherLink, Service
from previewbot.config.repository import Entry, RepositoryConfig
from previewbot.config.server import GatewaySettings
from previewbot.engine.mirrord import header

_EXTENSION = "https://metalbear.com/mirrord/extension#config="


def page_url(public_url: str, preview_name: str) -> str:
    """Return the address of a preview's page, which never changes."""
    return f"{public_url.rstrip('/')}{page_path(preview_name)}"


def page_path(preview_name: str) -> str:
    """Return the same without its host."""
    _, repository_id, number = preview_name.split("-")
    return f"/p/{repository_id}/{number}"


def host(gateway: GatewaySettings, key: str) -> str:
    """Return the host name of a pull request behind the gateway."""
    return f"{key}.{gateway.domain}"


def gateway_url(gateway: GatewaySettings, key: str, path: str = "/") -> str:
    """Return the address at which a pull request is opened behind the gateway."""
    port = f":{gateway.port}" if gateway.port else ""
    return f"{gateway.scheme}://{host(gateway, key)}{port}{path}"


def extension_link(key: str, scope: str | None) -> str:
    """Return the link that hands the header to mirrord's browser extension.

    `scope` is a Chrome `urlFilter`. The JSON is padded with blanks so that the base64 needs no `=`, as the
    extension's own `buildShareUrl` does (metalbear-co/mirrord-browser 0.6).
    """
    config = {"header_filter": header(key)}
    if scope:
        config["inject_scope"] = scope
    raw = json.dumps(config, separators=(",", ":")).encode()
    return _EXTENSION + base64.b64encode(raw + b" " * (-len(raw) % 3)).decode()


def link(
    gateway: GatewaySettings | None, config: RepositoryConfig, services: Sequence[Service], key: str
) -> Link:
    """Return where a reviewer goes now; empty while no service serves."""
    serving = [service for service in services if service.serving_sha]
    if not serving:
        return Link()
    opens = {service.name: service.open for service in config.services}
    entry = entry_of(config, services)
    path = _lands([service for service in serving if config.entry_of(service.name) == entry], opens)
    staging_url = entry.url.rstrip("/") + path if entry is not None else ""
    if gateway is not None and entry is not None:
        return Link(kind=LinkKind.GATEWAY, url=gateway_url(gateway, key, path), staging_url=staging_url)
    sharing = _sharing(serving, entry)
    if sharing is not None:
        # Without an entry the share host leads to this service itself, to which another's path means nothing.
        lands = path if entry is not None else opens.get(sharing.name, "/")
        url = f"https://{sharing.share_host}{lands}"
        return Link(kind=LinkKind.SHARE_HOST, url=url, staging_url=staging_url)
    if entry is None:
        return Link(kind=LinkKind.HEADER)
    return Link(kind=LinkKind.HEADER, url=staging_url, extension_url=entry_extension_link(key, entry))


def entry_of(config: RepositoryConfig, services: Sequence[Service]) -> Entry | None:
    """Return the entry that the link opens: that of the first service that serves, of the changed ones.

    There is one link, and one host: another entry whose services serve too is opened with the header
    (`other_links`).
    """
    first = next((s for s in services if s.serving_sha), next(iter(services), None))
    return config.entry_of(first.name if first else "")


def other_links(config: RepositoryConfig, services: Sequence[Service], key: str) -> tuple[OtherLink, ...]:
    """Return the other entries behind which something serves: each is opened with the header."""
    opened = entry_of(config, services)
    opens = {service.name: service.open for service in config.services}
    behind: dict[str, list[Service]] = {}
    for service in (s for s in services if s.serving_sha):
        entry = config.entry_of(service.name)
        if entry is not None and entry != opened:
            behind.setdefault(entry.url, []).append(service)
    return tuple(
        OtherLink(
            tuple(service.name for service in found),
            url + _lands(found, opens),
            _extension_link_of(key, url),
        )
        for url, found in behind.items()
    )


def _lands(serving: Sequence[Service], opens: Mapping[str, str]) -> str:
    """Return the page that a link opens: a service may name the one that shows its change, such as `/cart`.

    The first that serves and names one wins.
    """
    return next((opens[s.name] for s in serving if opens.get(s.name, "/") != "/"), "/")


def lands_on(link: Link, config: RepositoryConfig, services: Sequence[Service]) -> str:
    """Return the service of the preview that a link leads to itself; empty if it leads to another of
    staging's."""
    serving = [service for service in services if service.serving_sha]
    entry = entry_of(config, services)
    if link.kind is LinkKind.SHARE_HOST:
        sharing = _sharing(serving, entry)
        return sharing.name if sharing is not None else ""
    if entry is None:
        return ""
    path = urlsplit(link.url).path
    rule = next(rule for rule in entry.rules if rule.takes(path))
    own = (s.name for s in serving if entry.is_served_by(s.namespace, s.target))
    return next(own, "") if rule.service == entry.service else ""


def entry_extension_link(key: str, entry: Entry) -> str:
    """Return the link that has mirrord's browser extension send the header to staging's front end."""
    return _extension_link_of(key, entry.url)


def _extension_link_of(key: str, url: str) -> str:
    # Only to its host: a reviewer's browser must not send the header to every page there is.
    return extension_link(key, f"||{urlsplit(url).hostname}")


def _sharing(serving: Sequence[Service], entry: Entry | None) -> Service | None:
    """Return whose share host shows the front end: the entry's own, or any if no entry is named."""
    # A share host forwards to its own target alone: of a front end some of whose paths other Services answer,
    # it would show its own page for each of their calls.
    if entry is not None and len(entry.rules) > 1:
        return None
    for service in serving:
        is_entry = entry is None or entry.is_served_by(service.namespace, service.target)
        if is_entry and service.share_host:
            return service
    return None
