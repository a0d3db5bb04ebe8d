"""Where previews are told of at GitHub beside the comment: whether, and under which name."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from previewbot.config import types as t
from previewbot.config.types import about, mistake

_LONGEST_NAME = 255
"""GitHub's limit of an environment's name, in characters."""


def _short_enough(name: str) -> str:
    if len(name) > _LONGEST_NAME:
        raise mistake("environment_long")
    return name


class DeploymentsSettings(t.Model):
    """Deployments at GitHub, one for each commit that is previewed."""

    environment: Annotated[t.Text, AfterValidator(_short_enough)] = about(
        "the environment of each repository in which they are", "preview", default="preview"
    )


def _or_off(value: object, handler: Any) -> object:
    # YAML reads `off` without quotes as false.
    return "off" if value is False or value == "off" else handler(value)


class _OrOff:
    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        inner = handler.generate_schema(DeploymentsSettings)
        return core_schema.no_info_wrap_validator_function(_or_off, inner)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [handler(schema), {"enum": ["off", False]}]}


Deployments = Annotated[DeploymentsSettings | Literal["off"], _OrOff()]
"""What is set of deployments, or that there are none."""
