"""What programs are told, as OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.0), from the shape itself."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from previewbot.text.facts import FACTS, SCHEMA_VERSION

_REF = "#/components/schemas/{model}"
_NUMBER = {"type": "integer", "minimum": 1}

_PAST_GUARD: dict[str, tuple[str, dict[str, str]]] = {
    "bearer": (
        "what lets a program past the guard before this preview, as the header `x-previewbot-bearer`; only "
        "where there is a guard, and only of one preview asked for with the bearer of the settings",
        {},
    ),
    "bearer_until": ("when that ends: in an hour, or somewhat later", {"format": "date-time"}),
}
"""Not among the facts that the comment has too: whoever may read the pull request would get it from there."""


def document() -> dict[str, Any]:
    """Return the whole document."""
    _, described = TypeAdapter.json_schemas([("Facts", "serialization", FACTS)], ref_template=_REF)
    shapes = dict(described["$defs"])
    # Reasons are told as text: a new one is no new version of this.
    shapes.pop("Reason", None)
    for field, (words, more) in _PAST_GUARD.items():
        shapes["Facts"]["properties"][field] = {"type": "string", "description": words, **more}
    schemas = shapes | {
        "Previews": _object("All previews.", previews={"type": "array", "items": _ref("Facts")}),
        "Message": _object("What is the matter, for people.", message={"type": "string"}),
    }
    name = _parameter("repository", "query", {"type": "string"}, "`OWNER/NAME`, in any case")
    by_number = [
        _parameter("repository_id", "path", _NUMBER, "GitHub's number of the repository"),
        _parameter("number", "path", _NUMBER, "the pull request's number"),
    ]
    by_name = [name, _parameter("number", "query", _NUMBER, "the pull request's number")]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "previewbot",
            "version": str(SCHEMA_VERSION),
            "description": "How previews of pull requests stand. Nothing can be changed here.",
        },
        "security": [{"bearer": []}],
        "paths": {
            "/p/{repository_id}/{number}.json": {
                "get": _operation(
                    "onePreview",
                    "One preview, by the number of its repository. Where pages are public nobody needs the "
                    "bearer, and without it no more is told than the page shows.",
                    "Facts",
                    by_number,
                    security=[{"bearer": []}, {}],
                )
            },
            "/p.json": {"get": _operation("previewByName", "One preview, by name.", "Facts", by_name)},
            "/previews.json": {
                "get": _operation(
                    "previews",
                    "All previews. Whoever is signed in in a browser needs no bearer, gets those that they "
                    "may read, without logs and people's words, and may choose by `state`, `agent` and "
                    "`person` too.",
                    "Previews",
                    [name | {"required": False}],
                )
            },
        },
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "What stands in the file that `api.bearer_file` of the settings names; "
                    "one for a repository reads that one's previews alone.",
                }
            },
        },
    }


def _operation(
    name: str, words: str, schema: str, parameters: list[dict[str, Any]], **more: Any
) -> dict[str, Any]:
    tag = _parameter("If-None-Match", "header", {"type": "string"}, "the ETag of the answer one has")
    return {
        "operationId": name,
        "summary": words,
        **more,
        "parameters": [*parameters, tag | {"required": False}],
        "responses": {
            "200": {
                "description": "How it stands now.",
                "headers": {"ETag": {"schema": {"type": "string"}, "description": "The same while it is."}},
                "content": {"application/json": {"schema": _ref(schema)}},
            },
            "304": {"description": "As in the answer with this ETag."},
            "400": _failed("Something is missing in the address."),
            "401": _failed("The bearer is missing, or does not count; only where pages are public."),
            "404": {
                "description": "There is none now; where pages are private also: the bearer does not count."
            },
            "503": _failed(
                "The cluster does not answer right now, or the bearers that count cannot be read; ask again."
            ),
        },
    }


def _failed(words: str) -> dict[str, Any]:
    return {"description": words, "content": {"application/json": {"schema": _ref("Message")}}}


def _parameter(name: str, place: str, schema: dict[str, Any], words: str) -> dict[str, Any]:
    return {"name": name, "in": place, "required": True, "schema": schema, "description": words}


def _object(words: str, **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "description": words,
        "properties": properties,
        "required": list(properties),
    }


def _ref(model: str) -> dict[str, str]:
    return {"$ref": _REF.format(model=model)}
