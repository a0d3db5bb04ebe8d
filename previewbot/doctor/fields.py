"""Whether the cluster's CRDs have the fields that this version writes, by what the API server publishes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from previewbot.doctor.check import Check, Whose, listed, ok, wrong
from previewbot.engine.published import Schema

_SHOWN = 6


def missing(installed: Schema, wanted: Schema, path: str = "") -> Iterator[str]:
    """Yield the wanted fields that a schema lacks; below one that takes anything nothing is missing."""
    if installed.get("x-kubernetes-preserve-unknown-fields") or "$ref" in installed or "allOf" in installed:
        return
    items = wanted.get("items")
    if isinstance(items, Mapping):
        yield from missing(installed.get("items") or {}, items, f"{path}[]")
    extra = wanted.get("additionalProperties")
    if isinstance(extra, Mapping):
        below = installed.get("additionalProperties")
        yield from missing(below if isinstance(below, Mapping) else {}, extra, f"{path}.*")
    known = installed.get("properties") or {}
    for name, schema in (wanted.get("properties") or {}).items():
        here = f"{path}.{name}".lstrip(".")
        if name in known:
            yield from missing(known[name], schema, here)
        else:
            yield here


def schema_like(value: object) -> Schema:
    """Return a schema with just the fields of a value: what somebody sends."""
    if isinstance(value, Mapping):
        return {"properties": {str(key): schema_like(child) for key, child in value.items()}}
    if isinstance(value, list) and value:
        return {"items": schema_like(value[0])}
    return {}


def judged(name: str, lacking: Sequence[str], advice: str, whose: Whose = Whose.PLATFORM_TEAM) -> Check:
    """Return whether an installed CRD has all fields."""
    if not lacking:
        return ok(name, "it has every field that this version uses")
    return wrong(name, f"it is of another version: it lacks {listed(lacking, _SHOWN)}. {advice}", whose)
