"""What an API server publishes of the kinds that it serves: their schemas, by group and version.

Every account may read them (the ClusterRole `system:discovery`;
https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-v3).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from previewbot.api import Resource

Schema = Mapping[str, Any]


def schema_of(published: Mapping[str, Any], resource: Resource, kind: str) -> Schema | None:
    """Return the schema of a kind in what the API server publishes of its group; None if it is not there."""
    wanted = {"group": resource.group, "version": resource.version, "kind": kind}
    schemas: Mapping[str, Schema] = (published.get("components") or {}).get("schemas") or {}
    return next(
        (s for s in schemas.values() if wanted in (s.get("x-kubernetes-group-version-kind") or [])), None
    )


def properties_of(schema: Schema) -> Schema:
    """Return the fields of a schema, each with its own; empty if it names none."""
    found = schema.get("properties")
    return found if isinstance(found, Mapping) else {}
