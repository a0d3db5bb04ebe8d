"""The field `mirrord`: a path or an object to whoever writes it, and what was read of that to the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from previewbot.config import types as t
from previewbot.config.mirrord import MirrordConfig, MirrordFile
from previewbot.config.types import mistake


def _read(value: object) -> object:
    # `mirrord_files.py` has put what was read in the place of what was written.
    if not isinstance(value, MirrordConfig):
        raise mistake("mirrord")
    return value


def _as_written(value: object) -> object:
    # In `defaults` it is read with each service that has it from there.
    if not isinstance(value, str | dict):
        raise mistake("mirrord")
    return value


@dataclass(frozen=True, eq=False)
class _PathOrObject:
    """Takes what is read of a path or an object; both are what is published."""

    as_written: bool

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(_as_written if self.as_written else _read)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        path = {"type": "string", "pattern": t.TEXT}
        return {"anyOf": [path, handler(MirrordFile.__pydantic_core_schema__)]}


Mirrord = Annotated[MirrordConfig, _PathOrObject(as_written=False)]
MirrordTemplate = Annotated[str | dict[str, Any], _PathOrObject(as_written=True)]
"""That of all services: `.mirrord/{service}.json`."""
