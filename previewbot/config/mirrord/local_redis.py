"""A Redis on the machine of whoever runs mirrord's CLI: read as there, and nothing to a preview."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import TypeAdapter, ValidationInfo

from previewbot.config import types as t
from previewbot.config.mirrord.values import Forms, SmallNumber, Text, Truth
from previewbot.config.types import about


class FromVariable(t.Model):
    """A value that a variable of the target's container has."""

    type: Literal["env"] = about("where it is read", "env")
    variable: Text = about("the variable", "REDIS_URL")
    container: Text | None = about("the container that has it", "app", default=None)


_FROM_VARIABLE = TypeAdapter(FromVariable)


def _value(value: object, info: ValidationInfo) -> str | FromVariable:
    return value if isinstance(value, str) else _FROM_VARIABLE.validate_python(value, context=info.context)


Value = Annotated[
    str | FromVariable,
    Forms(_value, lambda schema_of: {"anyOf": [schema_of(FromVariable), {"type": "string"}]}),
]
"""Itself, or where it is read."""


class LocalConnection(t.Model):
    """How the Redis of staging is reached."""

    url: Value | None = None
    host: Value | None = None
    port: SmallNumber | None = None
    password: Value | None = None
    username: Value | None = None
    database: SmallNumber | None = None
    tls: Truth | None = None


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
