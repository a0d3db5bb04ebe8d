"""The JSON Schema of a repository's file as editors get it, which is a little more than a reader asks.

A reader looks at whole services. Whoever writes one may leave out what `defaults` have, or write its `paths`
alone, and a single value where a list may have more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from previewbot.config.repository.model import RepositoryConfig
from previewbot.config.repository.single import or_single
from previewbot.config.repository.state import OR_WORD
from previewbot.config.schema import Schema, schema_of

_SERVICE, _MIRRORD = "ServiceFields", "MirrordFile"
_IN_MIRRORD = ("target", "namespace")


def published_schema() -> Schema:
    """Return what the file may hold, as it may be written."""
    read = schema_of(RepositoryConfig)
    service = read["$defs"][_SERVICE]
    paths = service["properties"]["paths"]
    needed = service["required"]
    written = {key: value for key, value in service.items() if key != "required"} | {
        "type": ["object", "array", "null"],
        "items": paths["items"],
        "minItems": paths["minItems"],
    }
    mirrords = {name: definition for name, definition in read["$defs"].items() if name in _of_mirrord()}
    ours = {name: definition for name, definition in read["$defs"].items() if name not in mirrords}
    whole = _with_words(or_single({**read, "$defs": {**ours, _SERVICE: written}}))
    # In a mirrord file a single value may stand for a list only where mirrord itself takes one.
    return {
        **whole,
        "$defs": {**whole["$defs"], **mirrords},
        "allOf": [_somewhere(key) for key in needed],
    }


def _with_words(schema: Any) -> Any:
    """Return a schema in which a word that may stand in a value's place is another form of it."""
    if isinstance(schema, list):
        return [_with_words(each) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    made = {key: _with_words(inner) for key, inner in schema.items() if key != OR_WORD}
    if OR_WORD not in schema:
        return made
    told = {key: made.pop(key) for key in ("description", "examples", "default") if key in made}
    words = [schema[OR_WORD], False] if schema[OR_WORD] == "off" else [schema[OR_WORD]]
    return {**told, "anyOf": [made, {"enum": words}]}


def _of_mirrord() -> set[str]:
    """Return the names of what a mirrord file may hold, and of all within it."""
    rest, found = [_MIRRORD], set[str]()
    while rest:
        name = rest.pop()
        if name not in found:
            found.add(name)
            rest += _references(schema_of(RepositoryConfig)["$defs"][name])
    return found


def _references(schema: object) -> Iterator[str]:
    if isinstance(schema, Mapping):
        if isinstance(reference := schema.get("$ref"), str):
            yield reference.rsplit("/", 1)[-1]
        schema = list(schema.values())
    for inner in schema if isinstance(schema, list) else ():
        yield from _references(inner)


def _somewhere(key: str) -> Mapping[str, Any]:
    """Return that a key is in `defaults`, or in each of the services; some may be in a mirrord file."""
    keys = (key, "mirrord") if key in _IN_MIRRORD else (key,)
    there = [{"required": [each]} for each in keys]
    # A list is nothing but its paths.
    kinds = ["object", "array"] if key == "paths" else ["object"]
    in_each = {"type": kinds, "anyOf": there}
    in_defaults = {"required": ["defaults"], "properties": {"defaults": {"type": "object", "anyOf": there}}}
    return {"anyOf": [in_defaults, {"properties": {"services": {"additionalProperties": in_each}}}]}
