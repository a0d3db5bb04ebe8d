"""What the Gateway API's experimental channel adds to the standard HTTPRoute: the filter `ExternalAuth`.

The fields, types, defaults and bounds of the CRD (https://gateway-api.sigs.k8s.io/geps/gep-1494/); its rules
in CEL are a real API server's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from previewbot_demo.kube.json_copy import json_copy
from previewbot_demo.kube.resources import Resource

_NAMES = {"type": "array", "items": {"type": "string"}}
_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_PATH = r"^(?:[-A-Za-z0-9/._~!\$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$"
_EXTERNAL_AUTH: dict[str, Any] = {
    "type": "object",
    "required": ["backendRef", "protocol"],
    "properties": {
        "protocol": {"type": "string", "enum": ["HTTP", "GRPC"]},
        "backendRef": {
            "type": "object",
            "required": ["name"],
            "properties": {
                "group": {"type": "string", "default": ""},
                "kind": {"type": "string", "default": "Service"},
                "name": {"type": "string", "maxLength": 253},
                "namespace": {"type": "string", "maxLength": 63, "pattern": f"^{_LABEL}$"},
                "port": {"type": "integer", "minimum": 1, "maximum": 65535},
            },
        },
        "grpc": {"type": "object", "properties": {"allowedHeaders": _NAMES}},
        "http": {
            "type": "object",
            "properties": {
                "path": {"type": "string", "maxLength": 1024, "pattern": _PATH},
                "allowedHeaders": _NAMES,
                "allowedResponseHeaders": _NAMES,
            },
        },
        "forwardBody": {"type": "object", "properties": {"maxSize": {"type": "integer"}}},
    },
}


def with_external_auth(resource: Resource) -> Resource:
    """Return a resource as the experimental channel has it: an HTTPRoute with one filter more."""
    if resource.kind != "HTTPRoute" or resource.schema is None:
        return resource
    schema: dict[str, Any] = json_copy(dict(resource.schema))
    rule = schema["properties"]["spec"]["properties"]["rules"]["items"]["properties"]
    filters = rule["filters"]["items"]["properties"]
    filters["type"]["enum"].append("ExternalAuth")
    filters["externalAuth"] = json_copy(_EXTERNAL_AUTH)
    return replace(resource, schema=schema)
