"""From databases as a configuration names them to what mirrord's BranchDatabase has of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from previewbot.config.mirrord.connections import IAM_FIELDS, SLOTS, Connection, IamAuth, Part, Source
from previewbot.config.mirrord.copying import Copying
from previewbot.config.mirrord.databases import Copy, Database, Engine
from previewbot.config.mirrord.generic import Readiness
from previewbot.config.mirrord.migrations import Migrations
from previewbot.engine.parts import Branch

OPTIONS: Mapping[Engine, str] = {
    "pg": "postgresOptions",
    "mysql": "mysqlOptions",
    "mariadb": "mariadbOptions",
    "mssql": "mssqlOptions",
    "cockroachdb": "cockroachdbOptions",
    "clickhouse": "clickhouseOptions",
    "spanner": "spannerOptions",
    "mongodb": "mongodbOptions",
    "dynamodb": "dynamodbOptions",
    "redis": "redisOptions",
    "generic": "genericOptions",
}
"""What a branch calls what is special to an engine; exactly one of them makes a branch."""

_KINDS = {
    "env": "env",
    "env_from": "envFrom",
    "secret": "secret",
    "gcp_secret_manager": "gcpSecretManager",
}


def branches_of(copies: Iterable[Copy], container: str = "") -> tuple[Branch, ...]:
    """Return the branches of copies, sorted by name; `container` is the one that the target names."""
    found = [branch_of(copy, container) for copy in copies]
    return tuple(sorted(found, key=lambda branch: branch.name))


def branch_of(copy: Copy, container: str = "") -> Branch:
    """Return the branch of a copy; `container` is the one that the target names."""
    database, migrations = copy.database, copy.database.migrations
    return Branch(
        name=copy.name,
        dialect=database.type,
        spec=_spec(database),
        container=container,
        database=database.name or "",
        copy="" if database.type == "generic" else _mode(database.copying),
        variables=database.led_by,
        migrations=None if migrations is None else _migrations(migrations, copy.archive),
        kept=copy.kept,
    )


def _spec(database: Database) -> dict[str, Any]:
    return {
        "connectionSource": _connection(database.connection),
        **_said(
            databaseName=database.name,
            version=database.version,
            # Of an image of one's own, the engine's options have it.
            image=None if database.type == "generic" else database.image,
            profile=database.profile,
        ),
        OPTIONS[database.type]: _options(database),
    }


def _said(**values: Any) -> dict[str, Any]:
    """Return what is said: the CLI leaves out whatever is not, and empty mappings."""
    return {name: value for name, value in values.items() if value is not None and value != {}}


def _options(database: Database) -> dict[str, Any]:
    if database.type == "generic":
        return _said(
            image=database.image,
            port=database.port,
            command=_list(database.command),
            args=_list(database.args),
            env=dict(database.env),
            readiness=database.readiness and _readiness(database.readiness),
        )
    found = {
        "copy": _copy(database.copying),
        **_said(
            iamAuth=database.iam_auth and _iam_auth(database.iam_auth),
            connectionSettings=dict(database.connection_settings),
            queryParams=dict(database.query_params),
        ),
    }
    if database.type == "spanner":
        found["emulatorHostVar"] = database.emulator_host
    return found


def _list(values: tuple[str, ...] | None) -> list[str] | None:
    return None if values is None else list(values)


def _mode(copying: Copying | None) -> str:
    # What the CLI takes where nothing is said.
    return "empty" if copying is None else copying.mode


def _copy(copying: Copying | None) -> dict[str, Any]:
    if copying is None:
        return {"mode": _mode(copying)}
    items = copying.tables if copying.tables is not None else copying.collections
    # As the CLI tells them: an item without a filter has `null`, and no items at all are an empty mapping.
    told = {} if items is None else {"items": {name: {"filter": item.filter} for name, item in items.items()}}
    return {
        "mode": copying.mode,
        **told,
        **_said(dumpArgs=_list(copying.dump_args), patterns=_list(copying.patterns)),
    }


def _readiness(readiness: Readiness) -> dict[str, Any] | None:
    if readiness.type == "exec":
        return {"exec": {"command": _list(readiness.command)}}
    if readiness.type == "http_get":
        return {"httpGet": _said(path=readiness.path, port=readiness.port)}
    # A connection to its port is what the operator tries where nothing is said.
    return None


def _connection(connection: Connection) -> dict[str, Any]:
    url = connection.url
    if url is not None:
        if url.source is not None:
            return {"url": _source(url.source)}
        return {"url": _one_or_more([_variable(connection, name) for name in url.names])}
    parts = {
        name: _one_or_more([_part(connection, part) for part in several])
        for name, several in (connection.params or {}).items()
    }
    extra = {name: part for name, part in parts.items() if name not in SLOTS}
    return {"params": {name: parts[name] for name in SLOTS if name in parts} | _said(extra=extra)}


def _one_or_more(kinds: list[dict[str, Any]]) -> Any:
    return kinds[0] if len(kinds) == 1 else kinds


def _variable(connection: Connection, name: str) -> dict[str, Any]:
    return {_KINDS[connection.type or "env"]: {"container": None, "variable": name}}


def _source(source: Source) -> dict[str, Any]:
    if source.type == "secret":
        values = {"name": source.name, "key": source.key, **_said(env_var_name=source.env_var_name)}
    elif source.type == "gcp_secret_manager":
        values = {"secret_ref": source.secret_ref, **_said(env_var_name=source.env_var_name)}
    else:
        values = {"container": source.container, "variable": source.variable}
    return {_KINDS[source.type]: values}


def _part(connection: Connection, part: Part) -> dict[str, Any]:
    name = _said(env_var_name=part.env_var_name)
    if part.secret is not None:
        return {"secret": {"name": part.secret, "key": part.key, **name}}
    if part.gcp_secret_manager is not None:
        return {"gcpSecretManager": {"secret_ref": part.gcp_secret_manager, **name}}
    variable = part.led_by or ""
    if part.value_pattern is not None:
        pattern = {"container": None, "variable": variable, "value_pattern": part.value_pattern}
        return {"envPattern": pattern}
    return _variable(connection, variable)


def _iam_auth(auth: IamAuth) -> dict[str, Any]:
    sources = {name: getattr(auth, name) for name in IAM_FIELDS[auth.type]}
    return {"type": auth.type} | {name: _source(one) for name, one in sources.items() if one is not None}


def _migrations(migrations: Migrations, archive: str) -> dict[str, Any]:
    """Return migrations as mirrord's object has them; without an image, the commit's is put in."""
    if migrations.flavor == "flyway":
        return {
            "flavor": "flyway",
            **_said(image=migrations.image, archive=archive or None),
            **({"locations": list(migrations.locations)} if migrations.locations else {}),
        }
    return {
        "flavor": "container",
        **_said(
            image=migrations.image,
            command=_list(migrations.command),
            args=_list(migrations.args),
            env=dict(migrations.env),
        ),
    }
