"""The chart as a release on a real API server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.chart.helm import CHART, NAMESPACE, RELEASE, Object, run, values_file
from tests.support.api import AT_ONCE, MERGE_PATCH, Answer, Api
from tests.support.control_plane import ControlPlane

SERVICE_MONITOR = Path(__file__).with_name("service_monitor.yaml")


def prepare(cluster: ControlPlane) -> None:
    """Make the namespaces and resources that the chart expects of a cluster, unless they are there."""
    for namespace in ("staging", "payments", "elsewhere", "gateways"):
        cluster.make_namespace(namespace)
    level = "pod-security.kubernetes.io"
    labels = {f"{level}/enforce": "restricted", f"{level}/warn": "restricted"}
    metadata = {"name": NAMESPACE, "labels": labels}
    put(cluster, {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    put(cluster, yaml.safe_load(SERVICE_MONITOR.read_text(encoding="utf-8")))


def change(cluster: ControlPlane, what: str, values: str, *options: str) -> str:
    """Install or upgrade; return what helm says."""
    result = run(
        what, RELEASE, str(CHART), "-n", NAMESPACE, "--values", values_file(values), *options,
        kubeconfig=cluster.kubeconfig(),
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "warning" not in result.stderr.lower()
    return result.stdout


@contextmanager
def installed(cluster: ControlPlane, values: str) -> Iterator[ControlPlane]:
    """Install the release for a while."""
    change(cluster, "install", values)
    try:
        yield cluster
    finally:
        uninstall = run(
            "uninstall", RELEASE, "-n", NAMESPACE, "--ignore-not-found", kubeconfig=cluster.kubeconfig()
        )
        assert uninstall.returncode == 0, uninstall.stderr


def place_of(cluster: ControlPlane, obj: Object) -> str:
    """Return the path of an object."""
    return f"{cluster.path_of(obj)}/{obj['metadata']['name']}"


def put(cluster: ControlPlane, obj: Object, query: str = "") -> Answer:
    """Make an object as it is given, whether or not it is there."""
    path = f"{place_of(cluster, obj)}?fieldValidation=Strict&fieldManager=test&force=true{query}"
    answer = cluster.call("PATCH", path, obj, "application/apply-patch+yaml")
    assert answer.status in (200, 201), f"{path}: {answer.body.get('message')}"
    return answer


class Account:
    """Acts as one of the release's service accounts, and changes nothing: everything is a dry run.

    `api` is for what has no method here.
    """

    def __init__(self, cluster: ControlPlane, component: str) -> None:
        self._cluster = cluster
        path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{RELEASE}-{component}/token"
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        token = cluster.call("POST", path, request).body["status"]["token"]
        self.api = Api(cluster.url, token, cluster.authority)

    def create(self, manifest: dict[str, Any]) -> Answer:
        """Create an object, strictly."""
        path = self._cluster.path_of(manifest)
        return self.api.call("POST", f"{path}?dryRun=All&fieldValidation=Strict", manifest)

    def create_each(self, manifests: Iterable[dict[str, Any]]) -> list[Answer]:
        """Create objects, several at once; the answers are in their order."""
        with ThreadPoolExecutor(AT_ONCE) as threads:
            return list(threads.map(self.create, manifests))

    def patch(self, manifest: Object, patch: Object) -> Answer:
        """Change an object that is there."""
        path = f"{place_of(self._cluster, manifest)}?dryRun=All"
        return self.api.call("PATCH", path, patch, MERGE_PATCH)

    def replace(self, manifest: Object) -> Answer:
        """Replace an object that is there."""
        path = f"{place_of(self._cluster, manifest)}?dryRun=All&fieldValidation=Strict"
        return self.api.call("PUT", path, manifest)

    def patch_status(self, manifest: Object, patch: Object) -> Answer:
        """Change the status of an object that is there."""
        path = f"{place_of(self._cluster, manifest)}/status?dryRun=All"
        return self.api.call("PATCH", path, patch, MERGE_PATCH)

    def apply(self, manifest: Object) -> Answer:
        """Make an object as it is given, whether or not it is there (server-side)."""
        path = f"{place_of(self._cluster, manifest)}?dryRun=All&fieldManager=test&force=true"
        return self.api.call("PATCH", path, manifest, "application/apply-patch+yaml")

    def delete(self, manifest: Object) -> Answer:
        """Delete an object."""
        return self.api.call("DELETE", f"{place_of(self._cluster, manifest)}?dryRun=All")

    def close(self) -> None:
        """Close the connections."""
        self.api.close()
