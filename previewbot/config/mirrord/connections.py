"""Where a database branch reads how staging's database is reached: `connection` and `iam_auth`.

All forms of mirrord's CLI 3.250 (https://metalbear.com/mirrord/docs/using-mirrord/db-branching): a URL or
its parts, from variables of the target's container, from a Secret of the cluster or of Google. What is
written out is refused: whoever reads the repository, or the object, would read it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationInfo, model_validator

from previewbot.config import types as t
from previewbot.config.mirrord.values import VARIABLE, Forms, Pattern, SchemaOf, VariableName
from previewbot.config.schema import Schema
from previewbot.config.types import about, mistake

SLOTS = ("host", "port", "user", "password", "database")
"""The parts of a connection that every engine has; of others mirrord's operator knows a few by engine."""

SecretName = Annotated[
    str, Field(strict=True, pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$"), t.Called("secret_name")
]
SecretKey = Annotated[
    str, Field(strict=True, pattern=r"^[-._a-zA-Z0-9]{1,253}$"), t.Called("secret_key_name")
]
GoogleSecret = Annotated[
    str,
    Field(strict=True, pattern=r"^projects/\S+/secrets/\S+$"),
    t.Called("gsm"),
]
Kind = Literal["env", "env_from"]


def _literal(value: object) -> object:
    raise mistake("database_literal")


Literally = Annotated[Any, BeforeValidator(_literal)]

_OF_TYPE: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "env": (("variable",), ("container",)),
    "env_from": (("variable",), ("container",)),
    "secret": (("name", "key"), ("env_var_name",)),
    "gcp_secret_manager": (("secret_ref",), ("env_var_name",)),
}
"""What a source of each type needs, and what it may have besides."""


class Source(t.Model):
    """One place that a whole value is read from."""

    type: Literal["env", "env_from", "secret", "gcp_secret_manager"] = about(
        "`env`: a variable that the container sets; `env_from`: one that comes with a whole ConfigMap or "
        "Secret",
        "env",
    )
    variable: VariableName | None = about("the variable", "DATABASE_URL", default=None)
    container: t.Label | None = about("the container that has it", "app", default=None)
    name: SecretName | None = about("of `secret`: the Secret", "orders-db", default=None)
    key: SecretKey | None = about("of `secret`: the key in it", "url", default=None)
    secret_ref: GoogleSecret | None = about(
        "of `gcp_secret_manager`: the secret", "projects/acme/secrets/orders/versions/latest", default=None
    )
    env_var_name: VariableName | None = about(
        "the variable in which the service expects it", "DATABASE_URL", default=None
    )
    value: Literally = about("not taken: the value itself", default=None)

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        needed, more = _OF_TYPE[self.type]
        for name in sorted(self.model_fields_set - {"type", *needed, *more}):
            if getattr(self, name) is not None:
                raise mistake("source_other", at=name, type=self.type)
        for name in needed:
            if getattr(self, name) is None:
                raise mistake("source_field", at=name, type=self.type)
        return self

    @property
    def led_by(self) -> str | None:
        """The variable by which the service is led to its copy, if one is known."""
        return self.variable or self.env_var_name


class Part(t.Model):
    """One place that a part of a connection is read from; a text alone is the name of a variable."""

    env_var_name: VariableName | None = about("the variable", "DB_HOST", default=None)
    variable: VariableName | None = about("the same", "DB_HOST", default=None)
    value_pattern: Pattern | None = about(
        "a regular expression whose group is the part", "host=([^;]+)", default=None
    )
    secret: SecretName | None = about("the Secret", "orders-db", default=None)
    key: SecretKey | None = about("the key in it", "password", default=None)
    gcp_secret_manager: GoogleSecret | None = about(
        "the secret of Google's", "projects/acme/secrets/orders/versions/latest", default=None
    )
    value: Literally = about("not taken: the value itself", default=None)

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: object) -> object:
        return {"env_var_name": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _is_one_form(self) -> Self:
        said = {name for name in self.model_fields_set if getattr(self, name) is not None}
        if said == {"secret"} or said == {"secret", "env_var_name"}:
            raise mistake("source_field", at="key", type="secret")
        if said not in _FORMS:
            raise mistake("part_form")
        return self

    @property
    def led_by(self) -> str | None:
        """The variable by which the service is led to its copy, if one is known."""
        return self.env_var_name or self.variable


_FORMS = (
    {"env_var_name"},
    {"variable"},
    {"env_var_name", "value_pattern"},
    {"secret", "key"},
    {"secret", "key", "env_var_name"},
    {"gcp_secret_manager"},
    {"gcp_secret_manager", "env_var_name"},
)

_SOURCE = TypeAdapter(Source)
_PART = TypeAdapter(Part)
_PARTS = TypeAdapter(tuple[Part, ...])
_NAME = TypeAdapter(VariableName)
_NAMES = TypeAdapter(tuple[VariableName, ...])


@dataclass(frozen=True)
class Url:
    """Where a whole URL is read: one source, or variables by their names alone."""

    source: Source | None = None
    names: tuple[str, ...] = ()

    @property
    def led_by(self) -> tuple[str, ...]:
        """The variables by which the service is led to its copy."""
        return tuple(filter(None, (self.source.led_by,))) if self.source else self.names


def _url(value: object, info: ValidationInfo) -> Url:
    if isinstance(value, str):
        return Url(names=(_NAME.validate_python(value),))
    if isinstance(value, list | tuple):
        names = _NAMES.validate_python(value)
        if not names:
            raise mistake("connection_nothing")
        return Url(names=names)
    return Url(_SOURCE.validate_python(value, context=info.context))


def _places(value: object, info: ValidationInfo) -> tuple[Part, ...]:
    if not isinstance(value, list | tuple):
        return (_PART.validate_python(value, context=info.context),)
    if not value:
        raise mistake("connection_nothing")
    return _PARTS.validate_python(value, context=info.context)


_NAMED: Schema = {"type": "string", "pattern": VARIABLE}


def _several(one: Schema) -> Schema:
    return {"type": "array", "items": one, "minItems": 1}


def _url_forms(schema_of: SchemaOf) -> Schema:
    return {"anyOf": [schema_of(Source), _NAMED, _several(_NAMED)]}


def _part_forms(schema_of: SchemaOf) -> Schema:
    one = [schema_of(Part), _NAMED]
    return {"anyOf": [*one, _several({"anyOf": one})]}


PartName = Annotated[
    str,
    Field(strict=True, pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$"),
    t.Called("part_name"),
    about("parts of the connection", "host"),
]
Parts = Mapping[PartName, Annotated[tuple[Part, ...], Forms(_places, _part_forms)]]


class Connection(t.Model):
    """How staging's database is reached: `url` or `params`, of which each may be written in several forms."""

    type: Kind | None = about("where variables named alone are read", "env", default=None)
    url: Annotated[Url, Forms(_url, _url_forms)] | None = about("the whole URL", "DATABASE_URL", default=None)
    params: Parts | None = about("its parts", {"host": "DB_HOST", "database": "DB_NAME"}, default=None)

    @model_validator(mode="after")
    def _says_one(self) -> Self:
        if (self.url is None) == (self.params is None):
            raise mistake("connection")
        if self.params is not None and not self.params:
            raise mistake("connection_nothing", at="params")
        if self.type is not None and self.url is not None and self.url.source is not None:
            raise mistake("connection_type", at="type")
        return self

    @property
    def sources(self) -> Iterator[tuple[str, Part]]:
        """Each part of the connection, with its name."""
        for name, parts in (self.params or {}).items():
            for part in parts:
                yield name, part

    def led_by(self, names: Sequence[str] = SLOTS) -> tuple[str, ...]:
        """Return the variables by which the service is led to its copy: those of the URL, or of `names`."""
        if self.url is not None:
            found: Sequence[str | None] = self.url.led_by
        else:
            found = [part.led_by for name, part in self.sources if name in names]
        return tuple(dict.fromkeys(filter(None, found)))


class IamAuth(t.Model):
    """Credentials of a cloud instead of a password; left out, the variables that its own tools read."""

    type: Literal["aws_rds", "gcp_cloud_sql"] = about("whose", "aws_rds")
    region: Source | None = about("AWS: the region", {"type": "env", "variable": "AWS_REGION"}, default=None)
    access_key_id: Source | None = about("AWS: the key's id", default=None)
    secret_access_key: Source | None = about("AWS: the key", default=None)
    session_token: Source | None = about("AWS: the token of credentials for a time", default=None)
    credentials_json: Source | None = about("Google: the key of a service account", default=None)
    credentials_path: Source | None = about("Google: the file with it", default=None)
    project: Source | None = about("Google: the project", default=None)

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        for name in sorted(self.model_fields_set - {"type", *IAM_FIELDS[self.type]}):
            if getattr(self, name) is not None:
                raise mistake("source_other", at=name, type=self.type)
        return self


IAM_FIELDS: Mapping[str, tuple[str, ...]] = {
    "aws_rds": ("region", "access_key_id", "secret_access_key", "session_token"),
    "gcp_cloud_sql": ("credentials_json", "credentials_path", "project"),
}
"""What may be said of each kind of credentials, in the order of mirrord's own object."""
