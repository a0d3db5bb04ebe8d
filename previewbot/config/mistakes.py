"""From pydantic's errors to mistakes: where each was written, and the words for it.

What is known about a key (its example, what else there is) comes from the model's JSON Schema, which is also
what is published.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from previewbot.config.keys import KEY
from previewbot.config.reader import Document, Mistake, Place, Plain
from previewbot.config.schema import KeyPath, Schema, at, example_line, flow
from previewbot.config.words import KINDS, Raw, did_you_mean, fill, keys_within, meant, shown, whole

M = TypeVar("M", bound=BaseModel)
_WHATEVER_IS_WRITTEN = ("duration", "extra_forbidden", "literal_error", "missing")
"""The kinds of mistakes that quotes do not mend."""
_SAME = {"dict_type": "keys", "model_type": "keys", "tuple_type": "list"}


def validated(
    model: type[M],
    document: Document,
    variables: Mapping[KeyPath, str] | None = None,
    nulls: Callable[[KeyPath], bool] = lambda _: False,
    context: Mapping[str, Any] | None = None,
) -> tuple[M | None, list[Mistake]]:
    """Return the model that a document holds, or all that is wrong with it, in the order of the lines.

    `variables` stand in for parts of the document, `nulls` says where null is none, `context` is the model's.
    """
    told = _Wording(document, variables or {})
    value, made = told.without_nulls(document.value, ()), None
    found = [*document.mistakes, *told.of_nulls(nulls)]
    try:
        lines = {".".join(map(str, path)): place.line for path, place in document.places.items()}
        made = model.model_validate(value, context={**(context or {}), "lines": lines})
    except ValidationError as error:
        for one in error.errors(include_url=False):
            # A default made of a value that is wrong itself follows from that, which is told.
            if one["type"] != "default_factory_not_called":
                found += told.of(one["type"], one["loc"], one.get("ctx", {}), one["input"])
    return (None if found else made), sorted(_once(found, document), key=lambda mistake: mistake.line)


def _once(found: Sequence[Mistake], document: Document) -> Iterator[Mistake]:
    """Yield mistakes; of what is repeated in several places one alone, where it is written."""
    seen = {mistake.path for mistake in found}
    for mistake in found:
        origin = next(
            (document.origins[path] for path in _parts(mistake.path) if path in document.origins), None
        )
        if origin is None:
            yield mistake
        elif origin not in seen:
            seen.add(origin)
            yield replace(mistake, path=origin)


def _parts(path: KeyPath) -> Iterator[KeyPath]:
    """Yield a place, and each part that it is in."""
    yield from (path[:end] for end in range(len(path), 0, -1))


@dataclass(frozen=True)
class _Wording:
    """Finds the words for errors in one document."""

    document: Document
    variables: Mapping[KeyPath, str]
    nulls: list[KeyPath] = field(default_factory=list)

    @property
    def root(self) -> Schema:
        """The schema of the whole document."""
        return self.document.schema

    def without_nulls(self, value: object, path: KeyPath) -> object:
        """Return a value for pydantic: without known keys that have no value, which are remembered.

        YAML reads a key without a value as null, which pydantic would call a wrong type. People mean that
        they left it out, or have not written it yet. A name without a value says as much as one with no keys
        below it: both are told what is missing.
        """
        if isinstance(value, list):
            return [self.without_nulls(inner, (*path, number)) for number, inner in enumerate(value)]
        if not isinstance(value, Mapping):
            return value
        keys = {whole(str(key)): inner for key, inner in value.items()}
        if "propertyNames" in at(self.root, path):
            keys = {key: {} if inner is None else inner for key, inner in keys.items()}
        nulls = [key for key, inner in keys.items() if inner is None and at(self.root, (*path, key))]
        self.nulls.extend((*path, key) for key in nulls)
        return {key: self.without_nulls(keys[key], (*path, key)) for key in keys if key not in nulls}

    def of_nulls(self, taken: Callable[[KeyPath], bool]) -> Iterator[Mistake]:
        """Yield the mistakes of keys without a value that need not be there at all, but for those `taken`."""
        for path in self.nulls:
            if not taken(path) and path[-1] not in at(self.root, path[:-1]).get("required", ()):
                yield self._mistake("no_value", path, {}, None)

    def of(self, error: str, path: KeyPath, context: Mapping[str, Any], value: object) -> Iterator[Mistake]:
        """Yield the mistake of an error; one for each key of a part that is missing as a whole."""
        # pydantic says `[key]` behind a name that is wrong itself.
        if path[-1:] == ("[key]",) and error != "extra_forbidden" and not at(self.root, path):
            path = path[:-1]
        path = (*path, *keys_within(str(context.get("at", "")), value))
        kind = error if context.get("at") else self._kind(error, path, value)
        # A settings file without `github` gets one mistake for each key to write under it, not one for the
        # whole.
        if kind == "missing" and at(self.root, path).get("required"):
            for key in at(self.root, path)["required"]:
                yield from self.of(error, (*path, key), {}, value)
        # A list may also be empty because its wrong entries, which are told, were taken away.
        elif kind != "too_short" or not (
            value or path in (wrong.path[:-1] for wrong in self.document.mistakes)
        ):
            yield self._mistake(kind if kind in KINDS else "other", path, context, value)

    def _mistake(self, kind: str, path: KeyPath, context: Mapping[str, object], value: object) -> Mistake:
        line, variable = self._where(path, missing=kind.startswith("missing"))
        named = context if "at" in context else {}
        return Mistake(line, lambda: fill(kind, {**self._names(path), **named}, _json(value)), path, variable)

    def _kind(self, error: str, path: KeyPath, value: object) -> str:
        schema, place = at(self.root, path), self.document.places.get(path)
        kind = _SAME.get(error, error)
        if kind == "keys" and not path and value is None:
            return "empty_file"
        if kind == "keys" and "propertyNames" in schema:
            return "names"
        if kind == "missing" and not schema.get("required"):
            kind = "no_value_but_needed" if place else kind
            return kind if "examples" in schema else f"{kind}_keys"
        if schema.get("type") != "string" or kind in _WHATEVER_IS_WRITTEN:
            return kind
        if place and place.braces:
            return "text_in_braces"
        # Somebody wrote `service: on` or `image: 1.10`: YAML reads a truth or a number, and only the quotes
        # are missing.
        if isinstance(value, bool | int | Plain) and place:
            return "text_without_quotes"
        return kind if isinstance(value, str) else "string_type"

    def _names(self, path: KeyPath) -> dict[str, object]:
        """Return what words may name: the key's example, keys that are near, how the value was written."""
        schema, place = at(self.root, path), self.document.places.get(path)
        key = str(path[-1]) if path else ""
        names = schema.get("propertyNames")
        inner = schema.get("required") or [*schema.get("properties", ())]
        example = flow((schema.get("examples") or [""])[0]).strip("'")
        lines = [example_line(at(self.root, (*path, one)), one) for one in inner[:2]]
        # A truth among words is what YAML makes of one of them, as of `off`.
        choices = [
            str(choice)
            for choice in schema.get("enum", [schema.get("const")])
            if not isinstance(choice, bool)
        ]
        written = (place.written if place else None) or ""
        return {
            "example": example,
            "like": Raw(f", like {shown(example)}" if example else ""),
            "names": Raw(f"{names['description']}, such as `{names['examples'][0]}:`" if names else ""),
            "expected": Raw(" or ".join(choices)),
            "line": example_line(schema, key, str(path[-2]) if len(path) == 3 else "checkout"),
            "meant": Raw(meant(written, choices)),
            "near": Raw(did_you_mean(key, at(self.root, path[:-1]).get("properties", ()))),
            "such": Raw(f" such as {' and '.join(f'`{line}`' for line in lines)}" if lines else ""),
            "what": Raw(str(schema.get("description", ""))),
            "written": written,
        }

    def _where(self, path: KeyPath, *, missing: bool) -> tuple[int, str]:
        """Return the line, or the variable, that says something about a key or the nearest part it is in."""
        # What is missing belongs to where the rest stands.
        for end in range(len(path) - missing, 0, -1):
            place = self.document.places.get(path[:end])
            if place:
                return (place.line if missing else place.key_line), ""
            below = [keys for keys in self.variables if keys[:end] == path[:end]]
            if below:
                return 0, self.variables[min(below, key=len)]
        return self.document.places.get((), Place(0, 0)).line, ""


def _json(value: object) -> str:
    """Return a single value for a message; nothing where it might hold a user name and password."""
    # The message is shown in a pull request or a log. `https://me:secret@host` must not be repeated there.
    if isinstance(value, Mapping | list) or value is None or "@" in str(value):
        return ""
    text = value.written if isinstance(value, Plain) else json.dumps(value, default=str, ensure_ascii=False)
    text = text.replace(KEY, "{{ key }}")
    return text if len(text) <= 80 else text[:77] + "…"
