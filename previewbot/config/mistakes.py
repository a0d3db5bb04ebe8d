"""From pydantic's errors to mistakes: where each was written, and the words for it.

What is known about a key (its example, what else there is) comes from the model's JSON Schema, which is also
what is published.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from previewbot.config.reader import Document, KeyPath, Mistake, Plain
from previewbot.config.schema import Schema, at, example_line, flow, schema_of, value_within
from previewbot.config.words import KINDS, Raw, did_you_mean, fill, shown, whole

M = TypeVar("M", bound=BaseModel)
_WHATEVER_IS_WRITTEN = ("duration", "extra_forbidden", "literal_error", "missing")
"""The kinds of mistakes that quotes do not mend."""
_SAME = {"dict_type": "keys", "model_type": "keys", "tuple_type": "list"}


def validated(
    model: type[M], document: Document, variables: Mapping[KeyPath, str] | None = None, *, nulls: bool = False
) -> tuple[M | None, list[Mistake]]:
    """Return the model that a document holds, or all that is wrong with it, in the order of the lines.

    `variables` are the names of those that stand in for parts of the document, by their keys. `nulls` says
    whether a key without a value is the same as none.
    """
    schema = schema_of(model)
    told = _Told(schema, document, variables or {})
    left_out: list[KeyPath] = []
    # YAML reads a key without a value as null, which pydantic would call a wrong type. People mean that they
    # left it out, or have not written it yet.
    value = _without_nulls(document.value, (), left_out, schema)
    found = [mistake for mistake in document.mistakes if not value_within(schema, mistake.within)]
    found += told.of_nulls(left_out, nulls)
    made = None
    try:
        made = model.model_validate(value, context=document.lines)
    except ValidationError as error:
        for one in error.errors(include_url=False):
            path = _path(schema, one["loc"], one["type"])
            found += told.of(one["type"], path, one.get("ctx", {}), one["input"])
    return (None if found else made), sorted(found, key=lambda mistake: mistake.line)


class _Told:
    """Finds the words for errors in one document."""

    def __init__(self, schema: Schema, document: Document, variables: Mapping[KeyPath, str]) -> None:
        self._root = schema
        self._places = document.places
        self._with_wrong_keys = {mistake.within for mistake in document.mistakes}
        self._variables = variables

    def of(self, error: str, path: KeyPath, context: Mapping[str, Any], value: object) -> Iterator[Mistake]:
        """Yield the mistake of an error; one for each key of a part that is missing as a whole."""
        path = (*path, context["at"]) if context.get("at") else path
        schema = at(self._root, path) or {}
        kind = error if context.get("at") else self._kind(error, path, schema, value)
        # A settings file without `github` gets one mistake for each key to write under it, not one for the
        # whole.
        if kind == "missing" and schema.get("required"):
            for key in schema["required"]:
                yield from self.of(error, (*path, key), {}, value)
        elif kind != "default_factory_not_called" and not (
            kind == "too_short" and (value or path in self._with_wrong_keys)
        ):
            # These only follow from others that are told: a default made of a wrong value, and a list that is
            # empty once its wrong entries are taken away.
            yield self._mistake(kind if kind in KINDS else "other", path, schema, context, value)

    def of_nulls(self, paths: list[KeyPath], nulls: bool) -> Iterator[Mistake]:
        """Yield the mistakes of keys without a value: unknown ones, and others if there may be none."""
        for path in paths:
            if value_within(self._root, path[:-1]):
                # That there may be no keys at all is told already.
                continue
            schema, parent = at(self._root, path), at(self._root, path[:-1]) or {}
            if schema is None:
                yield from self.of("extra_forbidden", path, {}, None)
            elif not nulls and path[-1] not in parent.get("required", ()):
                yield self._mistake("no_value", path, schema, {}, None)

    def _mistake(
        self, kind: str, path: KeyPath, schema: Schema, context: Mapping[str, object], value: object
    ) -> Mistake:
        line, variable = self._where(path, missing=kind.startswith("missing"))
        named = context if "at" in context else {}
        return Mistake(
            line, lambda: fill(kind, {**self._names(path, schema), **named}, _json(value)), path, variable
        )

    def _kind(self, error: str, path: KeyPath, schema: Schema, value: object) -> str:
        kind = _SAME.get(error, error)
        if kind == "keys" and not path and value is None:
            return "empty_file"
        if kind == "keys" and "propertyNames" in schema:
            return "names"
        if kind == "missing" and not schema.get("required"):
            kind = "no_value_but_needed" if path in self._places else kind
            return kind if "examples" in schema else f"{kind}_keys"
        if schema.get("type") != "string" or kind in _WHATEVER_IS_WRITTEN:
            return kind
        if path in self._places and self._places[path].braces:
            return "text_in_braces"
        # Somebody wrote `service: on` or `image: 1.10`: YAML reads a truth or a number, and only the quotes
        # are missing.
        if isinstance(value, bool | int | Plain) and path in self._places:
            return "text_without_quotes"
        return kind if isinstance(value, str) or kind not in KINDS else "string_type"

    def _names(self, path: KeyPath, schema: Schema) -> dict[str, object]:
        """Return what words may name: the key's example, keys that are near, how the value was written."""
        key, place = str(path[-1]) if path else "", self._places.get(path)
        parent = at(self._root, path[:-1]) or {}
        inner = schema.get("required") or [*schema.get("properties", ())]
        example = flow((schema.get("examples") or [""])[0]).strip("'")
        lines = [example_line(at(self._root, (*path, one)) or {}, one) for one in inner[:2]]
        return {
            "example": example,
            "like": Raw(f", like {shown(example)}" if example else ""),
            "names": Raw(_names_in(schema)),
            "expected": Raw(" or ".join(map(str, schema.get("enum", [schema.get("const")])))),
            "line": example_line(schema, key, str(path[-2]) if len(path) == 3 else "checkout"),
            "near": Raw(did_you_mean(key, parent.get("properties", ()))),
            "such": Raw(f" such as {' and '.join(f'`{line}`' for line in lines)}" if lines else ""),
            "what": Raw(str(schema.get("description", ""))),
            "written": (place.written if place else None) or "",
        }

    def _where(self, path: KeyPath, *, missing: bool) -> tuple[int, str]:
        """Return the line, or the variable, that says something about a key or the nearest part it is in."""
        # What is missing belongs to where the rest stands.
        for end in range(len(path) - missing, -1, -1):
            place = self._places.get(path[:end])
            if place:
                return (place.line if missing else place.key_line), ""
            below = [keys for keys in self._variables if keys[:end] == path[:end]]
            if below:
                return 0, self._variables[min(below, key=len)]
        return 0, ""


def _names_in(schema: Schema) -> str:
    """Return what the keys are that people choose, with an example; nothing where they are given."""
    names = schema.get("propertyNames")
    return f"{names['description']}, such as `{names['examples'][0]}:`" if names else ""


def _path(schema: Schema, location: tuple[int | str, ...], error: str) -> KeyPath:
    """Return where an error is: pydantic says `[key]` behind a name that is wrong itself."""
    about_name = location[-1:] == ("[key]",) and error != "extra_forbidden"
    return location[:-1] if about_name and "propertyNames" in (at(schema, location[:-2]) or {}) else location


def _without_nulls(value: object, path: KeyPath, found: list[KeyPath], root: Schema) -> object:
    """Return a value for pydantic: without keys that have no value, which are added to `found`.

    A name without a value says as much as one with no keys below it: both are told what is missing.
    """
    if isinstance(value, list):
        return [_without_nulls(inner, (*path, number), found, root) for number, inner in enumerate(value)]
    if isinstance(value, str):
        return value if value == whole(value) else type(value)(whole(value))
    if not isinstance(value, Mapping):
        return value
    nothing: dict[str, object] | None = {} if "propertyNames" in (at(root, path) or {}) else None
    keys = {whole(str(key)): nothing if inner is None else inner for key, inner in value.items()}
    found += [(*path, key) for key, inner in keys.items() if inner is None]
    return {
        key: _without_nulls(inner, (*path, key), found, root)
        for key, inner in keys.items()
        if inner is not None
    }


def _json(value: object) -> str:
    """Return a single value for a message; nothing where it might hold a user name and password."""
    # The message is shown in a pull request or a log. `https://me:secret@host` must not be repeated there.
    if isinstance(value, Mapping | list) or value is None or "@" in str(value):
        return ""
    text = value.written if isinstance(value, Plain) else json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 80 else text[:77] + "…"
