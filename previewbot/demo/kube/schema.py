"""Validation against a CRD's structural schema, strict: an unknown field is refused, never pruned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
}


def unknown_fields(schema: Mapping[str, Any], value: object, path: str = "") -> list[str]:
    """Return the paths of fields that the schema does not know."""
    if isinstance(value, list) and "items" in schema:
        return [
            f for i, item in enumerate(value) for f in unknown_fields(schema["items"], item, f"{path}[{i}]")
        ]
    if not isinstance(value, dict):
        return []
    extra = schema.get("additionalProperties")
    if isinstance(extra, Mapping):
        return [f for k, v in value.items() for f in unknown_fields(extra, v, f"{path}.{k}")]
    properties = schema.get("properties")
    if properties is None:
        return []
    found: list[str] = []
    for key, child in value.items():
        where = f"{path}.{key}".lstrip(".")
        if key in properties:
            found += unknown_fields(properties[key], child, where)
        else:
            found.append(where)
    return found


def mistakes(schema: Mapping[str, Any], value: object, path: str = "") -> list[str]:
    """Return what is wrong with types, required fields, enums and bounds, in the words of Kubernetes."""
    if value is None:
        if schema.get("nullable"):
            return []
        return [f'{path}: Invalid value: "null": must be of type {schema.get("type")}']
    wanted = schema.get("type")
    if wanted and not _is(value, wanted):
        return [f"{path}: Invalid value: {type(value).__name__}: must be of type {wanted}"]
    if isinstance(value, dict):
        return _in_object(schema, value, path)
    if isinstance(value, list):
        return [
            m for i, item in enumerate(value) for m in mistakes(schema.get("items", {}), item, f"{path}[{i}]")
        ]
    found = []
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{path}: Unsupported value: {value!r}: supported values: {schema['enum']}")
    if "minimum" in schema and isinstance(value, int | float) and value < schema["minimum"]:
        found.append(
            f"{path}: Invalid value: {value}: should be greater than or equal to {schema['minimum']}"
        )
    if "maxLength" in schema and isinstance(value, str) and len(value) > schema["maxLength"]:
        found.append(f"{path}: Too long: may not be more than {schema['maxLength']} bytes")
    return found


def _in_object(schema: Mapping[str, Any], value: Mapping[str, Any], path: str) -> list[str]:
    found = [
        f"{path}.{key}: Required value".lstrip(".") for key in schema.get("required", ()) if key not in value
    ]
    extra = schema.get("additionalProperties")
    for key, child in value.items():
        child_schema = schema.get("properties", {}).get(key, extra if isinstance(extra, Mapping) else {})
        found += mistakes(child_schema, child, f"{path}.{key}".lstrip("."))
    return found


def _is(value: object, wanted: str) -> bool:
    if isinstance(value, bool):
        return wanted == "boolean"
    return isinstance(value, _TYPES[wanted])
