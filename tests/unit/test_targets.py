"""The container that a session replaces: the CLI's choice, unless it is obviously another service's."""

from __future__ import annotations

from typing import Any

import pytest

from previewbot.config.repository import parse_target
from previewbot.engine.mirrord import POD_SESSION
from previewbot.engine.targets import (
    ChosenContainer,
    Referenced,
    TargetProblem,
    choose_container,
    pod_behind,
    referenced,
    selector_of,
)

IMAGE = "ghcr.io/acme/checkout:" + "a" * 40
APP = {"name": "app", "image": "ghcr.io/acme/checkout:main", "ports": [{"containerPort": 8080}]}
SQL = {"name": "cloud-sql-proxy", "image": "gcr.io/cloud-sql-connectors/cloud-sql-proxy:2.14.0"}
NGINX = {"name": "nginx", "image": "nginx:1.27"}


def workload(*containers: str | dict[str, Any], annotation: str | None = None, **pod: Any) -> dict[str, Any]:
    """Return a workload with these containers: names, or what there is to say of them."""
    listed = [{"name": each} if isinstance(each, str) else each for each in containers]
    annotations = {"kubectl.kubernetes.io/default-container": annotation} if annotation else None
    template = {"metadata": {"annotations": annotations}, "spec": {"containers": listed, **pod}}
    return {"spec": {"template": template}}


@pytest.mark.parametrize(
    ("target", "found", "container"),
    [
        ("deployment/x", workload("app"), "app"),
        ("deployment/x", workload("istio-proxy", "app"), "app"),
        ("deployment/x", workload("app", "web", annotation="web"), "web"),
        ("deployment/x", workload("app", "web", annotation="gone"), "app"),
        ("deployment/x", workload("app", "istio-proxy", annotation="istio-proxy"), "istio-proxy"),
        ("deployment/x/container/web", workload("app", "web"), "web"),
        # None of the images is the service's as far as the references say: then it is as the CLI has it.
        ("deployment/x", workload(NGINX, "app"), "nginx"),
    ],
)
def test_the_container_is_chosen_as_the_cli_does(target: str, found: dict[str, Any], container: str) -> None:
    assert choose_container(parse_target(target), found, IMAGE).name == container


@pytest.mark.parametrize(
    ("found", "container"),
    [
        (workload(SQL, "checkout"), "checkout"),
        (workload(SQL, APP), "app"),
        (workload(NGINX, APP), "app"),
        (workload(NGINX, APP, annotation="nginx"), "app"),
        (workload(NGINX, {**APP, "image": "mirror.example.com/ghcr.io/acme/checkout:main"}), "app"),
        (workload(NGINX, {**APP, "image": "registry.example.com:5000/acme/checkout"}), "app"),
        # Two of the same image: the CLI's choice is one of these, and stays.
        (workload(APP, {**APP, "name": "metrics"}), "app"),
        (workload(APP, {**APP, "name": "metrics"}, annotation="metrics"), "metrics"),
        # The surest of those that might be it.
        (workload(NGINX, {"name": "a", "image": "eu.example.com/acme/checkout"}, APP), "app"),
        # A service that is a sidecar elsewhere.
        (workload("app", {**APP, "name": "vault-agent"}), "vault-agent"),
        (workload(SQL, {**APP, "name": "istio-proxy"}), "istio-proxy"),
        # One that runs on beside the others and is none of them.
        (
            workload(APP, initContainers=[{**SQL, "restartPolicy": "Always"}, {**APP, "name": "migrate"}]),
            "app",
        ),
    ],
)
def test_a_container_of_the_services_own_image_is_preferred_to_an_obvious_stranger(
    found: dict[str, Any], container: str
) -> None:
    chosen = choose_container(parse_target("deployment/checkout"), found, IMAGE)

    assert (chosen.name, chosen.meant) == (container, "")


@pytest.mark.parametrize(
    ("named", "found", "meant"),
    [
        ("nginx", workload(NGINX, APP), "app"),
        ("app", workload(NGINX, APP), ""),
        ("nginx", workload(NGINX, "app"), ""),
        ("metrics", workload(APP, {**APP, "name": "metrics"}), ""),
    ],
)
def test_a_container_that_the_target_names_counts_and_the_other_is_told_of(
    named: str, found: dict[str, Any], meant: str
) -> None:
    chosen = choose_container(parse_target(f"deployment/checkout/container/{named}"), found, IMAGE)

    assert (chosen.name, chosen.meant) == (named, meant)


def test_whether_the_pod_declares_any_port_is_noted() -> None:
    target = parse_target("deployment/checkout")

    assert choose_container(target, workload(NGINX, APP), IMAGE) == ChosenContainer("app")
    assert not choose_container(target, workload("worker"), IMAGE).declares_ports


@pytest.mark.parametrize(
    ("target", "found", "says"),
    [
        ("deployment/x/container/y", workload("app", "web"), "deployment/x has no container y: app, web"),
        (
            "deployment/x",
            workload("istio-proxy"),
            "no container to replace beside sidecars.*container/ist",
        ),
        ("deployment/x", workload(), "no container to replace$"),
        ("deployment/x", {"spec": {}}, "no container to replace$"),
        (
            "deployment/x/container/proxy",
            workload("app", initContainers=[{"name": "proxy", "restartPolicy": "Always"}]),
            "proxy is an init container of deployment/x; a session replaces one of: app",
        ),
    ],
)
def test_a_target_that_cannot_be_previewed_says_why(target: str, found: dict[str, Any], says: str) -> None:
    with pytest.raises(TargetProblem, match=says):
        choose_container(parse_target(target), found, IMAGE)


def a_pod(name: str, *containers: str, phase: str = "Running", **metadata: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, **metadata},
        "spec": {"containers": [{"name": each} for each in containers]},
        "status": {"phase": phase},
    }


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("pod/x", a_pod("x", "istio-proxy", "app")),
        ("replicaset/x", workload("istio-proxy", "app")),
        ("job/x", workload("istio-proxy", "app")),
        ("cronjob/x", {"spec": {"jobTemplate": workload("istio-proxy", "app")}}),
        ("service/x", a_pod("x-1", "istio-proxy", "app")),
    ],
)
def test_the_containers_of_each_kind_stand_where_kubernetes_has_them(
    target: str, found: dict[str, Any]
) -> None:
    assert choose_container(parse_target(target), found, IMAGE).name == "app"


def test_the_pods_behind_a_service_are_those_of_its_selector() -> None:
    target = parse_target("service/x")

    assert selector_of(target, {"spec": {"selector": {"tier": "web", "app": "x"}}}) == "app=x,tier=web"
    assert selector_of(parse_target("deployment/x"), workload("app")) == ""
    without: list[dict[str, Any]] = [{}, {"selector": {}}, {"selector": None, "type": "ExternalName"}]
    for spec in without:
        with pytest.raises(TargetProblem, match="service/x has no selector"):
            selector_of(target, {"spec": spec})


@pytest.mark.parametrize(
    ("pods", "name"),
    [
        ([a_pod("b", "app"), a_pod("a", "app")], "a"),
        # It may be of the workload as it was before.
        ([a_pod("a", "app", deletionTimestamp="2026-01-01T00:00:00Z"), a_pod("b", "app")], "b"),
        ([a_pod("a", "app", phase="Failed"), a_pod("b", "app", phase="Pending")], "b"),
        # A preview's pod has the labels of what it stands in for.
        ([a_pod("a", "app", labels={POD_SESSION: "u"}), a_pod("b", "app", labels={"app": "x"})], "b"),
        ([a_pod("a", "app", phase="Succeeded")], "a"),
    ],
)
def test_a_services_container_is_chosen_by_the_same_pod_at_each_look(
    pods: list[dict[str, Any]], name: str
) -> None:
    assert pod_behind(parse_target("service/x"), pods)["metadata"]["name"] == name


@pytest.mark.parametrize("pods", [[], [a_pod("a", "app", labels={POD_SESSION: "u"})]])
def test_a_service_that_leads_to_no_pod_of_stagings_says_so(pods: list[dict[str, Any]]) -> None:
    with pytest.raises(TargetProblem, match="service/x leads to no pod now"):
        pod_behind(parse_target("service/x"), pods)


def test_a_pod_of_a_preview_is_no_target() -> None:
    with pytest.raises(TargetProblem, match="pod/x is a pod of a preview"):
        referenced(parse_target("pod/x"), a_pod("x", "app", labels={POD_SESSION: "u"}))


def rollout(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "spec": {"replicas": 5, **spec}}


def reference(kind: str = "Deployment", name: str = "checkout", version: str = "apps/v1") -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "name": name}


@pytest.mark.parametrize(
    ("found", "source"),
    [
        (rollout(workloadRef=reference()), Referenced("deployment", "checkout")),
        (rollout(workloadRef=reference("ReplicaSet", "old")), Referenced("replicaset", "old")),
        (rollout(workloadRef=reference("StatefulSet")), Referenced("statefulset", "checkout")),
        # What a chart leaves where the other is chosen.
        (rollout(workloadRef=reference(), template={}), Referenced("deployment", "checkout")),
        (rollout(workloadRef=reference(), template=None), Referenced("deployment", "checkout")),
        (rollout(workloadRef=None, **workload("app")["spec"]), None),
        (rollout(**workload("app")["spec"]), None),
    ],
)
def test_a_rollout_has_its_own_pods_or_those_of_the_workload_that_it_refers_to(
    found: dict[str, Any], source: Referenced | None
) -> None:
    assert referenced(parse_target("rollout/checkout"), found) == source


def test_only_a_rollout_refers_to_another_workload() -> None:
    assert referenced(parse_target("deployment/checkout"), rollout(workloadRef=reference())) is None


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (None, "there is no rollout named checkout in the staging namespace"),
        (rollout(workloadRef=reference(), **workload("app")["spec"]), "both a template and a workloadRef"),
        (
            rollout(workloadRef=reference("PodTemplate", version="v1")),
            r"takes its pods from PodTemplate checkout \(v1\).*a Deployment, ReplicaSet or StatefulSet",
        ),
        (
            rollout(workloadRef=reference(version="extensions/v1beta1")),
            "Deployment checkout .extensions/v1beta1",
        ),
        (rollout(workloadRef=reference(name="")), "a workloadRef without a name"),
    ],
)
def test_a_reference_that_leads_nowhere_is_told(found: dict[str, Any] | None, says: str) -> None:
    with pytest.raises(TargetProblem, match=says):
        referenced(parse_target("rollout/checkout"), found)


def test_a_workload_that_a_rollout_refers_to_and_that_is_not_there_is_named() -> None:
    with pytest.raises(TargetProblem, match="rollout/checkout takes its pods from deployment/web"):
        choose_container(parse_target("rollout/checkout"), None, IMAGE, Referenced("deployment", "web"))
