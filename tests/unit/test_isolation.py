"""What a preview has of its own is read from the objects that mirrord's operator has, never from a wish."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.api import Copied, OwnDatabase, OwnEnvironment, OwnMessages, RequestsTaken, TakenBy
from previewbot.config.keys import header_pattern
from previewbot.engine.isolation import isolation_from, named, own_database_from
from previewbot.engine.parts import (
    KEY,
    Branch,
    Environment,
    Idle,
    IncomingRequests,
    MountedFile,
    QueueSplit,
    SecretMount,
    SessionParts,
)
from previewbot.engine.session_spec import parts_spec

MY_KEY = "shop-pr-42-k7q2x"
BAGGAGE = {"header": header_pattern("baggage", MY_KEY)}


def sent(parts: SessionParts) -> dict[str, Any]:
    return {"key": MY_KEY, **parts_spec(MY_KEY, "staging", parts)}


def filtered(filters: object, **incoming: Any) -> dict[str, Any]:
    text = filters if isinstance(filters, str) else json.dumps(filters)
    return {"key": MY_KEY, "incoming": {"steal": True, "httpFilter": text} | incoming}


@pytest.mark.parametrize(
    ("parts", "requests"),
    [
        (SessionParts(), RequestsTaken(TakenBy.BAGGAGE)),
        (SessionParts(IncomingRequests((8080,))), RequestsTaken(TakenBy.BAGGAGE)),
        (
            SessionParts(IncomingRequests(conditions=({"path": "^/api/"}, {"method": "GET"}))),
            RequestsTaken(TakenBy.BAGGAGE, 2),
        ),
        (SessionParts(IncomingRequests(by_tracestate=True)), RequestsTaken(TakenBy.BAGGAGE_OR_TRACESTATE)),
        (SessionParts(None), RequestsTaken(TakenBy.NOTHING)),
    ],
)
def test_what_previewbot_sends_is_read_back(parts: SessionParts, requests: RequestsTaken) -> None:
    assert isolation_from(sent(parts)).requests == requests


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"key": MY_KEY, "incoming": {"steal": True}},
        {"key": MY_KEY, "incoming": "steal"},
        {"key": "", "incoming": {"steal": True, "httpFilter": json.dumps({"header_filter": "^baggage: .*"})}},
        filtered({"header_filter": BAGGAGE["header"]}, steal=False),
        filtered({"header_filter": "^x-mine: yes$"}),
        filtered({"header_filter": BAGGAGE["header"], "any_of": [{"path": "/"}]}),
        filtered({"any_of": [BAGGAGE, {"header": header_pattern("tracestate", "another")}]}),
        filtered({"any_of": [BAGGAGE, {"path": "/"}]}),
        filtered({"all_of": [{"path": "/"}]}),
        filtered({"all_of": BAGGAGE}),
        filtered("not JSON"),
        filtered("[" * 100_000),
        filtered([]),
    ],
)
def test_whatever_else_a_session_takes_is_told_as_other_peoples_requests(spec: dict[str, Any]) -> None:
    expected = TakenBy.OTHER if spec else TakenBy.NOTHING

    assert isolation_from(spec).requests == RequestsTaken(expected)


def test_queues_are_those_that_are_split_whatever_the_broker() -> None:
    parts = SessionParts(
        queues=(
            QueueSplit("orders", "sqs", {"baggage": f".*{KEY}.*"}),
            QueueSplit("audit", "kafka", jq_filter=".a", mirror=True),
            QueueSplit("mail", "rmq", {"baggage": f".*{KEY}.*"}),
        )
    )

    assert isolation_from(sent(parts)).queues == (
        OwnMessages("audit", mirrored=True),
        OwnMessages("mail"),
        OwnMessages("orders"),
    )


def test_the_environment_is_told_by_numbers_and_never_by_names_or_values() -> None:
    parts = SessionParts(
        environment=Environment(exclude=("SECRET_*",), overrides={"TOKEN": "hunter2", "URL": "x"}),
        config_mounts=(MountedFile("/etc/app.yaml", "text", "hunter2"),),
        secret_mounts=(SecretMount("/etc/key", "aHVudGVyMg=="),),
    )

    isolation = isolation_from(sent(parts))

    assert isolation.environment == OwnEnvironment(overridden=2, left_out=True, files=2)
    assert "hunter2" not in repr(isolation)
    assert "TOKEN" not in repr(isolation)


def test_databases_are_named_by_their_branches() -> None:
    branch = Branch("orders", "pg", {})
    (found,) = isolation_from(sent(SessionParts(branches=(branch,)))).databases

    obj = {
        "metadata": {"name": found.branch},
        "spec": {
            "id": f"{MY_KEY}-orders",
            "postgresOptions": {"copy": {"mode": "schema"}},
            "connectionSource": {"url": {"env": {"variable": "DATABASE_URL"}}},
        },
    }
    assert named(own_database_from(obj), MY_KEY) == OwnDatabase(found.branch, "orders", Copied.SCHEMA)


@pytest.mark.parametrize(
    ("options", "copied"),
    [
        ({"postgresOptions": {"copy": {"mode": "empty"}}}, Copied.NOTHING),
        ({"mysqlOptions": {"copy": {"mode": "schema"}}}, Copied.SCHEMA),
        ({"mongodbOptions": {"copy": {"mode": "all"}}}, Copied.ALL),
        ({"mysqlOptions": {"copy": {"mode": "schema", "items": {"t": {"filter": "a = 1"}}}}}, Copied.PART),
        ({"redisOptions": {"copy": {"mode": "all", "patterns": ["a:*"]}}}, Copied.PART),
        ({"redisOptions": {"copy": {"mode": "all", "patterns": []}}}, Copied.ALL),
        ({"genericOptions": {"image": "x"}}, Copied.UNKNOWN),
        ({"postgresOptions": {"copy": {"mode": "newer"}}}, Copied.UNKNOWN),
        ({"postgresOptions": {"copy": {"mode": ["all"]}}}, Copied.UNKNOWN),
        ({}, Copied.UNKNOWN),
    ],
)
def test_what_a_database_of_its_own_began_with(options: dict[str, Any], copied: Copied) -> None:
    obj = {"metadata": {"name": "b"}, "spec": {"id": "i", **options}}

    assert own_database_from(obj).copied is copied


@pytest.mark.parametrize(
    ("spec", "unreached"),
    [
        ({"url": {"env": {"container": None, "variable": "DATABASE_URL"}}}, False),
        ({"url": [{"env": {"variable": "A_URL"}}, {"env": {"variable": "B_URL"}}]}, False),
        ({"url": {"secret": {"name": "db", "key": "url", "env_var_name": "DATABASE_URL"}}}, False),
        ({"url": {"secret": {"name": "db", "key": "url"}}}, True),
        ({"params": {"host": {"envPattern": {"variable": "DSN", "value_pattern": "h=(.+)"}}}}, False),
        ({"params": {"password": {"secret": {"name": "db", "key": "password"}}}}, True),
        ({"params": {"extra": {"sslmode": {"env": {"variable": "SSLMODE"}}}}}, True),
        ({}, True),
    ],
)
def test_a_copy_that_no_variable_leads_to_is_there_for_nobody(spec: dict[str, Any], unreached: bool) -> None:
    obj = {"metadata": {"name": "b"}, "spec": {"id": "i", "connectionSource": spec}}

    assert own_database_from(obj).unreached is unreached


def test_spanner_is_led_to_its_copy_by_the_variable_of_its_emulator() -> None:
    spec = {"id": "i", "spannerOptions": {"emulatorHostVar": "SPANNER_EMULATOR_HOST"}}

    assert not own_database_from({"metadata": {"name": "b"}, "spec": spec}).unreached


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
FIELDS = ("key", "incoming", "queueSplitting", "dbBranching", "env", "configMounts", "secretMounts")


@given(st.dictionaries(st.sampled_from(FIELDS), json_values))
def test_no_session_that_somebody_wrote_keeps_a_pass_from_reading_it(spec: dict[str, Any]) -> None:
    isolation = isolation_from(spec)

    assert isolation.requests.by in (TakenBy.NOTHING, TakenBy.OTHER)


@given(json_values)
def test_no_branch_that_somebody_wrote_keeps_a_pass_from_reading_it(spec: object) -> None:
    assert own_database_from({"metadata": {"name": "b"}, "spec": spec}).branch == "b"


def test_when_a_session_sleeps_says_nothing_of_what_it_shares() -> None:
    asleep = SessionParts(idle=Idle(sleep_after=timedelta(minutes=30)))

    assert isolation_from(sent(asleep)) == isolation_from(sent(SessionParts()))
