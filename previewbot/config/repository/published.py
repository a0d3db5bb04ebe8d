"""The JSON Schema of a repository's file as editors get it, which is a little more than a reader asks.

A reader looks at whole services. Whoever writes one may leave out what `defaults` have, or write its `paths`
alone, and a single value where a list may have more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from previewbot.config.repository.model import SCHEMA
from previewbot.config.repository.single import or_single
from previewbot.config.schema import Schema

_SERVICE = "ServiceFields"


def published_schema() -> Schema:
    """Return what the file may hold, as it may be written."""
    service = SCHEMA["$defs"][_SERVICE]
    paths = service["properties"]["paths"]
    needed = service["required"]
    written = {key: value for key, value in service.items() if key != "required"} | {
        "type": ["object", "array", "null"],
        "items": paths["items"],
        "minItems": paths["minItems"],
    }
    whole = or_single({**SCHEMA, "$defs": {**SCHEMA["$defs"], _SERVICE: written}})
    return {**whole, "allOf": [_somewhere(key) for key in needed]}


def _somewhere(key: str) -> Mapping[str, Any]:
    """Return that a key is in `defaults`, or in each of the services."""
    in_each: Mapping[str, Any] = {"type": "object", "required": [key]}
    if key == "paths":
        # A list is nothing but its paths.
        in_each = {"type": ["object", "array"], "required": [key]}
    in_defaults = {
        "required": ["defaults"],
        "properties": {"defaults": {"type": "object", "required": [key]}},
    }
    return {"anyOf": [in_defaults, {"properties": {"services": {"additionalProperties": in_each}}}]}
