"""A CRD's structural schema at work: what it does not know, what it adds, and what it refuses
(https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from previewbot_demo.kube.json_copy import json_copy
from previewbot_demo.kube.status import Cause

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
    return _pruned(schema, value, path)[1]


def pruned(schema: Mapping[str, Any], value: Any) -> Any:
    """Return the value without the fields that the schema does not know."""
    return _pruned(schema, value, "")[0]


def completed(schema: Mapping[str, Any], value: Any) -> Any:
    """Return the value with defaults, and without a null where the schema allows none."""
    if isinstance(value, list):
        return [completed(schema.get("items", {}), item) for item in value]
    if not isinstance(value, dict):
        return value
    properties, extra = schema.get("properties", {}), schema.get("additionalProperties")
    other = extra if isinstance(extra, Mapping) else {}
    found = {
        key: completed(properties.get(key, other), child)
        for key, child in value.items()
        if child is not None or key not in properties or properties[key].get("nullable")
    }
    for key, child in properties.items():
        if key not in found and "default" in child:
            found[key] = json_copy(child["default"])
    return found


def mistakes(schema: Mapping[str, Any], value: object, path: str = "") -> list[Cause]:
    """Return what is wrong with types, required fields, enums and bounds, in the words of Kubernetes."""
    wanted = schema.get("type")
    if value is None and schema.get("nullable"):
        return _in_scalar(schema, value, path)
    if wanted and not _is(value, wanted):
        name = _name_of(value)
        text = f'Invalid value: "{name}": {path} in body must be of type {wanted}: "{name}"'
        return [Cause(path, "FieldValueTypeInvalid", text)]
    if isinstance(value, dict):
        return _in_object(schema, value, path) + _alternatives(schema, value, path)
    if isinstance(value, list):
        return [
            m for i, item in enumerate(value) for m in mistakes(schema.get("items", {}), item, f"{path}[{i}]")
        ]
    return _in_scalar(schema, value, path)


def _pruned(schema: Mapping[str, Any], value: Any, path: str) -> tuple[Any, list[str]]:
    if isinstance(value, list) and "items" in schema:
        items = [_pruned(schema["items"], item, f"{path}[{i}]") for i, item in enumerate(value)]
        return [item for item, _ in items], [field for _, fields in items for field in fields]
    properties, extra = schema.get("properties"), schema.get("additionalProperties")
    if not isinstance(value, dict) or (properties is None and not isinstance(extra, Mapping)):
        return value, []
    kept: dict[str, Any] = {}
    unknown: list[str] = []
    # The field itself may hold anything then; what the schema does name in it is pruned as elsewhere.
    whatever: Any = {} if schema.get("x-kubernetes-preserve-unknown-fields") else None
    for key, child in value.items():
        where = f"{path}.{key}".lstrip(".")
        known = extra if isinstance(extra, Mapping) else (properties or {}).get(key, whatever)
        if known is None:
            unknown.append(where)
            continue
        kept[key], below = _pruned(known, child, where)
        unknown += below
    return kept, unknown


def _in_object(schema: Mapping[str, Any], value: Mapping[str, Any], path: str) -> list[Cause]:
    found = [
        Cause(f"{path}.{key}".lstrip("."), "FieldValueRequired", "Required value")
        for key in schema.get("required", ())
        if key not in value
    ]
    extra = schema.get("additionalProperties")
    for key, child in value.items():
        child_schema = schema.get("properties", {}).get(key, extra if isinstance(extra, Mapping) else {})
        found += mistakes(child_schema, child, f"{path}.{key}".lstrip("."))
    return found


def _alternatives(schema: Mapping[str, Any], value: Mapping[str, Any], path: str) -> list[Cause]:
    """Return what is wrong with a value of which exactly one of several shapes must hold."""
    shapes = schema.get("oneOf", ())
    if not shapes or sum(not mistakes(shape, value, path) for shape in shapes) == 1:
        return []
    text = f'Invalid value: "object": {path} in body must validate one and only one schema (oneOf)'
    return [Cause(path, "FieldValueInvalid", text)]


def _in_scalar(schema: Mapping[str, Any], value: object, path: str) -> list[Cause]:
    found = []
    if "enum" in schema and value not in schema["enum"]:
        listed = ", ".join(f'"{known}"' for known in schema["enum"])
        sent = "null" if value is None else f'"{value}"'
        text = f"Unsupported value: {sent}: supported values: {listed}"
        found.append(Cause(path, "FieldValueNotSupported", text))
    if isinstance(value, int | float):
        for key, fails, words in (
            ("minimum", value < schema.get("minimum", value), "greater"),
            ("maximum", value > schema.get("maximum", value), "less"),
        ):
            if fails:
                text = f"{path} in body should be {words} than or equal to {schema[key]}"
                found.append(Cause(path, "FieldValueInvalid", f"Invalid value: {value}: {text}"))
    if isinstance(value, str):
        longest, pattern = schema.get("maxLength"), schema.get("pattern")
        if longest is not None and len(value) > longest:
            found.append(Cause(path, "FieldValueTooLong", f"Too long: may not be more than {longest} bytes"))
        # For the API server's patterns `$` is the very end; for Python's also before a line break.
        if pattern is not None and not re.search(re.sub(r"(?<!\\)\$", r"\\Z", pattern), value):
            text = f"Invalid value: \"{value}\": {path} in body should match '{pattern}'"
            found.append(Cause(path, "FieldValueInvalid", text))
    return found


def _is(value: object, wanted: str) -> bool:
    if isinstance(value, bool):
        return wanted == "boolean"
    return isinstance(value, _TYPES[wanted])


def _name_of(value: object) -> str:
    if value is None:
        return "null"
    return next(name for name in ("boolean", *_TYPES) if _is(value, name))
