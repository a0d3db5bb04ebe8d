"""The stand-in for mirrord is no part of previewbot, and does what the demo's own does."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from previewbot_demo import routing
from tests.node import stand_in

SESSION: dict[str, Any] = {
    "metadata": {"name": "pkey-shop-1", "uid": "u-1"},
    "spec": {
        "image": "ghcr.io/acme/web@sha256:new",
        "target": {"kind": "Deployment", "name": "web", "container": "web"},
        "incoming": {"steal": True, "httpFilter": json.dumps({"header_filter": "mirrord-session=pkey-1\\b"})},
    },
}
TARGET: dict[str, Any] = {
    "spec": {
        "replicas": 3,
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {
                "serviceAccountName": "shop",
                "containers": [
                    {
                        "name": "web",
                        "image": "ghcr.io/acme/web@sha256:old",
                        "env": [{"name": "A", "value": "1"}],
                    },
                    {"name": "sidecar", "image": "ghcr.io/acme/sidecar@sha256:old"},
                ],
            },
        },
    }
}


def test_it_imports_nothing_but_pythons_own_library() -> None:
    tree = ast.parse(Path(stand_in.__file__).read_text(encoding="utf-8"))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        )
    }

    assert imported <= sys.stdlib_module_names


def test_a_preview_is_the_targets_pod_with_another_image_and_never_ready() -> None:
    made = stand_in.preview_of(SESSION, TARGET)

    template = made["spec"]["template"]
    assert made["metadata"]["name"] == "pkey-shop-1"
    assert made["spec"]["replicas"] == 1
    assert template["metadata"]["labels"] == {"app": "web", stand_in.UID_LABEL: "u-1"}
    assert template["spec"]["serviceAccountName"] == "shop"
    assert template["spec"]["readinessGates"]
    web, sidecar = template["spec"]["containers"]
    assert (web["image"], web["env"]) == ("ghcr.io/acme/web@sha256:new", [{"name": "A", "value": "1"}])
    assert sidecar == TARGET["spec"]["template"]["spec"]["containers"][1]


@pytest.mark.parametrize(
    "headers",
    [
        [("baggage", "mirrord-session=pkey-1")],
        [("Baggage", "a=b,MIRRORD-SESSION=PKEY-1")],
        [("baggage", "mirrord-session=pkey-12")],
        [("baggage", "mirrord-session=other")],
        [("accept", "*/*")],
        [],
    ],
)
def test_a_request_is_taken_exactly_when_the_demos_stand_in_takes_it(headers: list[tuple[str, str]]) -> None:
    stored = SESSION["spec"]["incoming"]["httpFilter"]

    assert stand_in.takes(SESSION, headers) == routing.takes(stored, headers)
