"""The control plane that other tests stand on: it is a real one, it is told apart by user, and it goes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from kubernetes import client, config

from tests.support.control_plane import ControlPlane

ACCOUNT = {
    "apiVersion": "v1",
    "kind": "ServiceAccount",
    "metadata": {"name": "reader", "namespace": "accounts"},
}


def eventually(holds: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never became true"
        time.sleep(0.05)


def test_it_is_the_kubernetes_that_is_pinned(control_plane: ControlPlane) -> None:
    pinned = Path(__file__).with_name("go.mod").read_text(encoding="utf-8")
    version = control_plane.call("GET", "/version").body["gitVersion"]

    assert "KUBEBUILDER_ASSETS" in os.environ or f"k8s.io/kubernetes {version} " in pinned


def test_a_service_account_may_do_nothing_until_a_role_says_so(control_plane: ControlPlane) -> None:
    control_plane.make_namespace("accounts")
    control_plane.apply(ACCOUNT)
    api = client.VersionApi(
        config.new_client_from_config(str(control_plane.kubeconfig_for_account("accounts", "reader")))
    )
    custom = client.CustomObjectsApi(api.api_client)
    previews = ("previewbot.dev", "v1alpha1", "previews")

    assert api.get_code().git_version
    with pytest.raises(client.ApiException, match=r"system:serviceaccount:accounts:reader.*cannot list"):
        custom.list_cluster_custom_object(*previews)
    bind_view_of_previews(control_plane)
    assert custom.list_cluster_custom_object(*previews)["kind"] == "PreviewList"
    api.api_client.close()


def bind_view_of_previews(plane: ControlPlane) -> None:
    rbac = "rbac.authorization.k8s.io/v1"
    rules = [{"apiGroups": ["previewbot.dev"], "resources": ["previews"], "verbs": ["list"]}]
    plane.apply({"apiVersion": rbac, "kind": "ClusterRole", "metadata": {"name": "reader"}, "rules": rules})
    plane.apply(
        {
            "apiVersion": rbac,
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "reader"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "reader"},
            "subjects": [{"kind": "ServiceAccount", "name": "reader", "namespace": "accounts"}],
        }
    )
    path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    asked = {"group": "previewbot.dev", "resource": "previews", "verb": "list"}
    review = {"spec": {"user": "system:serviceaccount:accounts:reader", "resourceAttributes": asked}}
    eventually(lambda: bool(plane.call("POST", path, review).body["status"]["allowed"]))


def test_the_audit_log_tells_who_did_what(control_plane: ControlPlane) -> None:
    kubeconfig = control_plane.kubeconfig_for("jane", "developers")
    api = config.new_client_from_config(str(kubeconfig))
    with pytest.raises(client.ApiException):
        client.CustomObjectsApi(api).get_cluster_custom_object(
            "previewbot.dev", "v1alpha1", "previews", "gh-1-1"
        )
    api.close()

    def told() -> bool:
        found = [r for r in control_plane.requests() if r.user == "jane"]
        return [(r.verb, r.group, r.resource, r.name, r.code) for r in found] == [
            ("get", "previewbot.dev", "previews", "gh-1-1", 403)
        ]

    eventually(told)


def test_a_namespace_gets_its_service_account_and_takes_everything_with_it(
    control_plane: ControlPlane,
) -> None:
    control_plane.make_namespace("short-lived")
    path = "/api/v1/namespaces/short-lived"
    eventually(lambda: control_plane.call("GET", f"{path}/serviceaccounts/default").status == 200)

    control_plane.call("DELETE", path)

    eventually(lambda: control_plane.call("GET", path).status == 404)


def test_nothing_outlives_the_process_that_started_it(tmp_path: Path) -> None:
    script = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from tests.support.components import Component\n"
        "sleep = Component('sleep', ['sleep', '600'], Path(sys.argv[1]))\n"
        "sleep.start()\n"
        "print(sleep.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert is_running(child)

    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()

    eventually(lambda: not is_running(child))


def is_running(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
