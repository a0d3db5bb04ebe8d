"""The CRD in the chart is what the code writes and reads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from previewbot.api import Poke, Spec, Status, from_object, new_object, status_object
from previewbot_demo.kube.schema import mistakes, unknown_fields
from tests.support.previews import NOW, a_preview
from tests.support.states import STATES
from tests.support.structural import structural_schema

CRD = yaml.safe_load(
    (Path(__file__).parents[2] / "charts/previewbot/crds/previews.yaml").read_text(encoding="utf-8")
)
SCHEMA: dict[str, Any] = CRD["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]


def test_the_schema_of_status_is_the_models() -> None:
    assert structural_schema(Status) == SCHEMA["status"]


def test_the_schema_of_spec_is_the_models_with_everything_required() -> None:
    wanted = structural_schema(Spec)["properties"]
    found = SCHEMA["spec"]

    assert set(found["required"]) == set(wanted) == set(found["properties"])


@pytest.mark.parametrize("state", sorted(STATES))
def test_every_state_is_stored_as_it_is_and_read_back_the_same(state: str) -> None:
    preview = STATES[state]
    stored = status_object(preview.status)

    assert unknown_fields(SCHEMA["status"], stored) == []
    assert mistakes(SCHEMA["status"], stored) == []
    obj = new_object(preview.spec, Poke())
    obj["metadata"] |= {"uid": "u", "resourceVersion": "1", "creationTimestamp": "2026-11-24T09:00:00Z"}
    assert from_object({**obj, "status": stored}).status == preview.status


def test_the_columns_are_the_first_dashboard() -> None:
    columns = [column["name"] for column in CRD["spec"]["versions"][0]["additionalPrinterColumns"]]

    assert columns == [
        "Repository",
        "PR",
        "Agent",
        "Recognised",
        "Services",
        "Phase",
        "Reason",
        "URL",
        "Expires",
        "Age",
    ]


def test_annotations_that_a_person_mangled_count_as_absent() -> None:
    obj = new_object(a_preview().spec, Poke())
    obj["metadata"] |= {
        "uid": "u",
        "resourceVersion": "1",
        "creationTimestamp": "2026-11-24T09:00:00Z",
        "annotations": {
            "previewbot.dev/comment-id": "x1",
            "previewbot.dev/member-comment-id": "9" * 5_000,
            "previewbot.dev/poked-at": "yesterday",
            "previewbot.dev/called-by": "9" * 5_000,
            "previewbot.dev/review-id": "-1",
            "previewbot.dev/member-review-comment-id": "9" * 19,
        },
    }

    assert from_object(obj).poke == Poke()


def test_a_poke_is_read_back_as_it_was_written() -> None:
    bounds = Poke("1", NOW, NOW, comment_id=9, member_comment_id=9)
    bounds = replace(bounds, review_id=1, review_comment_id=2, member_review_id=3, member_review_comment_id=4)
    poke = replace(bounds, label_id="1", call_id="2", called_by=667, closed_id="3", event_id="4")
    obj = new_object(a_preview().spec, poke)
    obj["metadata"] |= {"uid": "u", "resourceVersion": "1", "creationTimestamp": "2026-11-24T09:00:00Z"}

    assert from_object(obj).poke == poke
