"""`previewbot check --cluster` at an API server: the demo's in memory, and Kubernetes' own."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from previewbot.cli import main
from previewbot.clients.kubernetes.client import Kube
from previewbot.doctor.staging import see
from tests.contract.conftest import ApiServer
from tests.support.workloads import a_service, a_workload

FILE = """\
version: 1
entry: {{url: "https://staging.example.com", namespace: {namespace}, service: web, port: 80}}
services:
  checkout:
    paths: ["checkout/**"]
    target: deployment/checkout
    namespace: {namespace}
    image: "ghcr.io/acme/checkout:{{head_sha}}"
    ports: [8080]
"""


def made(server: ApiServer) -> None:
    """Put a workload and its Service into the server's namespace, and the namespace itself."""
    space: dict[str, Any] = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": server.namespace}}
    # Kubernetes' own has it already.
    assert server.call("POST", "/api/v1/namespaces", space).status in (201, 409)
    for name in ("checkout", "web"):
        workload = a_workload(name, namespace=server.namespace)
        service = a_service(name, namespace=server.namespace)
        apps, core = (
            f"/apis/apps/v1/namespaces/{server.namespace}",
            f"/api/v1/namespaces/{server.namespace}",
        )
        assert server.call("POST", f"{apps}/deployments", workload).status == 201
        assert server.call("POST", f"{core}/services", service).status == 201


async def test_workloads_services_and_missing_namespaces_are_seen(server: ApiServer, kube: Kube) -> None:
    await asyncio.to_thread(made, server)

    seen = await see(kube, [server.namespace, "no-such-namespace"], doors=True)

    assert sorted(w.written for w in seen.staging.workloads) == ["deployment/checkout", "deployment/web"]
    assert {s.name: [(p.port, p.leads_to) for p in s.ports] for s in seen.staging.services} == {
        "checkout": [(80, 8080)],
        "web": [(80, 8080)],
    }
    assert seen.missing == {"no-such-namespace"}
    assert server.namespace in seen.namespaces
    assert seen.unread == {}


def test_a_file_is_held_to_the_cluster_and_each_mistake_has_its_line(
    server: ApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made(server)
    path, cluster = tmp_path / "preview.yaml", ["--cluster", "--kubeconfig", str(server.kubeconfig)]
    path.write_text(FILE.format(namespace=server.namespace))

    assert main(["check", str(path), *cluster]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == ["the cluster has all of it: 1 workload, 1 entry"]

    path.write_text(FILE.format(namespace=server.namespace).replace("deployment/", "statefulset/"))
    assert main(["check", str(path), *cluster]) == 1
    assert capsys.readouterr().err == (
        f"{path}:6: there is no statefulset `checkout` in the namespace `{server.namespace}`; it is a "
        "deployment: write `target: deployment/checkout`\n"
    )


def test_a_first_file_is_written_from_a_clusters_workloads_and_fits_it(
    server: ApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made(server)
    monkeypatch.chdir(tmp_path)
    cluster = ["--kubeconfig", str(server.kubeconfig)]

    assert main(["init", *cluster, "--namespace", server.namespace]) == 0
    capsys.readouterr()
    assert main(["check", ".github/preview.yaml", "--cluster", *cluster]) == 0
    assert capsys.readouterr().out.splitlines() == [
        ".github/preview.yaml is valid: checkout, web",
        "the cluster has all of it: 2 workloads, 1 entry",
    ]


def test_a_cluster_that_does_not_answer_is_told_and_not_the_files_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "preview.yaml"
    path.write_text(FILE.format(namespace="staging"))

    assert main(["check", str(path), "--cluster", "--kubeconfig", str(tmp_path / "none")]) == 1
    assert capsys.readouterr().err == (
        f"no cluster can be asked: the kubeconfig ({tmp_path / 'none'}): it cannot be read: No such file or "
        "directory; name one with --kubeconfig FILE\n"
    )
