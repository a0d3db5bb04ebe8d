"""The database branches that the admission policy lets the controller make, and what it lets it change.

What is refused is in tests/security/test_controllers_token_on_branches.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from previewbot.engine.annotations import MIGRATIONS_HASH
from previewbot.engine.parts import KEY, Branch, Json
from tests.chart.release import Account, change, place_of
from tests.chart.release import put as put_on
from tests.support.admission import (
    POSTGRES,
    branch,
    controller,
    drop,
    preview_object,
    put,
    spoiled,
    upgrade,
    wait_until,
)
from tests.support.control_plane import ControlPlane

pytestmark = pytest.mark.cluster

URL: Json = {"env": {"container": None, "variable": "DATABASE_URL"}}
COPY: Json = {"copy": {"mode": "empty"}}
ODD = "ä\n\"'\\ {{ }} $(MIRRORD_DB_HOST)"


@pytest.fixture(scope="module")
def account(control_plane: ControlPlane) -> Iterator[Account]:
    """The controller's account under the policies."""
    with controller(control_plane) as found:
        yield found


def assert_admitted(account: Account, made: Branch, **changes: Any) -> None:
    answer = account.create(branch(made, **changes))

    assert answer.status == 201, answer.body.get("message")


def of(
    dialect: str, source: Json, options: Json = COPY, migrations: Json | None = None, **more: Any
) -> Branch:
    named = {"pg": "postgres"}.get(dialect, dialect)
    spec = {"connectionSource": source, f"{named}Options": options, **more}
    return Branch("orders", dialect, spec, migrations=migrations)


ADMITTED: dict[str, Branch] = {
    "PostgreSQL": POSTGRES,
    "no migrations": replace(POSTGRES, migrations=None),
    "a container of the target": replace(POSTGRES, container="app"),
    "a short name": replace(POSTGRES, name="a"),
    # With the longest key too it is a label's value.
    "the longest name": replace(POSTGRES, name="x" * 22),
    "a name of digits and hyphens": replace(POSTGRES, name="42-7"),
    **{
        f"an empty copy by {dialect}": of(dialect, {"url": URL})
        for dialect in (
            "mysql",
            "mariadb",
            "mongodb",
            "mssql",
            "redis",
            "dynamodb",
            "clickhouse",
            "cockroachdb",
        )
    },
    "Spanner": of(
        "spanner",
        {"params": {"extra": {"project": URL, "instance": URL, "database_id": URL}}},
        {**COPY, "emulatorHostVar": "SPANNER_EMULATOR_HOST"},
    ),
    "an image of one's own": of(
        "generic",
        {"url": URL},
        {
            "image": "ghcr.io/acme/db:1",
            "port": 80,
            "env": {"A": ODD},
            "readiness": {"exec": {"command": ["a"]}},
        },
    ),
    "several urls": of("pg", {"url": [URL, {"envFrom": {"container": "app", "variable": "A"}}]}),
    "parts of each kind": of(
        "pg",
        {
            "params": {
                "host": {
                    "envPattern": {"container": None, "variable": "DSN", "value_pattern": "host=([^;]+)"}
                },
                "port": [URL, URL],
                "password": {"secret": {"name": "db", "key": "password"}},
                "database": {"gcpSecretManager": {"secret_ref": "projects/p", "env_var_name": "A"}},
                "extra": {"sslmode": URL},
            }
        },
    ),
    "all of PostgreSQL": of(
        "pg",
        {"url": {"secret": {"name": "db", "key": "url", "env_var_name": "DATABASE_URL"}}},
        {
            "copy": {"mode": "schema", "items": {"users": {"filter": ODD}}, "dumpArgs": ["--no-owner"]},
            "iamAuth": {"type": "aws_rds", "region": URL},
            "connectionSettings": {"my.tenant": KEY},
        },
        databaseName="shop",
        image="ghcr.io/acme/pg:16",
    ),
    "a version": of("pg", {"url": URL}, version="16"),
    "a registry in capitals": of("pg", {"url": URL}, image="GHCR.io/acme/pg:16"),
    "Docker Hub by its other name": of("pg", {"url": URL}, image="index.docker.io/acme/pg:16"),
    "an image of Docker Hub": of("pg", {"url": URL}, image="acme/pg:16"),
    "migrations by an image of the team's": replace(
        POSTGRES,
        migrations={
            "flavor": "container",
            "image": "registry.internal:5000/shop:1",
            "command": ["./up"],
            "env": {"A": ODD},
        },
    ),
    "migrations by Flyway": replace(POSTGRES, migrations={"flavor": "flyway", "archive": "A" * 1_000_000}),
    "migrations by Flyway's own image": replace(
        POSTGRES,
        migrations={"flavor": "flyway", "image": "ghcr.io/acme/flyway:11", "locations": ["filesystem:/sql"]},
    ),
    # So that the API server's budget for an expression is known to be enough.
    "parts without end": of(
        "pg",
        {"params": {"extra": {f"p{number}": [URL] * 10 for number in range(300)}}},
        {
            "copy": {
                "mode": "schema",
                "items": {f"table{number}": {"filter": "x" * 100} for number in range(3000)},
            }
        },
    ),
}


@pytest.mark.parametrize("made", ADMITTED.values(), ids=ADMITTED.keys())
def test_the_branches_that_previewbot_makes_are_admitted(account: Account, made: Branch) -> None:
    assert_admitted(account, made)


_TEXTS = st.text(min_size=1, max_size=10)
_SOURCES: st.SearchStrategy[Any] = st.one_of(
    st.builds(
        lambda kind, name: {kind: {"container": None, "variable": name}},
        st.sampled_from(("env", "envFrom")),
        _TEXTS,
    ),
    st.builds(lambda name, key: {"secret": {"name": name, "key": key}}, _TEXTS, _TEXTS),
    st.builds(lambda ref: {"gcpSecretManager": {"secret_ref": ref}}, _TEXTS),
    st.builds(
        lambda v, p: {"envPattern": {"container": None, "variable": v, "value_pattern": p}}, _TEXTS, _TEXTS
    ),
)
_PLACES = _SOURCES | st.lists(_SOURCES, min_size=1, max_size=3)
_SLOTS = st.dictionaries(
    st.sampled_from(("host", "port", "user", "password", "database")), _PLACES, min_size=1
)


@settings(max_examples=30)
@given(
    dialect=st.sampled_from(("pg", "mysql", "mariadb", "mongodb", "mssql", "redis", "cockroachdb")),
    name=st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True),
    source=_PLACES.map(lambda each: {"url": each})
    | st.builds(
        lambda slots, extra: {"params": {**slots, "extra": extra}}, _SLOTS, st.dictionaries(_TEXTS, _PLACES)
    ),
    archive=st.none() | _TEXTS,
)
def test_whatever_they_are_made_of_is_admitted(
    account: Account, dialect: str, name: str, source: Json, archive: str | None
) -> None:
    migrations = None if archive is None else {"flavor": "flyway", "archive": archive}
    assert_admitted(account, replace(of(dialect, source, migrations=migrations), name=name))


@pytest.fixture
def there(control_plane: ControlPlane) -> Iterator[dict[str, Any]]:
    """A branch that is there, held by a finalizer of mirrord's operator."""
    made = spoiled(
        branch(),
        drop("metadata", "ownerReferences"),
        put("metadata", "finalizers", value=["a.example.com/b"]),
    )
    made["metadata"]["annotations"]["example.com/note"] = "of somebody else's"
    put_on(control_plane, made)
    yield made
    place = place_of(control_plane, made)
    control_plane.call("PATCH", place, {"metadata": {"finalizers": None}}, "application/merge-patch+json")
    control_plane.call("DELETE", place)


def test_a_branch_without_its_owner_can_still_be_removed(account: Account, there: dict[str, Any]) -> None:
    assert account.delete(there).status == 200


@pytest.fixture
def owned(control_plane: ControlPlane) -> Iterator[dict[str, Any]]:
    """A branch of a Preview that is there, so that garbage collection leaves it."""
    preview = preview_object()
    put_on(control_plane, preview)
    uid = control_plane.call("GET", place_of(control_plane, preview)).body["metadata"]["uid"]
    made = spoiled(branch(), put("metadata", "ownerReferences", 0, "uid", value=uid))
    put_on(control_plane, made)
    yield made
    for each in (made, preview):
        control_plane.call("DELETE", place_of(control_plane, each))


def test_the_migrations_of_another_commit_are_admitted_and_nothing_else_changes(
    account: Account, owned: dict[str, Any]
) -> None:
    """As previewbot patches it: with what of its spec may change, and the hash of that."""
    migrations = {"flavor": "container", "image": f"ghcr.io/acme/checkout@sha256:{'b' * 64}"}
    hashed = {"annotations": {MIGRATIONS_HASH: "0" * 16}}

    assert account.patch(owned, {"metadata": hashed, "spec": {"migrations": migrations}}).status == 200
    assert account.patch(owned, {"metadata": hashed, "spec": {"migrations": None}}).status == 200
    assert account.delete(owned).status == 200

    evil = {**migrations, "image": "evil.example.com/x:1"}
    refused: list[tuple[dict[str, Any], str]] = [
        ({"spec": {"migrations": evil}}, "does not come from settings.images.allowed"),
        ({"spec": {"ttlSecs": 60}}, "changes the migrations and nothing else"),
        ({"spec": {"target": {"name": "other"}}}, "changes the migrations and nothing else"),
        ({"spec": {"version": "16"}}, "changes the migrations and nothing else"),
        ({"spec": {"postgresOptions": {"copy": {"mode": "all"}}}}, "changes the migrations and nothing else"),
        ({"metadata": {"annotations": {"previewbot.dev/head-sha": "b" * 40}}}, "and no other, no label"),
        ({"metadata": {"annotations": {"previewbot.dev/author": None}}}, "and no other, no label"),
        ({"metadata": {"labels": {"previewbot.dev/service": "other"}}}, "and no other, no label"),
        ({"metadata": {"finalizers": ["a.example.com/b"]}}, "puts no finalizers"),
    ]
    for patch, words in refused:
        answer = account.patch(owned, patch)
        assert (answer.status, words in answer.text) == (422, True), (patch, answer.text)


RULES = [
    {"match": ["acme/shop"], "targets": ["deployment/checkout"], "images": ["ghcr.io/acme/none/"]},
    {"match": ["acme/pay"], "namespaces": ["payments"]},
]


@pytest.fixture
def narrowed(control_plane: ControlPlane) -> Iterator[None]:
    """Settings that allow shorter lives and open fewer workloads, for one test."""
    upgrade(control_plane, {"settings.ttl.max": "3h", "settings.repositories": RULES})
    yield
    change(control_plane, "upgrade", "gateway")


def test_a_branch_is_made_only_where_the_settings_allow_it_by_now(
    account: Account, narrowed: None, owned: dict[str, Any]
) -> None:
    """What is there ends by itself: its preview goes on until then, and its migrations still run."""
    other: dict[str, Any] = {"target": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}
    short: dict[str, Any] = {"ttl_seconds": 4 * 3600}

    wait_until(lambda: account.create(branch()).status == 422)

    assert "is longer than settings.ttl.max and an hour" in account.create(branch()).text
    assert account.patch(owned, {"spec": {"migrations": None}}).status == 200
    refused = account.create(branch(**other, **short)).text
    assert "no rule of settings.repositories opens deployment/web" in refused
    assert_admitted(account, replace(POSTGRES, name="users"), **short)
    assert_admitted(account, POSTGRES, namespace="payments", **other, **short)
