"""The stand-in for mirrord is no part of previewbot, and does what the demo's own does."""

from __future__ import annotations

import ast
import base64
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from previewbot_demo import routing
from tests.node import stand_in, stand_in_databases

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
    imported = set[str]()
    for program in (stand_in, stand_in_databases):
        for node in ast.walk(ast.parse(Path(str(program.__file__)).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                within = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
                imported |= {f"{within}{alias.name}" for alias in node.names}

    others = {name for name in imported if name.split(".")[0] not in sys.stdlib_module_names}
    # What lies beside it in the image.
    assert others == {"tests.node.stand_in_databases"}


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


class Cluster:
    """An API server with a target, its Secret and one branch, which remembers what it was sent."""

    def __init__(self, branch: dict[str, Any], **container: Any) -> None:
        self.branch = branch
        self.sent: list[tuple[str, str, Any]] = []
        self.known: dict[str, Any] = {
            "/apis/apps/v1/namespaces/staging/deployments/orders": {
                "spec": {"template": {"spec": {"containers": [{"name": "orders", **container}]}}}
            },
            "/api/v1/namespaces/staging/secrets/orders-database": {
                "data": {"DATABASE_URL": base64.b64encode(URL.encode()).decode()}
            },
        }

    def call(self, method: str, path: str, body: Any = None, kind: str = "") -> Any:
        if method != "GET":
            self.sent.append((method, path, body))
        return self.known.get(path)


URL = "postgresql://shop:secret@database:5432/orders"
SECRET = {"envFrom": [{"secretRef": {"name": "orders-database"}}]}
FROM_SECRET = {"url": {"envFrom": {"container": None, "variable": "DATABASE_URL"}}}


def a_branch(**spec: Any) -> dict[str, Any]:
    usual = {
        "connectionSource": FROM_SECRET,
        "target": {"kind": "Deployment", "name": "orders", "container": ""},
        "postgresOptions": {"copy": {"mode": "all"}},
    }
    metadata = {"name": "b", "uid": "4d5e-01", "finalizers": [stand_in_databases.FINALIZER]}
    return {"metadata": metadata, "spec": usual | spec}


@pytest.mark.parametrize(
    ("container", "kind"),
    [(SECRET, "envFrom"), ({"env": [{"name": "DATABASE_URL", "value": URL}]}, "env")],
)
def test_a_preview_is_led_to_its_own_database_on_stagings_server(
    container: dict[str, Any], kind: str
) -> None:
    branch = a_branch(connectionSource={"url": {kind: {"container": None, "variable": "DATABASE_URL"}}})
    own = stand_in_databases.variables(Cluster(branch, **container).call, "staging", branch)

    assert own == {"DATABASE_URL": "postgresql://shop:secret@database:5432/branch_4d5e01"}
    [container, _] = stand_in.preview_of(SESSION, TARGET, own)["spec"]["template"]["spec"]["containers"]
    assert {"name": "DATABASE_URL", "value": own["DATABASE_URL"]} in container["env"]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"postgresOptions": None}, "this stand-in branches PostgreSQL only"),
        ({"migrations": {"flavor": "container"}}, "this stand-in runs no migrations"),
        ({"connectionSource": {"params": {}}}, "one variable that holds its address"),
        ({"target": {"name": "none"}}, "target Deployment staging/none: not found"),
        ({"connectionSource": {"url": {"env": {"variable": "NONE"}}}}, "target orders has no variable NONE"),
    ],
)
def test_a_branch_that_cannot_be_made_fails_with_why(spec: dict[str, Any], said: str) -> None:
    branch = a_branch(**spec)
    cluster = Cluster(branch, **SECRET)

    assert stand_in_databases.step(cluster.call, "staging", "/b", branch, "2026-11-27T21:00:00Z") == "Failed"
    [(_, path, sent)] = cluster.sent
    assert (path, said in sent["status"]["error"]) == ("/b/status", True)


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({"mode": "empty"}, []),
        ({"mode": "schema"}, ["pg_dump --schema-only  old | "]),
        ({"mode": "all"}, ["pg_dump  old | "]),
        (
            {"mode": "all", "items": {"orders": {"filter": "total < 'x'"}}},
            [
                "pg_dump --exclude-table-data='orders' old | ",
                "psql --set ON_ERROR_STOP=1 --dbname old --command "
                "'COPY (SELECT * FROM orders WHERE total < '\\''x'\\'') TO STDOUT' | ",
            ],
        ),
        (
            {"mode": "empty", "items": {"orders": {}}},
            ["pg_dump --schema-only --table='orders' old | ", "psql "],
        ),
    ],
)
def test_as_much_is_copied_as_the_branch_says(how: dict[str, Any], expected: list[str]) -> None:
    found = stand_in_databases.copies(how, "old", "new")

    assert len(found) == len(expected)
    assert all(command.startswith(begins) for command, begins in zip(found, expected, strict=True))
    assert all("--dbname new" in command for command in found)
