"""The HTTPRoute of a pull request: from its host to staging with the header set, or to its page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from previewbot.api import PREVIEW_LABEL, Preview, Resource, owner_reference
from previewbot.config.repository import Entry, PathRule
from previewbot.config.server import GatewaySettings
from previewbot.config.server.links import SETS_ANSWERS
from previewbot.engine.annotations import HEAD_SHA, IDENTITY, SPEC_HASH, hash_of, who_and_why
from previewbot.engine.links import host
from previewbot.engine.mirrord import header_value
from previewbot.rules.guard_bearers import HEADER as BEARER_HEADER

ROUTE_GROUP = "gateway.networking.k8s.io"
ROUTE_VERSION = "v1"
ROUTE_PLURAL = "httproutes"
ROUTES = Resource(ROUTE_GROUP, ROUTE_VERSION, ROUTE_PLURAL)

COMMIT_HEADER = "x-preview-sha"
"""Of answers: the commit that was announced when the route was written."""

_SAYS_SO_WITHIN = timedelta(seconds=10)
"""So long a gateway is waited for that does not say whether it knows the route."""


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


def _changed(gateway: GatewaySettings, key: str) -> dict[str, Any]:
    """Return how the headers of a request are changed on its way to staging."""
    changed: dict[str, Any] = {"set": [{"name": "baggage", "value": header_value(key)}]}
    if gateway.guard is not None:
        # It comes after what asks the guard: the pull request's own code does not see what lets a program in.
        changed["remove"] = [BEARER_HEADER]
    return changed


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
            {"type": "RequestHeaderModifier", "requestHeaderModifier": _changed(gateway, key)},
        ],
        "backendRefs": [
            {"group": "", "kind": "Service", "name": rule.service, "port": rule.port, "weight": 1}
        ],
    }
    if rule.timeouts is not None and rule.timeouts.verbatim:
        forward["timeouts"] = rule.timeouts.verbatim
    return forward
