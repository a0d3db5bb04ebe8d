"""Every session we make keeps mirrord's schema, and our restatement of that schema is mirrord's.

With `PREVIEWBOT_MIRRORD_CRDS=DIR` the restatement is compared with the operator's own files; without, with
the recorded hash of its field names and types.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from previewbot.config.repository import parse_target
from previewbot.engine.mirrord import DesiredSession, manifest
from previewbot.engine.parts import taking
from previewbot_demo.kube.schema import mistakes, unknown_fields
from tests.support.previews import HEAD, a_preview

SCHEMAS = Path(__file__).parents[2] / "demo/previewbot_demo/schemas"
RESTATED = SCHEMAS / "previewsessions.yaml"
RECORDED = {
    "previewsessions.preview": "25eb491725131c7b",
    "branchdatabases.dbs": "5b86aeee5a4198c5",
}
"""By resource and group: the hash of the names and types of all its fields."""


def fields(schema: dict[str, Any], path: str = "") -> dict[str, str]:
    """Return every field of a schema with its type."""
    found = {path or ".": str(schema.get("type"))}
    for name, child in schema.get("properties", {}).items():
        found |= fields(child, f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            found |= fields(schema[key], f"{path}[{key}]")
    return found


def schema_of(path: Path) -> dict[str, Any]:
    crd = yaml.safe_load(path.read_text(encoding="utf-8"))
    schema: dict[str, Any] = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


@pytest.mark.parametrize(("resource", "recorded"), RECORDED.items())
def test_the_restatement_names_mirrords_fields_with_their_types(resource: str, recorded: str) -> None:
    directory = os.environ.get("PREVIEWBOT_MIRRORD_CRDS")
    restated = fields(schema_of(SCHEMAS / f"{resource.partition('.')[0]}.yaml"))

    if directory:
        theirs = Path(directory) / f"{resource}.mirrord.metalbear.co.yaml"
        assert fields(schema_of(theirs)) == restated
    digest = hashlib.sha256(json.dumps(restated, sort_keys=True).encode()).hexdigest()[:16]
    assert digest == recorded


def test_every_kind_of_session_that_we_make_keeps_the_schema() -> None:
    schema = schema_of(RESTATED)
    for target in ("deployment/x", "statefulset/x", "rollout/x", "deployment/x/container/y"):
        for ports in ((), (8080, 9090)):
            desired = DesiredSession(
                "x", "staging", parse_target(target), "app", "i@sha256:0", taking(ports), HEAD, 60
            )
            session = {k: v for k, v in manifest(a_preview(), desired).items() if k == "spec"}

            assert unknown_fields(schema, session) == []
            assert mistakes(schema, session) == []


def a_branch(**spec: Any) -> dict[str, Any]:
    """Return a BranchDatabase of PostgreSQL with these fields of its spec instead."""
    usual = {
        "id": "p0123456789-shop-4-orders",
        "connectionSource": {"url": {"env": {"container": None, "variable": "DATABASE_URL"}}},
        "target": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "orders", "container": ""},
        "ttlSecs": 3600,
        "postgresOptions": {"copy": {"mode": "schema"}},
    }
    return {"spec": usual | spec}


def test_a_branch_may_hold_what_mirrord_leaves_open_and_nothing_else_that_it_does_not_name() -> None:
    schema = schema_of(SCHEMAS / "branchdatabases.yaml")
    free = {"flavor": "container", "image": "i@sha256:0", "command": ["./migrate"], "env": {"A": "1"}}

    assert unknown_fields(schema, a_branch(migrations=free)) == []
    assert mistakes(schema, a_branch(migrations=free)) == []
    assert unknown_fields(schema, a_branch(colour="green")) == ["spec.colour"]


def test_a_branch_is_found_by_one_url_or_by_its_parts_never_by_both() -> None:
    schema = schema_of(SCHEMAS / "branchdatabases.yaml")
    url, host = ({"env": {"container": None, "variable": name}} for name in ("DATABASE_URL", "DB_HOST"))

    def wrong(**source: Any) -> list[str]:
        return [cause.field for cause in mistakes(schema, a_branch(connectionSource=source))]

    assert wrong(url=url) == wrong(params={"host": host}) == []
    assert wrong() == wrong(url=url, params={"host": host}) == ["spec.connectionSource"]
