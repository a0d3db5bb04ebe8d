"""A Redis on the machine of whoever runs mirrord's CLI: read as there, and nothing to a preview."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler, TypeAdapter, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from previewbot.config import types as t
from previewbot.config.types import about

Text = Annotated[str, Field(strict=True)]
SmallNumber = Annotated[int, Field(strict=True, ge=0, le=65_535), t.Called("small_number")]


class FromVariable(t.Model):
    """A value that a variable of the target's container has."""

    type: Literal["env"] = about("where it is read", "env")
    variable: Text = about("the variable", "REDIS_URL")
    container: Text | None = about("the container that has it", "app", default=None)


_FROM_VARIABLE = TypeAdapter(FromVariable)


class _Value:
    """Reads a value: itself, or where it is read."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema of what may be written."""

        def read(value: object, info: ValidationInfo) -> str | FromVariable:
            return value if isinstance(value, str) else _FROM_VARIABLE.validate_python(value)

        return core_schema.with_info_plain_validator_function(read)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Return the JSON Schema of what may be written."""
        return {"anyOf": [handler(FromVariable.__pydantic_core_schema__), {"type": "string"}]}


Value = Annotated[str | FromVariable, _Value()]


class LocalConnection(t.Model):
    """How the Redis of staging is reached."""

    url: Value | None = None
    host: Value | None = None
    port: SmallNumber | None = None
    password: Value | None = None
    username: Value | None = None
    database: SmallNumber | None = None
    tls: Annotated[bool, Field(strict=True)] | None = None


class LocalOptions(t.Model):
    """Options of the program."""

    args: tuple[Text, ...] = ()


class LocalRuntime(t.Model):
    """What runs it on that machine."""

    port: SmallNumber | None = None
    version: Text | None = None
    runtime: Literal["container", "redis_server", "auto"] | None = None
    container_runtime: Literal["docker", "podman", "nerdctl"] | None = None
    container_command: Text | None = None
    server_command: Text | None = None
    options: LocalOptions | None = None


class LocalRedis(t.Model):
    """A branch of `type: redis` with `location: local`."""

    type: Literal["redis"]
    location: Literal["local"]
    id: Text | None = None
    connection: LocalConnection | None = None
    local: LocalRuntime | None = None

    @property
    def led_by(self) -> tuple[str, ...]:
        """The variables that lead to it on that machine, which the CLI lets nothing else set."""
        known = self.connection or LocalConnection()
        said = (known.url, known.host, known.password, known.username)
        return tuple(one.variable for one in said if isinstance(one, FromVariable))
