"""The route for hosts at which no preview is, as the chart makes it. Pure.

It leads to a page of previewbot's. Without it the Gateway would answer the link of a preview that is gone,
with nothing but "404".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

NAME = "previewbot-no-preview"
_GROUP = "gateway.networking.k8s.io"


def manifest(gateway: Mapping[str, Any], public_url: str) -> dict[str, Any]:
    """Return the HTTPRoute, for `links.gateway` of previewbot's settings."""
    page = urlsplit(f"{public_url.rstrip('/')}/p/none")
    redirect: dict[str, Any] = {
        "scheme": page.scheme,
        "hostname": page.hostname,
        "path": {"type": "ReplaceFullPath", "replaceFullPath": page.path},
        "statusCode": 302,
    }
    if page.port:
        redirect["port"] = page.port
    parent = {"group": _GROUP, "kind": "Gateway", "name": gateway["name"], "namespace": gateway["namespace"]}
    if gateway.get("sectionName"):
        parent["sectionName"] = gateway["sectionName"]
    rule = {
        "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
        "filters": [{"type": "RequestRedirect", "requestRedirect": redirect}],
    }
    return {
        "apiVersion": f"{_GROUP}/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": NAME, "labels": {"app.kubernetes.io/part-of": "previewbot-demo"}},
        "spec": {
            "parentRefs": [parent],
            "hostnames": [f"*.{gateway['domain'].lower()}"],
            "rules": [rule],
        },
    }
