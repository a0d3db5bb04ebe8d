"""Types of values in a mirrord file: as strict as mirrord's CLI, and each with its own kind of mistake."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationInfo,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from previewbot.config import types as t
from previewbot.config.keys import KEY
from previewbot.config.mirrord.expressions import is_expression
from previewbot.config.mirrord.jq import NoProgram, check_jq
from previewbot.config.schema import Schema
from previewbot.config.types import mistake
from previewbot.config.words import Raw

VARIABLE = r"^[-._a-zA-Z][-._a-zA-Z0-9]*$"
"""As Kubernetes takes names of variables. A URL, or a password, is none."""


@dataclass(frozen=True, eq=False)
class Short:
    """A part that may be written shorter: `reading` makes of that what the part's own keys would say."""

    reading: Callable[[object], object]
    schemas: tuple[Schema, ...]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self.reading, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [handler(schema), *map(dict, self.schemas)]}


SchemaOf = Callable[[type[BaseModel]], Schema]


@dataclass(frozen=True, eq=False)
class Forms:
    """A part of several forms, of which one alone is read: so its mistakes are told, and not those of all.

    `reading` makes a value of any of them, `published` returns their schema, of those of models.
    """

    reading: Callable[[object, ValidationInfo], object]
    published: Callable[[SchemaOf], Schema]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(self.reading)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return dict(self.published(lambda model: handler(model.__pydantic_core_schema__)))


def _one(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _line(value: str) -> str:
    if not value.strip() or not value.replace(KEY, "").isprintable():
        raise mistake("one_line")
    return value


def checked_pattern(value: str) -> str:
    """Return what may be a regular expression to mirrord."""
    if not is_expression(value):
        raise mistake("expression", written=value)
    return value


def checked_jq(value: str) -> str:
    """Return what may be a jq program to mirrord."""
    try:
        check_jq(value)
    except NoProgram as error:
        raise mistake("jq", problem=Raw(str(error).replace(KEY, "{{ key }}"))) from None
    return value


def switched(off: Mapping[str, object]) -> Short:
    """Return that `true` stands for a part as it is where nothing is said, and `false` for `off`."""

    def read(value: object) -> object:
        if isinstance(value, bool):
            return {} if value else dict(off)
        return value

    return Short(read, ({"type": "boolean"},))


Text = Annotated[str, Field(strict=True)]
Pattern = Annotated[Text, AfterValidator(checked_pattern)]
"""A regular expression, with `KEY` where the environment key belongs."""
Jq = Annotated[Text, AfterValidator(checked_jq)]
VariableName = Annotated[str, Field(strict=True, pattern=VARIABLE), t.Called("variable_name")]
Truth = Annotated[bool, Field(strict=True)]
Line = Annotated[str, Field(strict=True), AfterValidator(_line)]
"""A text that can be shown: on one line, not empty; the key may stand in it."""
Number = Annotated[int, Field(strict=True, ge=0), t.Called("number")]
SmallNumber = Annotated[int, Field(strict=True, ge=0, le=65_535), t.Called("small_number")]
Port = Annotated[int, Field(strict=True, ge=1, le=65_535), t.Called("port")]
Texts = Annotated[tuple[Text, ...], Short(_one, ({"type": "string"},))]
"""A list of texts, or one of them."""
PortPair = Annotated[tuple[SmallNumber, ...], Field(min_length=2, max_length=2), t.Called("port_pair")]


class Choice(t.Model):
    """A part that says which of the target's a preview has: only some of them, or all but some."""

    exclude: Texts | None = None
    include: Texts | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if self.include is not None and self.exclude is not None:
            raise mistake("include_and_exclude", at="exclude")
        return self
