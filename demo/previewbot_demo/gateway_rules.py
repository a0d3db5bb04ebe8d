"""What the Gateway API says of a request: which route and rule take it, for how long, and where it goes.

Pure (https://gateway-api.sigs.k8s.io/reference/spec/#httproute).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from multidict import CIMultiDict

from previewbot_demo.routing import Object

_USUALLY = 30.0
"""Seconds that a request may take where its rule does not say."""

_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def route_for(host: str, routes: Iterable[Object]) -> Object | None:
    """Return the route that takes a host: one that names it in full, else the longest `*.` that it is below.

    https://gateway-api.sigs.k8s.io/reference/spec/#httproutespec (`hostnames`)
    """
    found: list[tuple[bool, int, Object]] = []
    for route in routes:
        for name in route["spec"].get("hostnames") or []:
            if host == name or (name.startswith("*.") and host.endswith(name[1:])):
                found.append((host == name, len(name), route))
    return max(found, key=lambda each: each[:2])[2] if found else None


def rule_for(path: str, rules: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the rule that takes a path: an exact one first, else the longest prefix, in any order.

    A prefix is one of whole parts, `/api` of `/api/v1` and not of `/apiary`; its own slash at the end means
    nothing: https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule
    """
    found: list[tuple[bool, int, Mapping[str, Any]]] = []
    for rule in rules:
        for match in rule.get("matches") or [{}]:
            wanted = match.get("path") or {}
            value, exact = wanted.get("value", "/"), wanted.get("type") == "Exact"
            prefix = value.rstrip("/")
            if path == value if exact else path == prefix or path.startswith(f"{prefix}/"):
                found.append((exact, len(value), rule))
    return max(found, key=lambda each: each[:2])[2] if found else None


def limit(rule: Mapping[str, Any]) -> float | None:
    """Return how many seconds a request may take by its rule's timeouts; None is without end.

    https://gateway-api.sigs.k8s.io/geps/gep-1742/
    """
    timeouts = rule.get("timeouts") or {}
    given = [_seconds(timeouts[key]) for key in ("request", "backendRequest") if key in timeouts]
    bounds = [seconds for seconds in given if seconds]
    return min(bounds) if bounds else None if given else _USUALLY


def _seconds(duration: str) -> float:
    return sum(int(n) * _SECONDS[unit] for n, unit in re.findall(r"([0-9]+)(h|ms|m|s)", duration))


def modify(headers: CIMultiDict[str], modifier: Mapping[str, Any]) -> None:
    """Apply what changes headers, of requests or of answers.

    `set` replaces, `add` appends with a comma, `remove` removes.
    """
    for header in modifier.get("set") or []:
        headers[header["name"]] = header["value"]
    for header in modifier.get("add") or []:
        present = headers.get(header["name"])
        headers[header["name"]] = f"{present},{header['value']}" if present else header["value"]
    for name in modifier.get("remove") or []:
        headers.popall(name, None)


def location(redirect: Mapping[str, Any], path: str, host: str, port: int) -> str:
    """Return where a `RequestRedirect` leads, for a request of `path` at `host`, answered at `port`.

    Without `port` it is the scheme's own, if a scheme is given, else the listener's.
    """
    scheme = redirect.get("scheme") or "http"
    well_known = {"http": 80, "https": 443}.get(scheme)
    chosen = redirect.get("port") or (well_known if redirect.get("scheme") else port)
    replaced = redirect.get("path") or {}
    target = replaced.get("replaceFullPath", path) if replaced.get("type") == "ReplaceFullPath" else path
    where = redirect.get("hostname") or host
    return f"{scheme}://{where}{'' if chosen == well_known else f':{chosen}'}{target}"
