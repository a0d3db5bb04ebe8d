"""The field `mirrord`: a path or an object to whoever writes it, and what was read of that to the model."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ValidationInfo

from previewbot.config import types as t
from previewbot.config.mirrord import MirrordConfig, MirrordFile
from previewbot.config.mirrord.values import Forms, SchemaOf
from previewbot.config.schema import Schema
from previewbot.config.types import mistake


def _read(value: object, _: ValidationInfo) -> object:
    # `mirrord_files.py` has put what was read in the place of what was written.
    if not isinstance(value, MirrordConfig):
        raise mistake("mirrord")
    return value


def _as_written(value: object, _: ValidationInfo) -> object:
    # In `defaults` it is read with each service that has it from there.
    if not isinstance(value, str | dict):
        raise mistake("mirrord")
    return value


def _path_or_object(schema_of: SchemaOf) -> Schema:
    return {"anyOf": [{"type": "string", "pattern": t.TEXT}, schema_of(MirrordFile)]}


Mirrord = Annotated[MirrordConfig, Forms(_read, _path_or_object)]
MirrordTemplate = Annotated[str | dict[str, Any], Forms(_as_written, _path_or_object)]
"""That of all services: `.mirrord/{service}.json`."""
