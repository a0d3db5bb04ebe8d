"""A single value in the place of a list: `ports: 8080` is a list of one, for readers and for editors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from previewbot.config.reader import Document, Plain
from previewbot.config.repository.defaults import DEFAULTS, SERVICES
from previewbot.config.schema import KeyPath, Schema, at

_SINGLE = ("string", "integer")


def list_singles(document: Document) -> None:
    """Make a list of each single value of a document where only a list of such values may stand."""
    document.value = _listed(document, document.value, ())


def or_single(schema: Schema) -> Schema:
    """Return a schema in which one value may stand for a list of it, wherever values are single ones."""
    return {key: _or_single(value) for key, value in schema.items()}


def _listed(document: Document, value: object, path: KeyPath) -> object:
    # In a mirrord file's object mirrord's own forms count, and it says which take a single value. What people
    # name is called as they like: a service as well.
    if path == (DEFAULTS, "mirrord") or (path[:1] == (SERVICES,) and path[2:] == ("mirrord",)):
        return value
    if isinstance(value, dict):
        return {key: _listed(document, inner, (*path, str(key))) for key, inner in value.items()}
    if isinstance(value, str | int | Plain) and not isinstance(value, bool) and value != "":
        schema = at(document.schema, path)
        if schema.get("type") == "array" and _is_single(schema["items"]):
            document.places[(*path, 0)] = document.places[path]
            return [value]
    return value


def _or_single(value: Any) -> Any:
    if isinstance(value, list):
        return [_or_single(inner) for inner in value]
    if not isinstance(value, Mapping):
        return value
    made = {key: _or_single(inner) for key, inner in value.items()}
    if value.get("type") != "array" or not _is_single(value.get("items", {})):
        return made
    told = {key: made.pop(key) for key in ("description", "examples", "default") if key in made}
    return {**told, "anyOf": [made, value["items"]]}


def _is_single(item: Schema) -> bool:
    return bool(_types(item)) and set(_types(item)) <= {*_SINGLE}


def _types(item: Schema) -> list[str]:
    found = item.get("type", [])
    return [found] if isinstance(found, str) else [*found]
