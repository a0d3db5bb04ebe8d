"""PreviewSessions are what mirrord's CLI would have made, and never steal without a filter."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from previewbot.config.repository import parse_target
from previewbot.engine.mirrord import (
    DesiredSession,
    manifest,
    session_from,
    session_name,
    spec_hash,
)
from previewbot.engine.parts import taking
from previewbot.engine.session_spec import key_filter
from tests.support.previews import a_preview

DESIRED = DesiredSession(
    service="checkout",
    namespace="staging",
    target=parse_target("deployment/checkout"),
    container="app",
    image="ghcr.io/acme/checkout@sha256:" + "a" * 64,
    parts=taking((8080,)),
    head_sha="b" * 40,
    ttl_seconds=3600,
)


def test_the_filter_is_byte_for_byte_the_clis_default() -> None:
    expected = (
        '{"header_filter":"^baggage: .*mirrord-session=shop-pr-42.*$","path_filter":null,'
        '"method_filter":null,"body_filter":null,"header_filter_jq":null,"all_of":null,"any_of":null,'
        '"ports":null}'
    )

    assert expected == key_filter("shop-pr-42")


def test_a_session_steals_with_the_keys_filter_and_belongs_to_its_preview() -> None:
    preview = a_preview()

    session = manifest(preview, DESIRED)

    assert session["spec"]["incoming"] == {
        "steal": True,
        "httpFilter": key_filter(preview.spec.environment_key),
        "ports": [8080],
    }
    assert session["spec"]["target"] == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": "checkout",
        "container": "app",
    }
    assert [owner["uid"] for owner in session["metadata"]["ownerReferences"]] == [preview.uid]


def test_the_name_depends_on_key_namespace_and_target_only() -> None:
    preview = a_preview()
    other = replace(DESIRED, image="x@sha256:0", container="web", head_sha="c" * 40)

    assert manifest(preview, DESIRED)["metadata"]["name"] == manifest(preview, other)["metadata"]["name"]
    assert session_name("k", "staging", DESIRED.target) != session_name("k", "payments", DESIRED.target)
    assert len(session_name("p" * 40, "staging", DESIRED.target)) <= 63


def test_another_time_to_live_leaves_the_spec_hash_as_it_is_and_another_image_does_not() -> None:
    longer = replace(DESIRED, ttl_seconds=7200)
    other = replace(DESIRED, image="ghcr.io/acme/checkout@sha256:" + "c" * 64)

    assert spec_hash("k", DESIRED) == spec_hash("k", longer)
    assert spec_hash("k", DESIRED) != spec_hash("k", other)


@pytest.mark.parametrize(
    ("status", "phase"),
    [
        (None, "Pending"),
        ({"phase": "Initializing"}, "InProgress"),
        ({"phase": "Waiting"}, "InProgress"),
        ({"phase": "Paused"}, "Paused"),
        ({"phase": "SomethingNew"}, "InProgress"),
        ({"phase": "Ready"}, "Ready"),
        ({"phase": "Idle"}, "Idle"),
        ({"phase": "Failed"}, "Failed"),
    ],
)
def test_a_phase_we_do_not_know_is_in_progress(status: dict[str, Any] | None, phase: str) -> None:
    stored = manifest(a_preview(), DESIRED)
    stored["metadata"] |= {"uid": "u", "creationTimestamp": "2026-11-24T09:00:00Z"}
    stored["status"] = status

    session = session_from(stored)

    assert phase == session.phase
    assert session.created_at == datetime(2026, 11, 24, 9, tzinfo=UTC)


def test_without_ports_the_operator_finds_them_and_the_filter_is_the_same() -> None:
    session = manifest(a_preview(), replace(DESIRED, parts=taking(None)))

    assert session["spec"]["incoming"] == {
        "steal": True,
        "httpFilter": key_filter(session["spec"]["key"]),
    }


def test_a_worker_that_takes_no_requests_intercepts_none() -> None:
    # As the CLI writes `incoming: off`; an empty list of ports might come to mean every port.
    assert "incoming" not in manifest(a_preview(), replace(DESIRED, parts=taking(())))["spec"]


def test_other_ports_are_another_session() -> None:
    hashes = {spec_hash("k", replace(DESIRED, parts=taking(ports))) for ports in ((8080,), (), None)}

    assert len(hashes) == 3
