"""Databases a preview has a copy of: `feature.db_branches` of a mirrord file, `databases` of preview.yaml.

Fields, forms and what is refused are those of mirrord's CLI 3.250
(https://metalbear.com/mirrord/docs/using-mirrord/db-branching). Stricter on purpose: what is written out
instead of read from somewhere, two copies of one name (of which the CLI loses one without a word), and what
the CLI takes and leaves out. An id without the environment key, which others would share, gets it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import AfterValidator, Field, TypeAdapter, ValidationInfo, model_validator

from previewbot.config import types as t
from previewbot.config.keys import KEY
from previewbot.config.mirrord.connections import Connection, IamAuth
from previewbot.config.mirrord.copying import Copying, check_copying
from previewbot.config.mirrord.database_names import name_in, plain_words
from previewbot.config.mirrord.generic import Readiness, check_connection, check_references
from previewbot.config.mirrord.local_redis import LocalRedis
from previewbot.config.mirrord.migrations import Migrations, VariableToSet
from previewbot.config.mirrord.values import Forms, Line, Number, SmallNumber, Text
from previewbot.config.types import about, mistake
from previewbot.config.words import Raw

Engine = Literal[
    "pg",
    "mysql",
    "mariadb",
    "mssql",
    "cockroachdb",
    "clickhouse",
    "spanner",
    "mongodb",
    "dynamodb",
    "redis",
    "generic",
]
_OWN: Mapping[Engine, tuple[str, ...]] = {
    "pg": ("copy", "connection_settings", "query_params", "iam_auth", "migrations"),
    "mysql": ("copy", "iam_auth", "migrations"),
    "mariadb": ("copy", "iam_auth", "migrations"),
    "mssql": ("copy", "migrations"),
    "cockroachdb": ("copy", "migrations"),
    "clickhouse": ("copy",),
    "spanner": ("copy", "emulator_host"),
    "mongodb": ("copy",),
    "dynamodb": ("copy", "iam_auth"),
    "redis": ("copy", "location"),
    "generic": ("port", "command", "args", "env", "readiness"),
}
"""What only some engines have."""

MOST_DATABASES = 20
"""Of one service: each is a database server of its own, for as long as the preview lives."""
_LONGEST_NAME = 22
"""Of a copy: with a key of 40 letters, and what joins the two, it is a label's value (63)."""
_NAME = rf"[a-z0-9]([a-z0-9-]{{0,{_LONGEST_NAME - 2}}}[a-z0-9])?"
Setting = Annotated[
    str,
    Field(strict=True, pattern=r"^.+$"),
    t.Called("setting_name"),
    about("settings by their names", "app.tenant"),
]


class Database(t.Model):
    """A copy of one of staging's databases, in the words of mirrord's CLI."""

    type: Engine = about("the engine", "pg")
    name: Line | None = about(
        "the database's name, where no variable of the service says it", "orders", default=None
    )
    connection: Connection = about("how staging's database is reached", {"url": "DATABASE_URL"})
    version: Line | None = about("the engine's version", "16", default=None)
    image: Line | None = about(
        "the engine's image, of those that the settings allow (`images.allowed`); `generic` needs one",
        "postgres:16",
        default=None,
    )
    profile: Line | None = about("a profile of mirrord's operator", "small", default=None)
    copying: Annotated[
        Copying | None, Field(alias="copy"), about("what is in it at first", {"mode": "schema"}, default=None)
    ] = None
    iam_auth: IamAuth | None = about(
        "credentials of a cloud instead of a password", {"type": "aws_rds"}, default=None
    )
    connection_settings: Mapping[Setting, Text] = about(
        "settings of PostgreSQL while it is copied", {"app.tenant": "1"}, default={}
    )
    query_params: Mapping[Setting, Text] = about(
        "parameters of PostgreSQL's URL", {"sslmode": "disable"}, default={}
    )
    migrations: Migrations | None = about(
        "what brings its schema up to date; needs `name`",
        {"flavor": "container", "command": ["./migrate", "up"]},
        default=None,
    )
    emulator_host: Line = about(
        "Spanner: the variable that leads to its emulator",
        "SPANNER_EMULATOR_HOST",
        default="SPANNER_EMULATOR_HOST",
    )
    port: SmallNumber | None = about("`generic`: where it listens", 8086, default=None)
    command: tuple[Text, ...] | None = about("`generic`: what its image runs", ["serve"], default=None)
    args: tuple[Text, ...] | None = about("`generic`: with which arguments", ["-v"], default=None)
    env: Mapping[VariableToSet, Text] = about(
        "`generic`: variables of its image", {"TOKEN": "$(MIRRORD_PARAM_TOKEN)"}, default={}
    )
    readiness: Readiness | None = about(
        "`generic`: how one sees that it is ready", {"type": "tcp"}, default=None
    )
    location: Literal["remote"] = about("Redis: where it runs", "remote", default="remote")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        self._check_engine()
        if self.copying is not None:
            check_copying(self.type, self.copying)
        if self.image is not None and self.version is not None:
            raise mistake("database_version", at="version")
        if self.migrations is not None and self.name is None:
            raise mistake("migrations_name", at="migrations")
        if self.type == "redis" and self.name is not None and not _is_number(self.name):
            raise mistake("redis_name", at="name")
        if self.type == "generic":
            self._check_generic()
        elif not self.led_by:
            # A comment that calls it the preview's own would be wrong: the service would go on to staging's.
            raise mistake("database_leads_nowhere", at="connection")
        return self

    def _check_engine(self) -> None:
        special = {name for names in _OWN.values() for name in names} - {*_OWN[self.type]}
        for name in sorted(self.model_fields_set):
            called = "copy" if name == "copying" else name
            if called in special and getattr(self, name) is not None:
                raise mistake("database_other", at=called, type=self.type)

    def _check_generic(self) -> None:
        if self.version is not None:
            raise mistake("database_other", at="version", type=self.type)
        for name in ("image", "port"):
            if getattr(self, name) is None:
                raise mistake("source_field", at=name, type=self.type)
        check_connection(self.connection)
        names = self.connection.params or {}
        check_references(names, self.name, self.command or (), self.args or (), self.env)

    @property
    def led_by(self) -> tuple[str, ...]:
        """The variables by which a service is led to its copy: they must not be set to something else."""
        if self.type == "spanner":
            return (self.emulator_host,)
        return (
            self.connection.led_by(("host", "port")) if self.type == "generic" else self.connection.led_by()
        )


def _is_number(text: str) -> bool:
    # What Rust's `u32` takes, leading zeros and a plus included.
    digits = text.removeprefix("+").lstrip("0")
    return re.fullmatch(r"\+?[0-9]+", text) is not None and len(digits) <= 10 and int(digits or 0) < 2**32


class ListedDatabase(Database):
    """A copy as a mirrord file lists it."""

    id: Text | None = about(
        "`{{ key }}-` and a name that no other copy has", "{{ key }}-orders", default=None
    )
    ttl_secs: Number | None = about("not needed: previewbot removes it with the preview", 300, default=None)
    ttl_mins: Number | None = about("not needed: previewbot removes it with the preview", 5, default=None)
    creation_timeout_secs: Number | None = about(
        "not needed: previewbot waits as long as its settings say", 60, default=None
    )

    @model_validator(mode="after")
    def _is_its_own(self) -> Self:
        if self.ttl_secs is not None and self.ttl_mins is not None:
            raise mistake("database_ttls", at="ttl_mins")
        if self.migrations is not None and self.migrations.by_commit:
            raise mistake("migrations_commit", at="migrations.image")
        if self.has_name_of_its_own and not self.called:
            raise mistake("database_id", at="id")
        return self

    @property
    def has_name_of_its_own(self) -> bool:
        """Whether its id says more than the key."""
        return self.id not in (None, KEY)

    @property
    def called(self) -> str:
        """The name of the copy: what follows the key in its id, or the database's, or the engine's."""
        if self.has_name_of_its_own:
            return name_in(self.id or "", _LONGEST_NAME)
        plain = plain_words(self.name or "")
        # Redis has numbers for names, of which none says what it is.
        if self.type == "redis" and plain:
            plain = f"redis-{plain}"
        return plain[:_LONGEST_NAME].strip("-") or self.type

    @property
    def is_renamed(self) -> bool:
        """Whether the copy is called otherwise than its id says: without the key others would share it."""
        return self.has_name_of_its_own and self.id != f"{KEY}-{self.called}"


class KeptDatabase(Database):
    """A copy as preview.yaml declares it, by its name under `databases`."""

    keep: Literal["pushes", "never"] = about(
        "`pushes`: its data stays until the preview ends; `never`: each push gets a fresh copy",
        "pushes",
        default="pushes",
    )


class Copy(NamedTuple):
    """A copy with its name, which follows the key in its id; `archive` are its migrations, packed."""

    name: str
    database: Database
    kept: bool = True
    archive: str = ""

    @property
    def is_named(self) -> bool:
        """Whether somebody gave it this name, so that services which have one of it mean the same."""
        return not isinstance(self.database, ListedDatabase) or self.database.has_name_of_its_own


_DATABASE = TypeAdapter(ListedDatabase)
_LOCAL = TypeAdapter(LocalRedis)


def _any(value: object, info: ValidationInfo) -> ListedDatabase | LocalRedis:
    if isinstance(value, Mapping) and (value.get("type"), value.get("location")) == ("redis", "local"):
        return _LOCAL.validate_python(value, context=info.context)
    return _DATABASE.validate_python(value, context=info.context)


_AnyDatabase = Annotated[
    ListedDatabase | LocalRedis,
    Forms(_any, lambda schema_of: {"anyOf": [schema_of(ListedDatabase), schema_of(LocalRedis)]}),
]
"""A copy in the cluster, or a Redis on somebody's own machine."""


def _distinct(
    databases: tuple[ListedDatabase | LocalRedis, ...],
) -> tuple[ListedDatabase | LocalRedis, ...]:
    if len(databases) > MOST_DATABASES:
        raise mistake("databases_many", most=MOST_DATABASES)
    seen: dict[str, int] = {}
    for number, database in enumerate(databases):
        if isinstance(database, ListedDatabase):
            if database.called in seen:
                example = Raw(f"`id: '{{{{ key }}}}-{database.called[:18]}-2'`")
                raise mistake("database_twice", at=f"{number}.id", written=database.called, line=example)
            seen[database.called] = number
    return databases


DbBranches = Annotated[
    tuple[_AnyDatabase, ...],
    AfterValidator(_distinct),
    about("copies of databases", [{"type": "pg", "connection": {"url": "DATABASE_URL"}}]),
]
"""`feature.db_branches` of a mirrord file."""

DatabaseName = Annotated[
    str,
    Field(strict=True, pattern=f"^{_NAME}$"),
    t.Called("database_name"),
    about("names of databases", "orders"),
]
"""What preview.yaml calls a copy: with the key before it, it is the id of mirrord's branch."""


def led_by(databases: Iterable[Database | LocalRedis]) -> frozenset[str]:
    """Return the variables that lead to copies, which nothing else may set (`feature.env.override`)."""
    return frozenset(name for database in databases for name in database.led_by)
