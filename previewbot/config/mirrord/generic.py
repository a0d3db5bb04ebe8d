"""A database branch of an image of one's own: `type: generic`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Literal, Self

from pydantic import model_validator

from previewbot.config import types as t
from previewbot.config.mirrord.connections import SLOTS, Connection
from previewbot.config.mirrord.values import SmallNumber, Text
from previewbot.config.types import about, mistake

_PARAMETER = r"[A-Za-z_][A-Za-z0-9_]*"
_BUILT_IN = "MIRRORD_BRANCH_ID"
_BUILT_IN_NAME = "MIRRORD_DATABASE_NAME"
_PARAMETERS = "MIRRORD_PARAM_"
# `$(NAME)` of Kubernetes; `$$` stands for one sign.
_REFERENCE = re.compile(r"\$\$|\$\(([^()]*)\)")


class Readiness(t.Model):
    """How one sees that a branch of an image of one's own is ready."""

    type: Literal["tcp", "exec", "http_get"] = about("how it is asked", "http_get")
    command: tuple[Text, ...] | None = about("of `exec`: what is run", ["ping"], default=None)
    path: Text | None = about("of `http_get`: what is asked for", "/health", default=None)
    port: SmallNumber | None = about("of `http_get`: at which port", 8086, default=None)

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        needed = {"tcp": None, "exec": "command", "http_get": "path"}[self.type]
        fits = {"type", needed, "port" if self.type == "http_get" else None}
        for name in sorted(self.model_fields_set):
            if name not in fits and getattr(self, name) is not None:
                raise mistake("source_other", at=name, type=self.type)
        if needed is not None and getattr(self, needed) is None:
            raise mistake("source_field", at=needed, type=self.type)
        return self


def check_connection(connection: Connection) -> None:
    """Raise a mistake for a connection that mirrord does not take for an image of one's own."""
    if connection.params is None:
        raise mistake("generic_url", at="connection")
    for name, part in connection.sources:
        if part.gcp_secret_manager is not None:
            raise mistake("generic_gsm", at="connection.params", written=name)
    # Each becomes a variable of the image, so that no two may be one.
    seen = {slot.upper() for slot in SLOTS}
    for name in sorted({*connection.params} - {*SLOTS}):
        if not re.fullmatch(_PARAMETER, name) or name.upper() in seen:
            raise mistake("generic_parameter", at="connection.params", written=name)
        seen.add(name.upper())


def check_references(
    parameters: Collection[str],
    name: str | None,
    command: Sequence[str],
    args: Sequence[str],
    env: Mapping[str, str],
) -> None:
    """Raise a mistake for `$(NAME)` of a variable that is not there, or one that mirrord sets itself.

    `parameters` are those of the connection, `name` is the database's.
    """
    for variable in env:
        if variable.startswith(_PARAMETERS) or variable in (_BUILT_IN, _BUILT_IN_NAME):
            raise mistake("generic_variable", at=f"env.{variable}")
    known = {f"{_PARAMETERS}{each.upper()}" for each in parameters} | {*env, _BUILT_IN}
    known |= {_BUILT_IN_NAME} if name is not None else set()
    for where, text in _texts(command, args, env):
        for reference in _REFERENCE.finditer(text):
            if reference[1] is not None and reference[1] not in known:
                raise mistake("generic_reference", at=where, written=f"$({reference[1]})")


def _texts(command: Sequence[str], args: Sequence[str], env: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    yield from (("command", text) for text in command)
    yield from (("args", text) for text in args)
    yield from ((f"env.{name}", text) for name, text in env.items())
