"""The JSON Schemas of both configuration files as text: `docs/schemas`, and `previewbot schema`."""

from __future__ import annotations

import json

from previewbot.config.repository import published_schema
from previewbot.config.schema import Schema, schema_of
from previewbot.config.server import Settings

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def preview_schema() -> str:
    """Return the schema of a repository's `.github/preview.yaml`."""
    return _text(published_schema(), "A repository's .github/preview.yaml")


def settings_schema() -> str:
    """Return the schema of the server's settings."""
    return _text(schema_of(Settings), "previewbot's settings")


def _text(schema: Schema, title: str) -> str:
    whole = {**schema, "$schema": _DIALECT, "title": title}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"
