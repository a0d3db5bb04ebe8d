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

import yaml

from previewbot.config.repository import parse_target
from previewbot.engine.mirrord import DesiredSession, manifest
from previewbot.engine.parts import taking
from previewbot_demo.kube.schema import mistakes, unknown_fields
from tests.support.previews import HEAD, a_preview

RESTATED = Path(__file__).parents[2] / "demo/previewbot_demo/schemas/previewsessions.yaml"
RECORDED = "25eb491725131c7b"


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


def test_the_restatement_names_mirrords_fields_with_their_types() -> None:
    directory = os.environ.get("PREVIEWBOT_MIRRORD_CRDS")
    restated = fields(schema_of(RESTATED))

    if directory:
        theirs = Path(directory) / "previewsessions.preview.mirrord.metalbear.co.yaml"
        assert fields(schema_of(theirs)) == restated
    digest = hashlib.sha256(json.dumps(restated, sort_keys=True).encode()).hexdigest()[:16]
    assert digest == RECORDED


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
