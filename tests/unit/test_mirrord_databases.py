"""Databases of a mirrord file: what mirrord's BranchDatabase has of them, and what is wrong with them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from previewbot.config.keys import with_marks
from previewbot.config.mirrord import MirrordConfig, read_mirrord
from previewbot.config.mirrord.databases import Copy, KeptDatabase
from previewbot.config.mirrord.files import File, Files, NoFile
from previewbot.config.mirrord_words import ROWS
from previewbot.config.state_words import ROWS as STATE_ROWS
from previewbot.engine.branches import UNIFIED, features_of, is_carried
from previewbot.engine.parts import Branch, with_key
from previewbot.engine.translation.databases import OPTIONS, branch_of, branches_of
from previewbot.errors import ConfigurationError
from previewbot_demo.kube.schema import mistakes, unknown_fields
from tests.support.mirrord_databases import ANY_DATABASE, DATABASES

PATH = ".mirrord/mirrord.json"
SCHEMA = yaml.safe_load(
    (Path(__file__).parents[2] / "demo/previewbot_demo/schemas/branchdatabases.yaml").read_text("utf-8")
)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
URL = {"url": {"type": "env", "variable": "DATABASE_URL"}}
TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "container": ""}


def read(*databases: Mapping[str, Any], files: Files | None = None, **feature: object) -> MirrordConfig:
    written = {"feature": {"db_branches": list(databases), **feature}}
    return read_mirrord(json.dumps(written, indent=1).encode(), PATH, files or Files())


def branches(*databases: Mapping[str, Any], files: Files | None = None) -> tuple[Branch, ...]:
    return branches_of(read(*databases, files=files).copies)


def pg(**more: object) -> dict[str, object]:
    return {"type": "pg", "connection": URL, **more}


def problems(*databases: Mapping[str, Any], files: Files | None = None, **feature: object) -> list[str]:
    with pytest.raises(ConfigurationError) as refused:
        read(*databases, files=files, **feature)
    return [
        problem.message.replace("`feature.db_branches[0]", "`…").replace("`….", "`")
        for problem in refused.value.problems
    ]


def notes(*databases: Mapping[str, Any]) -> list[str]:
    return [note.message.replace("`feature.db_branches[0].", "`") for note in read(*databases).notes]


def known(files: Mapping[str, File], *folders: str) -> Files:
    return Files(files, frozenset(folders))


def source(connection: object) -> object:
    (branch,) = branches({"type": "pg", "connection": connection})
    return branch.spec["connectionSource"]


def env(name: str) -> dict[str, object]:
    return {"env": {"container": None, "variable": name}}


@pytest.mark.parametrize(
    ("connection", "expected"),
    [
        (URL, {"url": env("DATABASE_URL")}),
        ({"url": "DATABASE_URL"}, {"url": env("DATABASE_URL")}),
        ({"url": ["A_URL"]}, {"url": env("A_URL")}),
        ({"url": ["A_URL", "B_URL"]}, {"url": [env("A_URL"), env("B_URL")]}),
        (
            {"type": "env_from", "url": "A_URL"},
            {"url": {"envFrom": {"container": None, "variable": "A_URL"}}},
        ),
        (
            {"url": {"type": "env_from", "variable": "A_URL", "container": "app"}},
            {"url": {"envFrom": {"container": "app", "variable": "A_URL"}}},
        ),
        (
            {"url": {"type": "secret", "name": "db", "key": "url", "env_var_name": "U"}},
            {"url": {"secret": {"name": "db", "key": "url", "env_var_name": "U"}}},
        ),
        (
            {
                "url": {
                    "type": "gcp_secret_manager",
                    "secret_ref": "projects/p/secrets/s",
                    "env_var_name": "U",
                }
            },
            {"url": {"gcpSecretManager": {"secret_ref": "projects/p/secrets/s", "env_var_name": "U"}}},
        ),
        (
            {"params": {"sslmode": "S", "database": "D", "host": ["H", "I"]}},
            {
                "params": {
                    "host": [env("H"), env("I")],
                    "database": env("D"),
                    "extra": {"sslmode": env("S")},
                }
            },
        ),
        (
            {"type": "env_from", "params": {"host": "H", "port": {"variable": "P"}}},
            {
                "params": {
                    "host": {"envFrom": {"container": None, "variable": "H"}},
                    "port": {"envFrom": {"container": None, "variable": "P"}},
                }
            },
        ),
        (
            {
                "params": {
                    "host": {"env_var_name": "DSN", "value_pattern": "host=([^;]+)"},
                    "user": {"gcp_secret_manager": "projects/p/secrets/u"},
                    "password": {"secret": "db", "key": "password", "env_var_name": "PASSWORD"},
                }
            },
            {
                "params": {
                    "host": {
                        "envPattern": {
                            "container": None,
                            "variable": "DSN",
                            "value_pattern": "host=([^;]+)",
                        }
                    },
                    "user": {"gcpSecretManager": {"secret_ref": "projects/p/secrets/u"}},
                    "password": {"secret": {"name": "db", "key": "password", "env_var_name": "PASSWORD"}},
                }
            },
        ),
    ],
)
def test_a_connection_may_be_written_in_many_forms(connection: object, expected: object) -> None:
    assert source(connection) == expected


@pytest.mark.parametrize(
    ("copy", "expected"),
    [
        (None, {"mode": "empty"}),
        ({"mode": "schema", "tables": {"t": {}}}, {"mode": "schema", "items": {"t": {"filter": None}}}),
        (
            {"mode": "schema", "tables": {"t": {"filter": "a = 1"}}, "dump_args": []},
            {"mode": "schema", "items": {"t": {"filter": "a = 1"}}, "dumpArgs": []},
        ),
        ({"mode": "empty", "tables": {}}, {"mode": "empty", "items": {}}),
        ({"mode": "all", "dump_args": ["--no-owner"]}, {"mode": "all", "dumpArgs": ["--no-owner"]}),
    ],
)
def test_what_is_copied_is_told_as_the_cli_tells_it(copy: object, expected: object) -> None:
    (branch,) = branches(pg() if copy is None else pg(copy=copy))
    assert branch.spec["postgresOptions"]["copy"] == expected
    assert branch.copy == branch.spec["postgresOptions"]["copy"]["mode"]


def test_an_engine_of_ones_own_is_its_image() -> None:
    (branch,) = branches(
        {
            "type": "generic",
            "image": "influxdb:2.7",
            "port": 8086,
            "connection": {"params": {"host": "INFLUX_HOST", "token": {"secret": "influx", "key": "token"}}},
            "env": {"TOKEN": "$(MIRRORD_PARAM_TOKEN)", "PRICE": "$$(5)"},
            "readiness": {"type": "http_get", "path": "/health"},
        }
    )
    assert "image" not in branch.spec
    assert branch.spec["genericOptions"] == {
        "image": "influxdb:2.7",
        "port": 8086,
        "env": {"TOKEN": "$(MIRRORD_PARAM_TOKEN)", "PRICE": "$$(5)"},
        "readiness": {"httpGet": {"path": "/health"}},
    }
    assert branch.variables == ("INFLUX_HOST",)
    assert not is_carried(branch.dialect)


@pytest.mark.parametrize(
    ("database", "name"),
    [
        (pg(), "pg"),
        (pg(id="{{ key }}"), "pg"),
        (pg(id="{{key}}-orders"), "orders"),
        (pg(name="shop"), "shop"),
        (pg(name="Shop_DB", id="{{ key }}"), "shop-db"),
        (pg(name="-"), "pg"),
        (pg(name="{{ key }}_shop"), "shop"),
        (pg(name="a-database-with-quite-a-name"), "a-database-with-quite"),
        ({"type": "redis", "connection": URL}, "redis"),
        ({"type": "redis", "connection": URL, "name": "3"}, "redis-3"),
    ],
)
def test_a_copy_is_called_by_its_id_or_by_its_database_or_by_its_engine(
    database: dict[str, object], name: str
) -> None:
    assert [branch.name for branch in branches(database)] == [name]


def test_two_copies_without_an_id_are_two() -> None:
    redis = {"type": "redis", "connection": {"url": "REDIS_URL"}}
    assert [branch.dialect for branch in branches(pg(), redis)] == ["pg", "redis"]


def test_a_redis_of_somebodys_own_machine_is_none_of_a_previews() -> None:
    local = {"type": "redis", "location": "local", "connection": {"url": "redis://x"}, "local": {"port": 1}}
    assert branches(local) == ()
    assert notes(local) == ["`location` is a Redis on somebody's own machine: a preview has none"]


@pytest.mark.parametrize(
    ("database", "told"),
    [
        (pg(type="oracle"), "`type` must be pg or mysql"),
        ({"type": "pg"}, "`connection` is missing"),
        (pg(connection={}), "`connection` must have either `url` or `params`"),
        (pg(connection={"url": "U", "params": {"host": "H"}}), "`connection` must have either"),
        (pg(connection={"params": {}}), "`connection.params` names nothing"),
        (pg(connection={"url": []}), "`connection.url` names nothing"),
        (pg(connection={"type": "env"} | URL), "`connection.type` is for variables named alone"),
        (pg(connection={"url": {"variable": "U"}}), "`connection.url.type` is missing"),
        (pg(connection={"url": {"type": "env"}}), "`connection.url.variable` is missing; `env` needs it"),
        (
            pg(connection={"url": {"type": "secret", "name": "s", "key": "k", "variable": "U"}}),
            "`connection.url.variable` does not belong to `secret`",
        ),
        (pg(connection={"url": {"type": "secret", "name": "s", "key": "k"}}), "`connection` names no"),
        (pg(connection={"params": {"host": {"secret": "s", "key": "k"}}}), "`connection` names no"),
        (pg(connection={"params": {"host": {}}}), "`connection.params.host` must be a variable's name, or"),
        (pg(connection={"params": {"host": {"secret": "s"}}}), "`connection.params.host.key` is missing"),
        (pg(connection={"params": {"host": 5}}), "`connection.params.host`"),
        (
            pg(connection={"params": {"host": {"env_var_name": "A", "value_pattern": "("}}}),
            "`connection.params.host.value_pattern` has `(`, which is no regular expression",
        ),
        (pg(id="{{ key }}-"), "`id` must be `{{ key }}-` and a name"),
        (pg(id="--"), "`id` must be `{{ key }}-` and a name"),
        (pg(id=""), "`id` must be `{{ key }}-` and a name"),
        (pg(ttl_secs=1, ttl_mins=1), "`ttl_mins` cannot be there beside ttl_secs"),
        (pg(image="pg:16", version="16"), "`version` cannot be there beside `image`"),
        (pg(collation="x"), "`collation` is unknown"),
        (pg(copy={}), "`copy.mode` is missing"),
        (pg(copy={"mode": "all", "tables": {"t": {}}}), "`copy.tables` has no effect on a copy of `pg`"),
        (pg(copy={"mode": "schema", "patterns": ["a"]}), "`copy.patterns` has no effect on a copy of `pg`"),
        (pg(type="mssql", copy={"mode": "all", "tables": {"t": {}}}), "`copy.tables` has no effect"),
        (pg(type="mssql", copy={"mode": "schema", "dump_args": []}), "`copy.dump_args` has no effect"),
        (pg(type="mongodb", copy={"mode": "schema"}), "`copy.mode` cannot be schema"),
        (pg(type="redis", copy={"mode": "empty", "patterns": ["a"]}), "`copy.patterns` has no effect"),
        (pg(type="redis", name="9" * 5_000), "`name` must be the number of a database"),
        (pg(type="redis", name="4294967296"), "`name` must be the number of a database"),
        (pg(type="redis", name="cache"), "`name` must be the number of a database"),
        (pg(type="redis", iam_auth={"type": "aws_rds"}), "`iam_auth` does not belong to a database of type"),
        (pg(type="clickhouse", migrations={"flavor": "container", "image": "a:1"}), "`migrations` does not"),
        (pg(location="local"), "`location`"),
        (
            pg(iam_auth={"type": "aws_rds", "project": {"type": "env", "variable": "P"}}),
            "`iam_auth.project` does not belong to `aws_rds`",
        ),
        (pg(migrations={"flavor": "container", "image": "a:1"}), "`migrations` need the database's name"),
        (pg(name="a", migrations={"flavor": "container"}), "`migrations.image` is missing"),
        (pg(name="a", migrations={"flavor": "flyway"}), "`migrations` have no files"),
        (
            pg(name="a", migrations={"flavor": "flyway", "locations": ["x"]}),
            "`migrations.locations` are",
        ),
        (
            pg(name="a", migrations={"flavor": "flyway", "path": "sql", "locations": ["x"], "image": "a:1"}),
            "`migrations.locations` cannot be there beside `path`",
        ),
        (
            pg(name="a", migrations={"flavor": "container", "image": "a:1", "path": "sql"}),
            "`migrations.path` does not belong to `container`",
        ),
        (pg(type="generic"), "`image` is missing"),
        (pg(type="generic", image="a:1", port=1), "`connection` must have `params`"),
        (
            pg(type="generic", image="a:1", port=1, connection={"params": {"a-b": "A"}}),
            "`connection.params` has `a-b`, of which mirrord makes the name of a variable",
        ),
        (
            pg(type="generic", image="a:1", port=1, connection={"params": {"a": "A"}}, args=["$(B)"]),
            "`args` has `$(B)`, which is no variable of it",
        ),
        (
            pg(
                type="generic",
                image="a:1",
                port=1,
                connection={"params": {"a": "A"}},
                env={"MIRRORD_PARAM_A": "x"},
            ),
            "`env.MIRRORD_PARAM_A` is what mirrord itself sets",
        ),
    ],
)
def test_what_is_wrong_with_a_database_is_told_where_it_is(database: dict[str, object], told: str) -> None:
    (message,) = problems(database)
    assert message.startswith(told)


PASSWORD = "hunter2"


@pytest.mark.parametrize(
    "connection",
    [
        {"url": f"postgres://me:{PASSWORD}@db/shop"},
        {"url": {"type": "env", "variable": "U", "value": f"postgres://me:{PASSWORD}@db/shop"}},
        {"params": {"password": {"variable": "P", "value": PASSWORD}}},
        {"params": {"password": f"{PASSWORD}!"}},
        {"params": {"password": {"secret": f"{PASSWORD}!", "key": "k"}}},
        {"params": {"password": {"gcp_secret_manager": PASSWORD}}},
    ],
)
def test_no_password_may_be_written_out_and_none_is_told(connection: object) -> None:
    (message,) = problems(pg(connection=connection))
    assert PASSWORD not in message


def test_there_are_only_so_many_databases_of_ones_own() -> None:
    many = [pg(id=f"{{{{ key }}}}-{number}") for number in range(21)]
    (message,) = problems(*many)
    assert message == "`feature.db_branches` has more databases than a preview may; at most 20"


def test_of_two_copies_of_one_name_mirrord_would_lose_one() -> None:
    (message,) = problems(pg(), pg(connection={"url": "B_URL"}))
    assert message == (
        "`feature.db_branches[1].id` would be another copy called `pg`, and mirrord would lose one of the two"
        "; write for example `id: '{{ key }}-pg-2'`"
    )


@pytest.mark.parametrize(
    ("env_feature", "where"),
    [
        ({"override": {"DATABASE_URL": "x"}}, "`feature.env.override.DATABASE_URL`"),
        ({"env_file": ".env"}, "`feature.env.env_file`"),
    ],
)
def test_nothing_else_may_lead_the_service_away_from_its_copy(
    env_feature: dict[str, object], where: str
) -> None:
    files = known({".mirrord/.env": b"DATABASE_URL=x\n", ".env": NoFile.MISSING})
    (message,) = problems(pg(), files=files, env=env_feature)
    assert message.startswith(f"{where} sets `DATABASE_URL`, by which the service is led to a database")


@pytest.mark.parametrize(
    ("database", "told"),
    [
        (pg(ttl_mins=5), "`ttl_mins` has no effect: previewbot removes a copy with its preview"),
        (pg(creation_timeout_secs=5), "`creation_timeout_secs` has no effect: a copy may take as long"),
        (
            pg(connection={"params": {"database": "D"}}),
            "`connection.params` names no variable with the host",
        ),
        (
            pg(type="mysql", connection={"params": {"host": "H", "ssl": "S"}}),
            "`connection.params.ssl` has `ssl`, which mirrord's operator knows of no database of type",
        ),
        (
            pg(type="mysql", connection={"params": {"host": "H", "ssl": ["S", "T"]}}),
            "`connection.params.ssl` has `ssl`, which mirrord's operator knows of no database of type",
        ),
        (
            pg(type="generic", image="a:1", port=1, connection={"params": {"host": "H"}}),
            "`type` is made, but mirrord 3.250 leads no preview to it",
        ),
    ],
)
def test_what_has_another_effect_than_one_may_believe_is_said(database: dict[str, object], told: str) -> None:
    (note,) = notes(database)
    assert note.startswith(told)


FLYWAY = pg(name="shop", migrations={"flavor": "flyway", "path": "sql"})


def test_flyways_files_are_those_of_the_folder() -> None:
    files = known({".mirrord/sql/V1__a.sql": b"create table a ();\n"}, ".mirrord/sql", "sql")
    (branch,) = branches(FLYWAY, files=files)
    assert branch.migrations is not None
    assert branch.migrations["flavor"] == "flyway"
    assert branch.migrations["archive"]


def test_flyways_files_may_be_below_the_root() -> None:
    files = known({"sql/V1__a.sql": b""}, ".mirrord/sql", "sql")
    assert branches(FLYWAY, files=files) == branches(
        FLYWAY, files=known({".mirrord/sql/V1__a.sql": b""}, ".mirrord/sql", "sql")
    )


def test_a_folder_that_nobody_has_read_yet_is_asked_for() -> None:
    files = Files()
    read(FLYWAY, files=files)
    assert files.wanted_folders == {".mirrord/sql", "sql"}


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({}, "`migrations.path` names `sql`, and there is no file in `.mirrord/sql` or `sql`"),
        ({"sql/a.sql": NoFile.LINK}, "`migrations.path` has `a.sql`, which is a link"),
        ({"sql/a.sql": NoFile.TOO_LARGE}, "`migrations.path` has `a.sql`, which is larger than 64 KiB"),
        (
            {f"sql/{number}.sql": b"x" * 60_000 for number in range(20)},
            "`migrations.path`",
        ),
    ],
)
def test_a_folder_that_cannot_be_read_is_told(files: dict[str, File], told: str) -> None:
    (message,) = problems(FLYWAY, files=known(files, ".mirrord/sql", "sql"))
    assert message.startswith(told)


def test_no_folder_leads_out_of_the_repository() -> None:
    outside = pg(name="shop", migrations={"flavor": "flyway", "path": "../sql"})
    (message,) = problems(outside)
    assert message.startswith("`migrations.path`")


@pytest.mark.parametrize(
    ("database", "features"),
    [
        (pg(), {"PgBranching"}),
        (pg(type="mysql", image="mysql:8"), {"MySqlBranching", "DbBranchCustomImage"}),
        (pg(type="mariadb", profile="small"), {"MariaDbBranching", "DbBranchProfiles"}),
        (pg(query_params={"sslmode": "disable"}), {"PgBranching", "PgBranchQueryParams"}),
        (pg(connection={"params": {"host": "H", "sslmode": "S"}}), {"PgBranching", "PgBranchQueryParams"}),
        (pg(type="mysql", connection={"params": {"host": "H"}}), {"MySqlBranching"}),
        (pg(type="clickhouse"), set()),
        (
            pg(type="generic", image="a:1", port=1, connection={"params": {"host": "H"}}),
            {"GenericDbBranching"},
        ),
    ],
)
def test_what_an_operator_must_know_of_a_copy_is_what_the_cli_asks_it_for(
    database: dict[str, object], features: set[str]
) -> None:
    (branch,) = branches(database)
    assert set(features_of(branch)) == features | {UNIFIED}


KEPT = TypeAdapter(KeptDatabase)


def test_the_commits_image_migrates_where_preview_yaml_names_none() -> None:
    migrations = {"flavor": "container", "command": ["./migrate", "up"]}
    database = KEPT.validate_json(with_marks(json.dumps(pg(name="shop", migrations=migrations))))
    assert branch_of(Copy("orders", database)).migrations == migrations


def test_a_copy_may_be_made_anew_with_each_push() -> None:
    database = KEPT.validate_python(pg(keep="never"))
    assert database.keep == "never"
    assert not branch_of(Copy("orders", database, kept=False)).kept


def test_both_tables_of_words_have_kinds_of_their_own() -> None:
    assert not ROWS.keys() & STATE_ROWS.keys()


@pytest.mark.parametrize("engine", sorted(DATABASES))
def test_there_is_an_example_of_each_engine(engine: str) -> None:
    assert engine in OPTIONS


@given(ANY_DATABASE)
def test_whatever_may_be_written_keeps_mirrords_schema(written: dict[str, Any]) -> None:
    (branch,) = branches(written)
    spec = {"id": "k-a", "target": TARGET, "ttlSecs": 60, **with_key(branch.spec, "k")}
    obj = {"spec": spec | ({} if branch.migrations is None else {"migrations": branch.migrations})}
    assert unknown_fields(SCHEMA, obj) == []
    assert mistakes(SCHEMA, obj) == []
    assert [name for name in branch.spec if name.endswith("Options")] == [OPTIONS[written["type"]]]


@given(st.lists(ANY_DATABASE, max_size=4))
def test_another_order_in_the_file_is_not_another_set_of_copies(written: list[dict[str, Any]]) -> None:
    listed = [one | {"id": f"{{{{ key }}}}-{number}"} for number, one in enumerate(written)]
    assert branches(*listed) == branches(*reversed(listed))


@given(ANY_DATABASE, st.sampled_from(["name", "version", "connection"]), st.sampled_from([5, True, [5]]))
def test_a_value_of_another_type_is_refused(written: dict[str, Any], key: str, value: object) -> None:
    assert problems(written | {key: value})


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("users-mysql-db", "users-mysql-db"),
        ("orders-{{ key }}", "orders-9f4bdf"),
        ("{{ key }}-Orders", "orders-9f4bdf"),
        ("Users_DB", "users-db-9f4bdf"),
        ("a-name-that-is-too-long-for-a-label", "a-name-that-is-9f4bdf"),
        ("{{ key }}-" + "a" * 23, "a" * 15 + "-9f4bdf"),
    ],
)
def test_an_id_that_is_not_the_previews_own_gets_the_key_and_that_is_said(written: str, name: str) -> None:
    (branch,) = branches(pg(id=written))
    assert re.sub("-[0-9a-f]{6}$", "-9f4bdf", branch.name) == name
    assert len(branch.name) <= 22
    told = f"`id` is `{{{{ key }}}}-{branch.name}` in a preview: each has a copy of its own"
    assert any(note.startswith(told) for note in notes(pg(id=written)))


def test_an_id_with_the_key_first_is_as_it_is() -> None:
    (branch,) = branches(pg(id="{{ key }}-or--ders"))
    assert branch.name == "or--ders"
    assert not [note for note in notes(pg(id="{{ key }}-or--ders")) if "`id`" in note]


IDS = st.text(st.sampled_from("abAB-_. 9"), min_size=1, max_size=40).filter(
    lambda text: any(map(str.isalnum, text))
)


@given(st.lists(IDS, min_size=2, max_size=4, unique=True))
def test_two_ids_are_two_copies(ids: list[str]) -> None:
    names = [branch.name for branch in branches(*(pg(id=each) for each in ids))]
    assert len(set(names)) == len(ids)
