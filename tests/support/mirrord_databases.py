"""Databases as a mirrord file may list them, of every engine and in every form, for properties."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

Written = dict[str, Any]

TEXTS = st.text(st.sampled_from("abc xyz019-_='%"), max_size=8)
VARIABLES = st.from_regex(r"[A-Z][A-Z0-9_]{0,6}", fullmatch=True)
WORDS = st.from_regex(r"[a-z][a-z0-9]{0,6}", fullmatch=True)
_GSM = st.just("projects/p/secrets/s/versions/latest")


def _some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Written]:
    return st.fixed_dictionaries({}, optional=fields)


def _joined(*parts: st.SearchStrategy[Written]) -> st.SearchStrategy[Written]:
    return st.tuples(*parts).map(lambda found: {key: value for part in found for key, value in part.items()})


def _with(given: Mapping[str, Any], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Written]:
    return st.fixed_dictionaries({**{name: st.just(value) for name, value in given.items()}, **fields})


SOURCES = st.one_of(
    _joined(
        st.sampled_from(["env", "env_from"]).map(lambda kind: {"type": kind}),
        _with({}, variable=VARIABLES),
        _some(container=WORDS),
    ),
    _joined(_with({"type": "secret"}, name=WORDS, key=WORDS), _some(env_var_name=VARIABLES)),
    _joined(_with({"type": "gcp_secret_manager"}, secret_ref=_GSM), _some(env_var_name=VARIABLES)),
)
"""`url` and the values of `iam_auth`, as objects."""

PARTS = st.one_of(
    VARIABLES,
    _with({}, env_var_name=VARIABLES),
    _with({}, variable=VARIABLES),
    _with({}, env_var_name=VARIABLES, value_pattern=st.just("host=([^;]+)")),
    _joined(_with({}, secret=WORDS, key=WORDS), _some(env_var_name=VARIABLES)),
    _joined(_with({}, gcp_secret_manager=_GSM), _some(env_var_name=VARIABLES)),
)
"""What one of `params` may be."""

_KIND = _some(type=st.sampled_from(["env", "env_from"]))
_PLAIN_PARTS = st.one_of(VARIABLES, _with({}, secret=WORDS, key=WORDS))


def _params(parts: st.SearchStrategy[Any], *extra: str) -> st.SearchStrategy[Written]:
    slots = st.sampled_from(["host", "port", "user", "password", "database", *extra])
    several = st.one_of(parts, st.lists(parts, min_size=1, max_size=2))
    host = _with({}, host=VARIABLES)
    return _joined(_KIND, _with({}, params=_joined(st.dictionaries(slots, several), host)))


_LEADING = SOURCES.map(
    lambda source: source if "variable" in source else source | {"env_var_name": "DATABASE_URL"}
)
_URLS = st.one_of(
    _with({}, url=_LEADING),
    _joined(_KIND, _with({}, url=st.one_of(VARIABLES, st.lists(VARIABLES, min_size=1, max_size=2)))),
)
_BASE = _some(
    name=TEXTS.filter(lambda text: bool(text.strip())), ttl_secs=st.integers(0, 900), version=st.just("16")
)
_AUTH = st.one_of(
    _joined(st.just({"type": "aws_rds"}), _some(region=SOURCES, access_key_id=SOURCES)),
    _joined(st.just({"type": "gcp_cloud_sql"}), _some(project=SOURCES, credentials_json=SOURCES)),
)
_TABLES = st.dictionaries(WORDS, _some(filter=TEXTS), max_size=2)
_MIGRATIONS = st.one_of(
    _joined(
        _with({"flavor": "container"}, image=st.just("ghcr.io/acme/migrate:1")),
        _some(command=st.lists(TEXTS), args=st.lists(TEXTS), env=st.dictionaries(VARIABLES, TEXTS)),
    ),
    st.just({"flavor": "flyway", "image": "ghcr.io/acme/sql:1", "locations": ["filesystem:/sql"]}),
)
_MIGRATED = _some(migrations=_MIGRATIONS)


def _named(database: Written) -> Written:
    return {"name": "shop"} | database if "migrations" in database else database


def _sql(*dumped: str) -> st.SearchStrategy[Written]:
    dump = _some(dump_args=st.lists(TEXTS, max_size=2)) if dumped else st.just({})
    few = _joined(_with({}, mode=st.sampled_from(["empty", "schema"])), _some(tables=_TABLES), dump)
    return _some(copy=st.one_of(few, _joined(st.just({"mode": "all"}), dump)))


def _of(
    engine: str, *more: st.SearchStrategy[Written], extra: tuple[str, ...] = ()
) -> st.SearchStrategy[Written]:
    connection = _with({}, connection=st.one_of(_URLS, _params(PARTS, *extra)))
    return _joined(st.just({"type": engine}), _BASE, connection, *more).map(_named)


_COLLECTIONS = _some(
    copy=_joined(_with({}, mode=st.sampled_from(["empty", "all"])), _some(collections=_TABLES))
)
_PATTERNS = _some(
    copy=st.one_of(
        st.just({"mode": "empty"}), _joined(st.just({"mode": "all"}), _some(patterns=st.lists(TEXTS)))
    )
)
_SETTINGS = _some(connection_settings=st.dictionaries(WORDS, TEXTS))
_IAM = _some(iam_auth=_AUTH)
_GENERIC = _joined(
    _with(
        {"type": "generic", "image": "influxdb:2.7"},
        port=st.integers(0, 65_535),
        connection=_params(_PLAIN_PARTS, "token"),
    ),
    _some(
        command=st.lists(WORDS),
        args=st.lists(WORDS),
        env=st.dictionaries(WORDS, WORDS),
        readiness=st.sampled_from(
            [{"type": "tcp"}, {"type": "exec", "command": ["ping"]}, {"type": "http_get", "path": "/health"}]
        ),
    ),
)

DATABASES: Mapping[str, st.SearchStrategy[Written]] = {
    "pg": _of("pg", _sql("dump_args"), _SETTINGS, _IAM, _MIGRATED, extra=("sslmode",)),
    "mysql": _of("mysql", _sql("dump_args"), _IAM, _MIGRATED),
    "mariadb": _of("mariadb", _sql("dump_args"), _IAM, _MIGRATED),
    "mssql": _of("mssql", _sql(), _MIGRATED),
    "cockroachdb": _of("cockroachdb", _sql(), _MIGRATED, extra=("sslmode",)),
    "clickhouse": _of("clickhouse", _sql()),
    "spanner": _of("spanner", _sql(), _some(emulator_host=VARIABLES), extra=("project", "instance")),
    "mongodb": _of("mongodb", _COLLECTIONS),
    "dynamodb": _of("dynamodb", _COLLECTIONS, _IAM),
    "redis": _of("redis", _PATTERNS).map(lambda found: found | ({"name": "3"} if "name" in found else {})),
    "generic": _GENERIC,
}
"""By engine, what may be written of one."""

ANY_DATABASE = st.one_of(*DATABASES.values())
