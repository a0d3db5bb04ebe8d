"""What a model says about its file as a JSON Schema: published, and asked for what mistakes may name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from previewbot.text.durations import format_duration

Schema = Mapping[str, Any]
KeyPath = tuple[str | int, ...]


class _AsWritten(GenerateJsonSchema):
    """A schema of what people write: nobody writes null, and a mapping of names takes no other keys."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """Return the schema of what may be left out."""
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Return the schema with its default, unless that is none, or a part whose keys have their own."""
        # A part such as `ttl` is left out as a whole by most people. What is published are the defaults of
        # its keys.
        default = schema.get("default")
        if default is None or isinstance(default, BaseModel):
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)

    def encode_default(self, dft: object) -> Any:
        """Return a default as one would write it."""
        return format_duration(dft) if isinstance(dft, timedelta) else super().encode_default(dft)

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        """Return the schema of a mapping of names."""
        made = super().dict_schema(schema)
        # Editors check files by the published schema: without this a service named `Check Out` would look
        # right there.
        return {**made, "additionalProperties": False} if "patternProperties" in made else made

    def field_title_should_be_set(self, schema: object) -> bool:
        """Return that a key is title enough."""
        return False


@cache
def schema_of(model: type[BaseModel]) -> Schema:
    """Return the JSON Schema of a file, as it is published."""
    return model.model_json_schema(schema_generator=_AsWritten)


def at(root: Schema, path: KeyPath) -> Schema:
    """Return what a JSON Schema says about a place in its document; nothing where it knows none."""
    found = root
    for key in path:
        named = [found.get("properties", {}).get(key), *found.get("patternProperties", {}).values()]
        others = found.get("additionalProperties")
        named += [others] if isinstance(others, Mapping) else []
        inner = (found.get("items") if isinstance(key, int) else next(filter(None, named), None)) or {}
        found = _with_parts(root, _resolved(root, inner))
    return found


def _resolved(root: Schema, schema: Schema) -> Schema:
    reference = schema.get("$ref", "").rsplit("/", 1)[-1]
    # What stands beside a reference is about this place (its description), so it wins over what it refers to.
    return {**root.get("$defs", {}).get(reference, {}), **schema} if reference else schema


def _with_parts(root: Schema, schema: Schema) -> Schema:
    """Return a schema; of several forms that which has parts, since a single value has none to ask for."""
    for form in schema.get("anyOf", ()):
        resolved = _resolved(root, form)
        if {"properties", "items"} & resolved.keys():
            return {**resolved, **{key: value for key, value in schema.items() if key != "anyOf"}}
    return schema


def holds_keys(root: Schema, path: KeyPath) -> bool:
    """Return whether there may be keys at a place in the document of a JSON Schema."""
    return at(root, path).get("type") == "object"


def example_line(schema: Schema, key: str, name: str = "checkout") -> str:
    """Return a key with an example, which is about the service `name`; only `key:` if there is none."""
    examples = schema.get("examples")
    return f"{key}: {flow(examples[0]).replace('checkout', name)}" if examples else f"{key}:"


def flow(value: object) -> str:
    """Return a value as YAML on one line."""
    text: str = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10_000)
    return text.strip().removesuffix("\n...")
