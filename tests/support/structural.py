"""The structural schema that the values of a Preview imply, to hold the CRD to them."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter


def structural_schema(kind: type[Any]) -> dict[str, Any]:
    """Return the OpenAPI v3 schema of a value as a CRD may have it: no references, no null types."""
    schema = TypeAdapter(kind).json_schema(by_alias=True, mode="serialization")
    return _convert(schema, schema.get("$defs", {}))


def _convert(node: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in node:
        return _convert(definitions[node["$ref"].rsplit("/", 1)[-1]], definitions)
    if "anyOf" in node:
        (only,) = [item for item in node["anyOf"] if item.get("type") != "null"]
        return _convert(only, definitions) | {"nullable": True}
    if node["type"] == "array":
        return {"type": "array", "items": _convert(node["items"], definitions)}
    if node["type"] == "object" and "properties" in node:
        properties = {name: _convert(child, definitions) for name, child in node["properties"].items()}
        return {"type": "object", "properties": properties}
    if node["type"] == "object":
        return {"type": "object", "additionalProperties": _convert(node["additionalProperties"], definitions)}
    kept: dict[str, Any] = {"type": node["type"]}
    for key in ("enum", "format"):
        if key in node:
            kept[key] = node[key]
    if kept["type"] == "integer":
        kept["format"] = "int64"
    return kept
