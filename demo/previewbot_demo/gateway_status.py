"""What the demo's Gateway writes about itself and its routes, as the Gateway API wants it. Pure.

https://gateway-api.sigs.k8s.io/reference/spec/#routeparentstatus and #gatewaystatus. As with real ones,
nothing is said of a route that names another Gateway.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

Object = Mapping[str, Any]

NAME = "public"
LISTENER = "web"
"""The name of the only listener."""

_CONTROLLER = "previewbot.dev/demo-gateway"
_TAKEN = ("True", "Accepted", "")


def manifest(port: int) -> dict[str, Any]:
    """Return the Gateway that people's browsers reach at a port."""
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": NAME, "labels": {"app.kubernetes.io/part-of": "previewbot-demo"}},
        "spec": {
            "gatewayClassName": "previewbot-demo",
            "listeners": [{"name": LISTENER, "protocol": "HTTP", "port": port}],
        },
    }


def generation(gateway: Object) -> int:
    """Return which form of the Gateway this is, 0 for none."""
    return int(gateway["metadata"]["generation"]) if gateway else 0


def of_gateway(gateway: Object, routes: int, now: datetime) -> dict[str, Any]:
    """Return the status of a Gateway with so many routes."""
    said = _said(generation(gateway), now)
    served = [{**said, "type": kind, "reason": kind, "status": "True"} for kind in ("Accepted", "Programmed")]
    kinds = [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute"}]
    listeners = [
        {"name": each["name"], "attachedRoutes": routes, "supportedKinds": kinds, "conditions": served}
        for each in gateway["spec"]["listeners"]
    ]
    return {"conditions": served, "listeners": listeners}


def of_route(
    route: Object, gateway: Object, has: Callable[[str, str], bool], now: datetime
) -> list[dict[str, Any]]:
    """Return what the Gateway says of a route: an entry for each of its references to it.

    `has` says whether there is a Service, by its namespace and name.
    """
    said = _said(route["metadata"]["generation"], now)
    missing = [name for namespace, name in _backends(route) if not has(namespace, name)]
    resolved = (
        ("False", "BackendNotFound", f"there is no Service {missing[0]}")
        if missing
        else ("True", "ResolvedRefs", "")
    )
    return [
        {
            "parentRef": ref,
            "controllerName": _CONTROLLER,
            "conditions": [
                {**said, "type": kind, "status": status, "reason": reason, "message": message}
                for kind, (status, reason, message) in (
                    ("Accepted", _accepted(route, ref, gateway)),
                    ("ResolvedRefs", resolved),
                )
            ],
        }
        for ref in _references(route, gateway)
    ]


def is_taken(route: Object, gateway: Object) -> bool:
    """Return whether a listener takes a route."""
    return any(_accepted(route, ref, gateway) == _TAKEN for ref in _references(route, gateway))


def _said(of: int, now: datetime) -> dict[str, Any]:
    at = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"message": "", "observedGeneration": of, "lastTransitionTime": at}


def _references(route: Object, gateway: Object) -> list[Object]:
    """Return a route's references to this Gateway; none of a Gateway that is not there."""
    if not gateway:
        return []
    metadata, here = gateway["metadata"], route["metadata"]["namespace"]
    wanted = (metadata["namespace"], metadata["name"])
    refs = route["spec"].get("parentRefs") or []
    return [ref for ref in refs if (ref.get("namespace", here), ref["name"]) == wanted]


def _accepted(route: Object, ref: Object, gateway: Object) -> tuple[str, str, str]:
    listeners = [
        each for each in gateway["spec"]["listeners"] if each["name"] == ref.get("sectionName", each["name"])
    ]
    if not listeners:
        return "False", "NoMatchingParent", f"there is no listener {ref['sectionName']}"
    allowed = [each for each in listeners if _allows(each, route, gateway)]
    if not allowed:
        return "False", "NotAllowedByListeners", "no listener takes routes of this namespace"
    if not any(_fits(each.get("hostname") or "", host) for each in allowed for host in _hosts(route)):
        return "False", "NoMatchingListenerHostname", "no listener is for this host name"
    return _TAKEN


def _allows(listener: Object, route: Object, gateway: Object) -> bool:
    """Return whether a listener takes routes of this namespace; by `Selector` it takes none here."""
    source = ((listener.get("allowedRoutes") or {}).get("namespaces") or {}).get("from", "Same")
    same = route["metadata"]["namespace"] == gateway["metadata"]["namespace"]
    return bool(source == "All" or (source == "Same" and same))


def _fits(pattern: str, host: str) -> bool:
    return not pattern or host == pattern or (pattern.startswith("*.") and host.endswith(pattern[1:]))


def _hosts(route: Object) -> list[str]:
    return list(route["spec"].get("hostnames") or [""])


def _backends(route: Object) -> list[tuple[str, str]]:
    here = route["metadata"]["namespace"]
    rules = route["spec"].get("rules") or []
    filters = [each for rule in rules for each in rule.get("filters") or []]
    refs = [
        *(ref for rule in rules for ref in rule.get("backendRefs") or []),
        *(each["externalAuth"]["backendRef"] for each in filters if each["type"] == "ExternalAuth"),
    ]
    return [(ref.get("namespace", here), ref["name"]) for ref in refs]
