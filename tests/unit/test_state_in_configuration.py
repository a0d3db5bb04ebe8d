"""`databases`, `queues` and `idle` in `preview.yaml`: what they mean to a session, and what is wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import jsonschema
import pytest
import yaml

from previewbot.api import Uses
from previewbot.config.keys import KEY
from previewbot.config.mirrord.files import File, Files, FilesWanted
from previewbot.config.repository import RepositoryConfig, parse, published_schema
from previewbot.engine.parts import Idle, QueueSplit, SessionParts
from previewbot.engine.translation import parts_of
from previewbot.errors import ConfigurationError
from previewbot.rules.bounds import check_against
from previewbot.rules.repositories import Bounds

FOLDER = "db/migrations"
WHOLE = """\
version: 1
databases:
  orders:
    type: pg
    connection: {url: DATABASE_URL}
    copy: {mode: schema}
  users: staging
services:
  web:
    paths: ["web/**"]
    image: ghcr.io/acme/web:{head_sha}
    target: deployment/web/container/app
    namespace: staging
    databases: [orders, users]
    queues:
      jobs: {type: sqs, filter: {tenant: "^{{ key }}$"}}
      mails: staging
    idle: {after: 45m}
  worker:
    paths: ["worker/**"]
    image: ghcr.io/acme/worker:{head_sha}
    target: deployment/worker
    namespace: staging
    ports: []
    databases: none
    queues: none
    idle: off
  api:
    paths: ["api/**"]
    image: ghcr.io/acme/api:{head_sha}
    target: deployment/api
    namespace: staging
"""


def read(content: str = WHOLE, files: dict[str, File] | None = None) -> RepositoryConfig:
    return parse(content, files=Files(files or {}, frozenset({FOLDER})))


def parts(config: RepositoryConfig, name: str) -> SessionParts:
    return parts_of(config, next(each for each in config.services if each.name == name))


def problems(content: str, files: dict[str, File] | None = None) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        read(content, files)
    return [f"{problem.line}: {problem.message}" for problem in caught.value.problems]


def test_a_service_has_a_copy_of_what_is_declared_and_staging_of_the_rest() -> None:
    [branch] = parts(read(), "web").branches

    assert (branch.name, branch.dialect, branch.container) == ("orders", "pg", "app")
    assert (branch.copy, branch.kept, branch.variables) == ("schema", True, ("DATABASE_URL",))
    assert parts(read(), "worker").branches == parts(read(), "api").branches == ()


@pytest.mark.parametrize(("keep", "kept"), [("pushes", True), ("never", False)])
def test_a_copy_is_kept_over_pushes_or_not(keep: str, kept: bool) -> None:
    config = read(WHOLE.replace("    type: pg\n", f"    type: pg\n    keep: {keep}\n"))

    assert [branch.kept for branch in parts(config, "web").branches] == [kept]


def test_a_queue_is_split_by_the_key_and_what_more_is_said() -> None:
    assert parts(read(), "web").queues == (
        QueueSplit(
            "jobs", "sqs", {"baggage": f".*mirrord-session={KEY}.*", "tenant": f"^{KEY}$"}, mirror=False
        ),
    )


def test_what_a_service_uses_is_what_it_names_none_or_not_known() -> None:
    assert [service.uses for service in read().services] == [
        Uses(databases=("orders", "users"), queues=("jobs", "mails")),
        Uses(databases=(), queues=()),
        Uses(databases=None, queues=None),
    ]


def test_sleep_is_what_is_said_never_or_left_to_the_default() -> None:
    assert [parts(read(), name).idle for name in ("web", "worker", "api")] == [
        Idle(sleep_after=timedelta(minutes=45)),
        Idle(never=True),
        None,
    ]


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("databases: orders", "databases: [orders]"),
        ("databases: none", "databases: []"),
        ("queues: none", "queues: {}"),
        ("idle: off", 'idle: "off"'),
    ],
)
def test_a_short_form_is_the_long_one(short: str, long: str) -> None:
    content = WHOLE + "    "

    assert read(content + short + "\n") == read(content + long + "\n")


def test_all_of_it_may_stand_in_defaults() -> None:
    content = WHOLE.replace(
        "services:\n",
        "defaults: {databases: [users], queues: {'{service}-jobs': {type: kafka}}, idle: {after: 1h}}\n"
        "services:\n",
    )
    api = parts(read(content), "api")

    assert [split.id for split in api.queues] == ["api-jobs"]
    assert api.idle == Idle(sleep_after=timedelta(hours=1))
    assert read(content).services[2].uses == Uses(databases=("users",), queues=("api-jobs",))


def test_migrations_of_a_folder_are_read_with_the_file() -> None:
    content = WHOLE.replace(
        "    copy: {mode: schema}\n",
        f"    name: orders\n    migrations: {{flavor: flyway, path: {FOLDER}}}\n",
    )
    with pytest.raises(FilesWanted) as wanted:
        parse(content)
    [branch] = parts(read(content, {f"{FOLDER}/V1.sql": b"create table a (b int);"}), "web").branches

    assert wanted.value.folders == {FOLDER}
    assert branch.migrations is not None
    assert set(branch.migrations) == {"flavor", "archive"}
    assert problems(content) == [
        f"6: `path` names `{FOLDER}`, and there is no file in `{FOLDER}`; name the folder of the SQL"
    ] or problems(content)[0].startswith("7: `path` names")


@pytest.mark.parametrize(
    ("written", "instead", "told"),
    [
        (
            "[orders, users]",
            "[ordres]",
            "14: `databases` names `ordres`, which is not among `databases`;",
        ),
        ("  users: staging", "  users: stagign", "7: `users` must hold keys such as"),
        ("  users: staging", "  none: staging", "7: `none` cannot be called `none`, which says"),
        ("  users: staging", "  Users: staging", "7: `Users` must be a name of at most 22 small letters"),
        ("type: pg", "type: oracle", "4: `type` must be pg or mysql"),
        ("url: DATABASE_URL", "url: 'postgres://me:secret@db/orders'", "5: `url` must be the name of a"),
        ("type: sqs", "type: nats", "16: `type` must be sqs or kafka or rmq"),
        ("{{ key }}", "{{ get_env(name=1) }}", "16: `{{ get_env(name=1) }}` is not filled in"),
        ("mails: staging", "mails: shared", "17: `mails` must hold keys such as `type: sqs`"),
        ("after: 45m", "after: 29s", "18: `after` must be at least 30s"),
        ("idle: {after: 45m}", "idle: sometimes", "18: `idle` must hold keys such as `after: 30m`"),
        ("idle: off", "idle: {after: 1h}", "27: `idle` would let the preview sleep and never wake"),
        (
            "namespace: staging\n    ports: []\n    databases: none",
            "namespace: prod\n    ports: []\n    databases: orders",
            "25: `databases` uses the database `orders` in another namespace than `web`, in `staging`",
        ),
    ],
)
def test_a_mistake_is_told_at_its_line(written: str, instead: str, told: str) -> None:
    content = WHOLE.replace(written, instead, 1)

    assert any(line.startswith(told) for line in problems(content)), problems(content)
    assert "secret" not in "".join(problems(content))


MIRRORD = ".mirrord/mirrord.json"


def with_mirrord(**feature: Any) -> list[str]:
    """Return what is wrong where the service `web` has a mirrord file as well."""
    content = WHOLE.replace("databases: [orders, users]", f"databases: [orders]\n    mirrord: {MIRRORD}")
    return problems(content, {MIRRORD: json.dumps({"feature": feature}).encode()})


@pytest.mark.parametrize(
    ("feature", "told"),
    [
        (
            {"db_branches": [{"type": "mysql", "id": "{{ key }}-orders", "connection": {"url": "URL"}}]},
            "14: `databases` names `orders`, which stands in the mirrord file too; keep one",
        ),
        (
            {"env": {"override": {"DATABASE_URL": "x"}}},
            "14: `databases` leads the service by `DATABASE_URL`, which its mirrord file sets",
        ),
        (
            {
                "split_queues": {
                    "jobs": {"queue_type": "SQS", "message_filter": {"baggage": "{{ key }}"}},
                }
            },
            "17: `jobs` stands in `.mirrord/mirrord.json` too; keep one of the two",
        ),
        (
            {"network": {"incoming": "steal"}, "preview": {"idle": {"sleep_after_secs": 60}}},
            "19: `idle` stands in `.mirrord/mirrord.json` too; keep one of the two",
        ),
    ],
)
def test_what_stands_in_both_files_is_told(feature: dict[str, Any], told: str) -> None:
    lines = with_mirrord(**feature)

    assert any(line.startswith(told) for line in lines), lines


def test_two_services_with_another_database_of_the_same_name_are_refused() -> None:
    content = WHOLE + f"    mirrord: {MIRRORD}\n"
    said = {
        "feature": {"db_branches": [{"type": "pg", "id": "{{ key }}-orders", "connection": {"url": "U"}}]}
    }
    lines = problems(content, {MIRRORD: json.dumps(said).encode()})

    assert lines[0].startswith("33: `mirrord` has a database `orders` which is not that of `web`")


OF_MIRRORD = """\
version: 1
services:
  carts:
    paths: ["carts/**"]
    image: ghcr.io/acme/carts:{head_sha}
    target: deployment/carts
    namespace: staging
    mirrord: .mirrord/carts.json
  users:
    paths: ["users/**"]
    image: ghcr.io/acme/users:{head_sha}
    target: deployment/users
    namespace: staging
    mirrord: .mirrord/users.json
"""


def of_two_mirrord_files(**said: str) -> dict[str, File]:
    database = {"type": "pg", "connection": {"url": "DATABASE_URL"}, **said}
    content = json.dumps({"feature": {"db_branches": [database]}}).encode()
    return {".mirrord/carts.json": content, ".mirrord/users.json": content}


def test_two_services_share_a_copy_only_if_both_name_it() -> None:
    """In each of them `DATABASE_URL` may lead to another database."""
    [line] = problems(OF_MIRRORD, of_two_mirrord_files())
    assert line.startswith("14: `mirrord` has a database `pg` without an id, and so has `carts`")
    assert problems(OF_MIRRORD, of_two_mirrord_files(name="shop"))

    config = read(OF_MIRRORD, of_two_mirrord_files(id="{{ key }}-shop"))
    [branch] = {branch.name for each in config.services for branch in parts_of(config, each).branches}
    assert branch == "shop"


def test_what_a_copy_does_not_do_is_noted_at_its_line() -> None:
    connection = "connection: {params: {database: DB_NAME}}"
    [note] = read(WHOLE.replace("connection: {url: DATABASE_URL}", connection)).notes

    assert note.line == 5
    assert "names no variable with the host" in note.message


@pytest.mark.parametrize(
    "content",
    [
        WHOLE,
        WHOLE.replace("idle: off", 'idle: "off"'),
        WHOLE.replace("databases: none", "databases: orders"),
        WHOLE + f"    mirrord: {MIRRORD}\n",
        WHOLE + "    mirrord: {feature: {network: {incoming: steal}}}\n",
    ],
)
def test_the_published_schema_takes_what_the_reader_takes(content: str) -> None:
    jsonschema.validate(yaml.safe_load(content), dict(published_schema()))


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        ("databases: none", "databases: {a: 1}"),
        ("queues: none", "queues: nothing"),
        ("idle: off", "idle: sometimes"),
        ("users: staging", "users: shared"),
        ("target: deployment/api\n", "mirrord: {feature: {netwrk: 1}}\n"),
    ],
)
def test_the_published_schema_refuses_what_the_reader_refuses(written: str, instead: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(WHOLE.replace(written, instead)), dict(published_schema()))


@pytest.mark.parametrize(
    ("more", "line", "told"),
    [
        ("    image: postgres:16\n", 5, "the image `postgres:16` is not allowed here"),
        (
            "    name: a\n    migrations: {flavor: container, image: docker.io/evil/x:1, command: [up]}\n",
            6,
            "the image `docker.io/evil/x:1` is not allowed here",
        ),
    ],
)
def test_a_copy_runs_no_image_that_the_settings_do_not_allow(more: str, line: int, told: str) -> None:
    """mirrord runs it with a login of staging's database."""
    bounds = Bounds(("staging",), ("staging",), ("ghcr.io/acme/",), timedelta(hours=8))
    config = read(WHOLE.replace("    type: pg\n", f"    type: pg\n{more}"))

    [problem] = check_against(config, bounds)

    assert problem.line == line
    assert problem.message.startswith(
        f"of the database `orders` {told}; it must begin with one of: ghcr.io/acme/"
    )
    allowed = replace(bounds, images=("ghcr.io/acme/", "docker.io/"))
    assert check_against(config, allowed) == ()


@pytest.mark.parametrize(
    "connection",
    [
        "{url: {type: secret, name: payments-db, key: url, env_var_name: A}}",
        "{params: {host: DB_HOST, password: {secret: payments-db, key: password, env_var_name: B}}}",
        "{params: {host: DB_HOST, password: {gcp_secret_manager: projects/a/secrets/b, env_var_name: B}}}",
        "{url: DATABASE_URL}, iam_auth: {type: aws_rds, access_key_id: {type: secret, name: pay, key: id}}",
    ],
)
def test_where_only_some_workloads_are_open_no_copy_is_made_by_the_secret_of_another(connection: str) -> None:
    config = read(
        "version: 1\n"
        f"databases:\n  orders: {{type: pg, name: orders, connection: {connection}}}\n"
        "services:\n  api:\n    paths: [api/**]\n    image: ghcr.io/acme/api:{head_sha}\n"
        "    target: deployment/api\n    namespace: staging\n    databases: [orders]\n"
    )
    bounds = Bounds(("staging",), ("staging",), ("ghcr.io/acme/",), timedelta(hours=8))
    narrow = replace(bounds, targets=("deployment/api",))

    [problem] = check_against(config, narrow)

    assert problem.line == 3
    assert problem.message.startswith("the database `orders` is reached by a Secret that its `connection`")
    # Whoever may name any workload may name one that has the Secret.
    assert check_against(config, bounds) == check_against(config, replace(narrow, secrets=True)) == ()


@pytest.mark.parametrize(("written", "meant"), [("postgres", "pg"), ("PostgreSQL", "pg"), ("MySQL", "mysql")])
def test_an_engine_by_another_of_its_names_is_told_what_mirrord_calls_it(written: str, meant: str) -> None:
    told = problems(WHOLE.replace("type: pg", f"type: {written}", 1))
    assert [line for line in told if line.endswith(f"; did you mean `{meant}`?")], told
