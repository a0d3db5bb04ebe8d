"""Whatever a team's mirrord file comes to, the admission policies let through, and the CRDs take.

The files are those of tests/support/mirrord_vectors.json, rendered as `previewbot render` does. The CRDs are
mirrord's own where `PREVIEWBOT_MIRRORD_CRDS` names them, and are asked strictly: no field is dropped.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from previewbot.clients.kubernetes.resources import without_nulls
from tests.chart.release import Account
from tests.support.admission import branch, controller, session, upgrade, wait_until
from tests.support.control_plane import ControlPlane
from tests.support.mirrord_made import manifests_of
from tests.support.mirrord_vectors import Vector, read_table

_, CASES = read_table()
NAMESPACES = sorted({case.namespace for case in CASES if case.namespace} | {"staging"})
NEWER = {"db-pg-profile": "spec.profile", "db-pg-settings": "spec.postgresOptions.queryParams"}
"""What the CRD of operator chart 3.187 does not know yet: an operator that offers it has another one."""


@pytest.fixture(scope="module")
def account(control_plane: ControlPlane) -> Iterator[Account]:
    """The controller's account, where every repository may have all that there is."""
    with controller(control_plane) as found:
        for namespace in NAMESPACES:
            control_plane.make_namespace(namespace)
        rules = [{"match": ["acme/*"], "secrets": True}]
        upgrade(
            control_plane,
            {
                "settings.repositories": rules,
                "settings.cluster.namespaces": NAMESPACES,
                "settings.ttl.max": "72h",
                "settings.limits.replicas": 10,
            },
        )
        last = NAMESPACES[-1]
        wait_until(lambda: found.create(session(namespace=last, ttl_seconds=72 * 3600)).status == 201)
        wait_until(lambda: found.create(branch(namespace=last, ttl_seconds=72 * 3600)).status == 201)
        yield found


@pytest.mark.parametrize("case", [case for case in CASES if not case.of_cluster], ids=lambda case: case.name)
def test_what_a_mirrord_file_comes_to_is_let_through(account: Account, case: Vector, tmp_path: Path) -> None:
    manifests = manifests_of(case, tmp_path, "--repository-id", "812")

    for manifest in manifests if isinstance(manifests, list) else ():
        assert_taken(account, case, manifest)


def assert_taken(account: Account, case: Vector, manifest: dict[str, Any]) -> None:
    answer = account.create(manifest)

    if answer.status == 400 and manifest["kind"] == "BranchDatabase":
        assert f'unknown field "{NEWER[case.name]}"' in answer.body["message"]
        return
    assert (answer.status, answer.warnings) == (201, ()), answer.body.get("message")
    assert without_nulls(answer.body["spec"]) == without_nulls(manifest["spec"])
