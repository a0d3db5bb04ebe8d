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
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from previewbot.api import (
    PREVIEW_LABEL,
    Link,
    LinkKind,
    OtherLink,
    Preview,
    Resource,
    Service,
    owner_reference,
)
from previewbot.config.repository import Entry, PathRule, RepositoryConfig
from previewbot.config.server import GatewaySettings
from previewbot.config.server.links import SETS_ANSWERS
from previewbot.engine.annotations import HEAD_SHA, IDENTITY, SPEC_HASH, hash_of, who_and_why
from previewbot.engine.mirrord import header, header_value

ROUTE_GROUP = "gateway.networking.k8s.io"
ROUTE_VERSION = "v1"
ROUTE_PLURAL = "httproutes"
ROUTES = Resource(ROUTE_GROUP, ROUTE_VERSION, ROUTE_PLURAL)

COMMIT_HEADER = "x-preview-sha"
"""Of answers: the commit that was announced when the route was written."""

_EXTENSION = "https://metalbear.com/mirrord/extension#config="
_SAYS_SO_WITHIN = timedelta(seconds=10)
"""So long a gateway is waited for that does not say whether it knows the route."""


def page_url(public_url: str, preview_name: str) -> str:
    """Return the address of a preview's page, which never changes."""
    _, repository_id, number = preview_name.split("-")
    return f"{public_url.rstrip('/')}/p/{repository_id}/{number}"


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
    if gateway is not None and entry is not None:
        return Link(kind=LinkKind.GATEWAY, url=gateway_url(gateway, key, path))
    sharing = _sharing(serving, entry)
    if sharing is not None:
        # Without an entry the share host leads to this service itself, to which another's path means nothing.
        lands = path if entry is not None else opens.get(sharing.name, "/")
        return Link(kind=LinkKind.SHARE_HOST, url=f"https://{sharing.share_host}{lands}")
    if entry is None:
        return Link(kind=LinkKind.HEADER)
    return Link(
        kind=LinkKind.HEADER, url=entry.url.rstrip("/") + path, extension_url=entry_extension_link(key, entry)
    )


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


def route(
    preview: Preview,
    gateway: GatewaySettings,
    namespace: str,
    entry: Entry | None,
    *,
    page: str,
    sha: str = "",
) -> dict[str, Any]:
    """Return the HTTPRoute of a pull request: to `entry` with the header set, or, without one, to the page.

    `sha` is the commit that answers are to name, "" for none. It tells what is announced and proves nothing:
    whichever service answers, staging's too, the gateway adds it.
    While no session serves it must redirect, else it would quietly show plain staging. An annotation of None
    is one that must not be there.
    """
    key = preview.spec.environment_key
    rules = _forwards(gateway, key, entry.rules, sha) if entry else [redirect(page)]
    spec = attached(gateway, key, rules)
    return {
        "apiVersion": f"{ROUTE_GROUP}/{ROUTE_VERSION}",
        "kind": "HTTPRoute",
        "metadata": {
            "name": key,
            "namespace": namespace,
            "labels": {**gateway.labels, PREVIEW_LABEL: preview.name},
            "annotations": {
                **gateway.annotations,
                # A route is patched: what is not known any more has to be taken away in so many words.
                **dict.fromkeys(IDENTITY),
                **who_and_why(preview),
                HEAD_SHA: _leads_to(preview) or None,
                # Without the hash, a field that is not wanted any more (a listener's name, one within a
                # filter) would stay: what a stored route has beyond what is desired counts as the API
                # server's own doing.
                SPEC_HASH: hash_of(spec),
            },
            "ownerReferences": [owner_reference(preview)],
        },
        "spec": spec,
    }


def route_to_service(
    gateway: GatewaySettings, key: str, service: str, port: int, sha: str = ""
) -> dict[str, Any]:
    """Return the `spec` of a route to one Service with a key's header set, whatever the path.

    `sha` is the commit that answers are to name, "" for none.
    """
    rules = _forwards(gateway, key, [PathRule("PathPrefix", "/", service, port)], sha)
    return attached(gateway, key, rules)


def attached(gateway: GatewaySettings, key: str, rules: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the `spec` of a route behind the Gateway, at the host of a key."""
    # What the API server would add by its defaults stands there too: tools that compare see no difference.
    parent = {
        "group": ROUTE_GROUP,
        "kind": "Gateway",
        "name": gateway.name,
        "namespace": gateway.namespace,
    }
    if gateway.section_name:
        parent["sectionName"] = gateway.section_name
    return {"parentRefs": [parent], "hostnames": [host(gateway, key)], "rules": list(rules)}


def backends(manifest: Mapping[str, Any]) -> list[tuple[str, str, int]]:
    """Return the Services that a route leads to: namespace, name and port of each."""
    here = manifest["metadata"]["namespace"]
    rules = manifest["spec"].get("rules") or ()
    return [
        (backend.get("namespace", here), backend["name"], backend.get("port", 0))
        for rule in rules
        for backend in rule.get("backendRefs") or ()
    ]


def leads_to_staging(route: Mapping[str, Any]) -> bool:
    """Return whether a route of ours leads to staging, and not to the page."""
    return any("backendRefs" in rule for rule in route["spec"]["rules"])


def gateway_switched(
    gateway: GatewaySettings, redirected_at: datetime, acknowledged_at: datetime | None, now: datetime
) -> bool:
    """Return whether requests follow a route by now that was redirected and acknowledged at these moments.

    A gateway may act on a route only some time after it says that it knows it, for which `settle` is there:
    Traefik takes up to 2 s (its `providersThrottleDuration`).
    """
    return now >= (acknowledged_at or redirected_at + _SAYS_SO_WITHIN) + gateway.settle


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


def _leads_to(preview: Preview) -> str:
    """Return the commit that a route leads to; while it leads to the page, the newest one."""
    # The newest one is not served before its session is ready, and then the route changes anyway: a push
    # alone writes nothing.
    serving = [service.serving_sha for service in preview.status.services if service.serving_sha]
    newest = preview.status.observed.head_sha
    return newest if not serving or newest in serving else serving[0]


def _forwards(
    gateway: GatewaySettings, key: str, rules: Sequence[PathRule], sha: str = ""
) -> list[dict[str, Any]]:
    """Return the rules of a route to staging: each sets the header, whichever Service answers."""
    return [_forward(gateway, key, rule, sha) for rule in rules]


def _names(sha: str) -> dict[str, Any]:
    return {
        "type": SETS_ANSWERS,
        "responseHeaderModifier": {"set": [{"name": COMMIT_HEADER, "value": sha}]},
    }


def _forward(gateway: GatewaySettings, key: str, rule: PathRule, sha: str) -> dict[str, Any]:
    forward: dict[str, Any] = {
        # Also where the API server would add it: what is not written is not compared, and with another that
        # somebody put there only some requests would follow.
        "matches": [{"path": {"type": rule.type, "value": rule.path}}],
        "filters": [
            # Those of the settings come first: nobody who has not passed the sign-in gets to a session, and
            # none of them comes after ours to take the header away.
            *(given.verbatim for given in gateway.filters),
            *([_names(sha)] if sha else []),
            {
                "type": "RequestHeaderModifier",
                "requestHeaderModifier": {"set": [{"name": "baggage", "value": header_value(key)}]},
            },
        ],
        "backendRefs": [
            {"group": "", "kind": "Service", "name": rule.service, "port": rule.port, "weight": 1}
        ],
    }
    if rule.timeouts is not None and rule.timeouts.verbatim:
        forward["timeouts"] = rule.timeouts.verbatim
    return forward


def redirect(page: str) -> dict[str, Any]:
    """Return the rule of a route that leads to a page."""
    parts = urlsplit(page)
    leads: dict[str, Any] = {
        "scheme": parts.scheme,
        "hostname": parts.hostname,
        "path": {"type": "ReplaceFullPath", "replaceFullPath": parts.path},
        # Not 301, which a browser remembers: the same address must lead to staging once the preview is ready.
        "statusCode": 302,
    }
    if parts.port:
        leads["port"] = parts.port
    return {
        "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
        "filters": [{"type": "RequestRedirect", "requestRedirect": leads}],
    }
