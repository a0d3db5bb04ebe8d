"""A real API server takes what the chart renders; installed, changed, removed, it leaves what it should."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chart import helm, release
from tests.chart.helm import ALL_VALUES, NAMESPACE, RELEASE, Object, of_kind, rendered
from tests.chart.release import change, place_of, put
from tests.support.control_plane import ControlPlane


@pytest.fixture
def installed(cluster: ControlPlane) -> Iterator[ControlPlane]:
    """The release with the smallest values; gone afterwards."""
    with release.installed(cluster, "minimal") as there:
        yield there


def is_there(cluster: ControlPlane, obj: Object) -> bool:
    return cluster.call("GET", place_of(cluster, obj)).status == 200


def is_hook(obj: Object) -> bool:
    """Return whether helm makes an object only when it is asked to test."""
    return "helm.sh/hook" in (obj["metadata"].get("annotations") or {})


def made(name: str, *options: str) -> list[Object]:
    """Return what an install makes."""
    return [obj for obj in rendered(name, *options) if not is_hook(obj)]


@pytest.mark.parametrize("name", ALL_VALUES)
def test_a_server_side_dry_run_takes_everything_without_a_warning(cluster: ControlPlane, name: str) -> None:
    """Field names, values and the Pod Security Standard, which the namespace asks to be warned about."""
    for obj in made(name, "--include-crds"):
        answer = put(cluster, obj, "&dryRun=All")

        assert answer.warnings == (), place_of(cluster, obj)


@pytest.mark.parametrize("component", ["web", "pages", "controller"])
def test_a_namespace_that_enforces_the_restricted_standard_admits_the_pods(
    installed: ControlPlane, component: str
) -> None:
    template = helm.one(rendered("minimal"), "Deployment", f"previewbot-{component}")["spec"]["template"]
    pod = {**template, "apiVersion": "v1", "kind": "Pod"}
    pod["metadata"] = {**template["metadata"], "name": f"a-{component}", "namespace": NAMESPACE}

    answer = installed.call("POST", f"{installed.path_of(pod)}?dryRun=All", pod)

    assert answer.status == 201, answer.body.get("message")


def test_the_pods_of_helm_test_are_taken_without_a_warning(installed: ControlPlane) -> None:
    pods = [obj for obj in rendered("minimal") if is_hook(obj)]
    assert [pod["kind"] for pod in pods] == ["Pod"] * 3
    for pod in pods:
        assert put(installed, pod, "&dryRun=All").warnings == (), place_of(installed, pod)


def test_an_install_makes_what_was_rendered(installed: ControlPlane) -> None:
    missing = [obj["metadata"]["name"] for obj in made("minimal") if not is_there(installed, obj)]

    assert missing == []


def test_an_upgrade_adds_and_removes_what_the_new_values_say(installed: ControlPlane) -> None:
    change(installed, "upgrade", "everything")
    assert all(is_there(installed, obj) for obj in made("everything"))

    change(installed, "upgrade", "minimal")
    assert all(is_there(installed, obj) for obj in made("minimal"))
    kept = {place_of(installed, obj) for obj in made("minimal")}
    for obj in made("everything"):
        assert is_there(installed, obj) == (place_of(installed, obj) in kept), place_of(installed, obj)


def test_an_upgrade_changes_no_selector_which_kubernetes_would_refuse(installed: ControlPlane) -> None:
    for name in ALL_VALUES:
        change(installed, "upgrade", name)

    found = installed.call("GET", f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments").body["items"]
    names = {item["metadata"]["name"] for item in found}
    assert names == {f"previewbot-{component}" for component in ("web", "pages", "controller")}


def test_a_rollback_restores_the_previous_values(installed: ControlPlane) -> None:
    change(installed, "upgrade", "everything")

    result = helm.run("rollback", RELEASE, "-n", NAMESPACE, kubeconfig=installed.kubeconfig())

    assert result.returncode == 0, result.stderr
    path = f"/api/v1/namespaces/{NAMESPACE}/configmaps/previewbot"
    [settings] = of_kind(rendered("minimal"), "ConfigMap")
    assert installed.call("GET", path).body["data"] == settings["data"]


def test_an_uninstall_leaves_the_crd_the_previews_and_the_lease_and_nothing_else(
    cluster: ControlPlane,
) -> None:
    change(cluster, "install", "everything")
    everything = [place_of(cluster, obj) for obj in rendered("everything")]
    spec = {
        "githubHost": "github.com", "repositoryId": 1, "number": 1, "repository": "a/b",
        "installationId": 1, "appId": 1, "environmentKey": "paaaaaaaaaa-b-1",
    }  # fmt: skip
    preview = {"apiVersion": "previewbot.dev/v1alpha1", "kind": "Preview", "spec": spec}
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"}
    kept: list[Object] = [
        {**preview, "metadata": {"name": "gh-1-1"}},
        {**lease, "metadata": {"name": "previewbot-controller", "namespace": NAMESPACE}},
    ]
    for obj in kept:
        put(cluster, obj)

    result = helm.run("uninstall", RELEASE, "-n", NAMESPACE, kubeconfig=cluster.kubeconfig())

    assert result.returncode == 0, result.stderr
    assert [path for path in everything if cluster.call("GET", path).status != 404] == []
    for obj in kept:
        assert cluster.call("DELETE", place_of(cluster, obj)).status == 200
    crd = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/previews.previewbot.dev"
    assert cluster.call("GET", crd).status == 200


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("minimal", ["Nothing leads to web and pages yet", "Service previewbot-web, port 80", "share hosts"]),
        ("bare", ["`admissionPolicy.enabled` is off", "whoever has its token"]),
        ("ingress", ["Set the webhook of your GitHub App to https://previews.example.com:8443/webhook"]),
        ("gateway", ["--from-file=app.pem=", "--from-literal=webhook-secret=", "kubectl get previews"]),
    ],
)
def test_the_notes_say_the_next_step(cluster: ControlPlane, name: str, words: list[str]) -> None:
    notes = notes_of(cluster, name)

    for word in words:
        assert word in notes
    assert f"--namespace {NAMESPACE} create secret generic previewbot" in notes


def test_the_notes_name_the_addresses_of_people_who_sign_in_and_of_the_way_into_previews(
    cluster: ControlPlane,
) -> None:
    guard = ("--set", "settings.links.gateway.guard.host_in=Host,guard.existingSecret=guard")
    people = ("--set", "signIn.existingSecret=sign-in,settings.sign_in.client_id=Iv1")

    assert "/openapi.json to the Service previewbot-pages" in notes_of(cluster, "gateway")
    words = "/sign-in, everything below /sign-in/, /sign-out, /enter to the Service previewbot-pages"
    assert words in notes_of(cluster, "gateway", *guard, *people)


def test_the_notes_do_not_say_what_is_done_already(cluster: ControlPlane) -> None:
    notes = notes_of(cluster, "everything")

    assert "Nothing leads to web" not in notes
    assert "is off" not in notes
    assert "share hosts" not in notes


def test_the_notes_say_that_prometheus_is_kept_out_unless_it_is_named(cluster: ControlPlane) -> None:
    words = "name your Prometheus in `networkPolicy.metricsFrom`"

    assert words in notes_of(cluster, "minimal", "--set", "serviceMonitor.enabled=true")
    assert words not in notes_of(cluster, "minimal")
    assert words not in notes_of(cluster, "everything")


def test_the_notes_say_that_any_repository_may_name_any_workload_until_the_settings_say_otherwise(
    cluster: ControlPlane,
) -> None:
    words = "settings.repositories says what each\nmay have, and is not set."

    assert words in notes_of(cluster, "minimal")
    assert words not in notes_of(cluster, "minimal", "--set", "settings.repositories[0].match={acme/*}")


def notes_of(cluster: ControlPlane, name: str, *options: str) -> str:
    return change(cluster, "install", name, "--dry-run=server", *options).split("\nNOTES:\n")[1]
