"""What `previewbot check --cluster` says: which line of the file does not fit what is in the cluster."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from previewbot.api import Resource
from previewbot.config.repository import parse
from previewbot.doctor.staging import see
from previewbot.doctor.staging_judged import Finding, Seen, judged
from previewbot.engine.staging import staging_of
from previewbot.errors import Forbidden, NotFound
from tests.support.workloads import a_service, a_workload

FILE = """\
version: 1
entry: {url: "https://staging.example.com", namespace: staging, service: web, port: 80}
services:
  checkout:
    paths: ["checkout/**"]
    target: deployment/checkout
    namespace: staging
    image: "ghcr.io/acme/checkout:{head_sha}"
    ports: [8080]
"""
OBJECTS = (a_workload("checkout"), a_service("checkout"), a_workload("web"), a_service("web"))


def a_reference(name: str) -> dict[str, str]:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}


def found(content: str = FILE, *objects: dict[str, Any], **seen: Any) -> list[tuple[int, str]]:
    """Return the lines and words of all findings."""
    return [(each.line, each.words) for each in findings(content, *objects, **seen)]


def findings(content: str, *objects: dict[str, Any], **seen: Any) -> tuple[Finding, ...]:
    return judged(parse(content), replace(Seen(staging_of(objects or OBJECTS)), **seen))


def test_a_file_that_fits_has_no_finding() -> None:
    assert found() == []


def test_a_workload_of_another_name_is_told_with_the_nearest_one() -> None:
    assert found(FILE.replace("deployment/checkout", "deployment/chekout")) == [
        (6, "there is no deployment `chekout` in the namespace `staging`; did you mean `checkout`?")
    ]


def test_a_workload_of_another_kind_is_told_with_what_to_write() -> None:
    objects = (*OBJECTS[2:], a_workload("checkout", kind="StatefulSet"))
    words = (
        "there is no deployment `checkout` in the namespace `staging`; it is a statefulset: write "
        "`target: statefulset/checkout`"
    )
    assert found(FILE, *objects) == [(6, words)]


def test_a_workload_of_another_namespace_is_told_with_its_own() -> None:
    objects = (*OBJECTS[2:], a_workload("checkout", namespace="shop"))
    assert found(FILE, *objects) == [
        (6, "there is no deployment `checkout` in the namespace `staging`; it is in `shop`")
    ]


def test_what_there_is_is_named_where_nothing_is_near() -> None:
    assert found(FILE.replace("deployment/checkout", "deployment/zzz")) == [
        (6, "there is no deployment `zzz` in the namespace `staging`; there are: checkout, web")
    ]


def test_a_kind_of_workload_that_the_cluster_lacks_is_told_as_that() -> None:
    content = FILE.replace("deployment/checkout", "rollout/shop")
    assert found(content, lacks=frozenset({"rollout"})) == [
        (
            6,
            "there is no rollout `shop` in the namespace `staging`: this cluster has no such kind of "
            "workload",
        )
    ]


def test_a_namespace_that_is_not_there_is_told_at_each_line_that_names_it() -> None:
    words = "this cluster has no namespace `staging`; did you mean `stagings`?"
    assert found(missing=frozenset({"staging"}), namespaces=("stagings",)) == [(2, words), (7, words)]


def test_what_may_not_be_listed_is_no_clean_bill() -> None:
    unread = {("staging", "workloads"): "may not be listed with this login (403): no"}
    (only,) = findings(FILE, unread=unread)
    assert only == Finding(7, "the workloads of `staging` may not be listed with this login (403): no")
    assert only.wrong


def test_a_container_that_is_not_there_is_told_with_those_that_are() -> None:
    content = FILE.replace("deployment/checkout", "deployment/checkout/container/app")
    assert found(content) == [(6, "deployment/checkout has no container app: server")]


def test_a_container_that_runs_another_image_than_the_services_own_is_asked_about() -> None:
    containers: list[dict[str, Any]] = [
        {"name": "proxy", "image": "envoy:1", "ports": [{"containerPort": 8080}]},
        {"name": "app", "image": "ghcr.io/acme/checkout:main"},
    ]
    objects = (a_workload("checkout", containers=containers), *OBJECTS[1:])
    content = FILE.replace("deployment/checkout", "deployment/checkout/container/proxy")

    words = [finding.words for finding in findings(content, *objects)]

    assert words[0].endswith("but the image of this service runs in `app`: is that the one?")


# Ports


def test_the_port_of_the_service_in_place_of_the_containers_is_told() -> None:
    assert found(FILE.replace("[8080]", "[80]")) == [
        (
            9,
            "nothing says that deployment/checkout listens on 80, which is the port of the Service "
            "`checkout`, not of its pods; its ports are: 8080",
        )
    ]


@pytest.mark.parametrize("leads_to", [8080, "port-8080"])
def test_a_port_is_known_by_what_a_service_leads_to_also_by_name(leads_to: int | str) -> None:
    objects = (a_workload("checkout"), a_service("checkout", leads_to=leads_to), *OBJECTS[2:])
    assert found(FILE, *objects) == []


def test_a_port_that_only_the_service_leads_to_is_none_to_complain_of() -> None:
    objects = (a_workload("checkout", ports=()), a_service("checkout"), *OBJECTS[2:])
    assert found(FILE, *objects) == []


def test_where_neither_file_nor_containers_name_a_port_the_services_is_what_to_write() -> None:
    content = FILE.replace("    ports: [8080]\n", "")
    objects = (a_workload("checkout", ports=()), *OBJECTS[1:])
    assert found(content, *objects) == [
        (
            5,
            "deployment/checkout declares no port, so its session would take no requests: write "
            "`ports: [8080]`, to which its Service leads",
        )
    ]


def test_a_worker_behind_a_service_is_asked_about() -> None:
    (only,) = findings(FILE.replace("[8080]", "[]"))
    assert (only.line, only.wrong) == (9, False)
    assert "a Service leads to port 8080 of deployment/checkout" in only.words


# Images


def test_an_image_of_another_repository_than_what_runs_is_asked_about() -> None:
    (only,) = findings(FILE.replace("acme/checkout", "acme/cart"))
    assert (only.line, only.wrong) == (8, False)
    assert only.words == (
        "deployment/checkout runs `ghcr.io/acme/checkout:main`, which is of another repository than "
        "`ghcr.io/acme/cart:{head_sha}`: is it the same service?"
    )


def test_an_image_that_staging_pulls_through_a_mirror_is_the_same() -> None:
    workload = a_workload("checkout", image="mirror.example.com/ghcr.io/acme/checkout@sha256:" + "a" * 64)
    assert found(FILE, workload, *OBJECTS[1:]) == []


# Entries


def test_an_entrys_service_that_is_not_there_is_told() -> None:
    assert found(FILE.replace("service: web", "service: wbe")) == [
        (2, "there is no Service `wbe` in the namespace `staging`; did you mean `web`?")
    ]


def test_an_entrys_port_that_its_service_lacks_is_told() -> None:
    assert found(FILE.replace("port: 80}", "port: 8080}")) == [
        (2, "the Service `web` has no port 8080; its ports are: 80")
    ]


def test_a_route_of_an_entry_is_held_to_its_service() -> None:
    content = FILE.replace("port: 80}", "port: 80,\n  routes: [{path: /api, service: api, port: 1}]}")
    assert found(content) == [
        (3, "there is no Service `api` in the namespace `staging`; there are: checkout, web")
    ]


def test_an_entry_whose_service_leads_to_another_workload_is_told_what_to_write() -> None:
    objects = (*OBJECTS[:2], a_workload("frontend"), a_service("web", app="frontend"))
    assert found(FILE, *objects) == [
        (
            2,
            "the Service `web` leads to deployment/frontend, and not to deployment/web: write "
            "`target: deployment/frontend` in `entry`",
        )
    ]


# What may not be read


@pytest.mark.parametrize("part", ["rollouts", "replicasets"])
def test_a_kind_that_may_not_be_listed_is_told_and_not_that_its_workload_is_missing(part: str) -> None:
    rollout = a_workload("checkout", kind="Rollout")
    rollout["spec"] = {"workloadRef": {**a_reference("checkout"), "kind": "ReplicaSet"}}
    there = (a_service("checkout"), *OBJECTS[2:], *([] if part == "rollouts" else [rollout]))
    unread = {("staging", part): "may not be listed with this login (403): no"}

    assert found(FILE.replace("deployment/checkout", "rollout/checkout"), *there, unread=unread) == [
        (6, f"the {part} of `staging` may not be listed with this login (403): no")
    ]


class Refusing:
    """A cluster in which we may read workloads, and neither namespaces nor Services."""

    async def get_child(self, resource: Resource, namespace: str | None, name: str) -> None:
        raise Forbidden("Kubernetes: get namespaces", status=403)

    async def list_children(self, resource: Resource, namespace: str, selector: str) -> list[dict[str, Any]]:
        if resource.plural == "rollouts":
            raise NotFound("Kubernetes: list rollouts", status=404)
        if resource.plural == "services":
            raise Forbidden("Kubernetes: list services", status=403, message="services is forbidden")
        return [a_workload("checkout")] if resource.plural == "deployments" else []


async def test_of_each_kind_that_is_refused_it_is_known() -> None:
    class Strict(Refusing):
        async def list_children(
            self, resource: Resource, namespace: str, selector: str
        ) -> list[dict[str, Any]]:
            raise Forbidden("Kubernetes: list", status=403, message="no")

    seen = await see(cast(Any, Strict()), ["staging"], doors=True)

    assert {part for _, part in seen.unread} == {"workloads", "rollouts", "replicasets", "services"}


async def test_what_a_login_may_not_see_is_told_and_the_rest_is_compared() -> None:
    seen = await see(cast(Any, Refusing()), ["staging"])

    assert not seen.missing
    assert seen.lacks == {"rollout"}
    assert [(finding.line, finding.words) for finding in judged(parse(FILE), seen)] == [
        (2, "the Services of `staging` may not be listed with this login (403): services is forbidden")
    ]


# What a cluster's objects say


@pytest.mark.parametrize(
    ("name", "own", "told"),
    [
        (
            "gone",
            False,
            "rollout/checkout takes its pods from deployment/gone (its workloadRef), and there is no such "
            "workload in the staging namespace",
        ),
        (
            "old",
            True,
            "rollout/checkout has both a template and a workloadRef, of which a Rollout may have one; take "
            "one away",
        ),
    ],
)
def test_a_rollout_whose_reference_leads_nowhere_is_told_as_a_preview_would_tell_it(
    name: str, own: bool, told: str
) -> None:
    rollout = a_workload("checkout", kind="Rollout")
    rollout["spec"] = {**(rollout["spec"] if own else {}), "workloadRef": a_reference(name)}
    content = FILE.replace("deployment/checkout", "rollout/checkout")

    assert found(content, rollout, a_workload("old"), *OBJECTS[1:]) == [(6, told)]


def test_a_rollout_stands_for_the_workload_it_refers_to() -> None:
    rollout = a_workload("checkout", kind="Rollout")
    rollout["spec"] = {"workloadRef": a_reference("checkout")}
    staging = staging_of([{"kind": "List", "items": [a_workload("checkout"), rollout]}])

    (only,) = staging.workloads

    assert (only.written, only.containers[0].ports) == ("rollout/checkout", (8080,))


_HOLDS_ITSELF: dict[str, Any] = {"apiVersion": "v1", "kind": "List"}
_HOLDS_ITSELF["items"] = [_HOLDS_ITSELF]


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"kind": "Deployment"},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": None, "spec": []},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}, "spec": {"template": 1}},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"ports": [None, {}, 3]}},
        _HOLDS_ITSELF,
        {"apiVersion": "v1", "kind": "List", "items": [None, 3, {"kind": "List", "items": None}]},
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {"name": "a"},
            "spec": {"rules": 1},
        },
    ],
)
def test_an_object_that_is_not_whole_says_nothing(broken: dict[str, Any]) -> None:
    staging = staging_of([broken])
    assert (staging.services and staging.services[0].ports, staging.doors) == ((), ())


def of(kind: str, name: str) -> str:
    return FILE.replace("deployment/checkout", f"{kind}/{name}")


def a_pod(name: str) -> dict[str, Any]:
    template = a_workload("checkout")["spec"]["template"]
    metadata = {**template["metadata"], "name": name, "namespace": "staging"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


def a_job(name: str, kind: str = "Job") -> dict[str, Any]:
    job = {**a_workload(name), "apiVersion": "batch/v1", "kind": kind}
    return {**job, "spec": {"jobTemplate": {"spec": job["spec"]}}} if kind == "CronJob" else job


@pytest.mark.parametrize(
    ("kind", "obj"),
    [
        ("pod", a_pod("checkout")),
        ("job", a_job("checkout")),
        ("cronjob", a_job("checkout", "CronJob")),
        ("replicaset", a_workload("checkout", kind="ReplicaSet")),
    ],
)
def test_targets_of_the_other_kinds_are_found_as_well(kind: str, obj: dict[str, Any]) -> None:
    assert found(of(kind, "checkout"), obj, *OBJECTS[1:]) == []
    [(line, words)] = found(of(kind, "chekout"), obj, *OBJECTS[1:])
    assert line == 6
    assert words.startswith(
        f"there is no {kind} `chekout` in the namespace `staging`; did you mean `checkout`?"
    )


def test_a_service_as_a_target_is_held_to_the_workload_behind_it() -> None:
    assert found(of("service", "checkout")) == []
    assert found(of("service", "chekout")) == [
        (6, "there is no service `chekout` in the namespace `staging`; did you mean `checkout`?")
    ]
    assert found(of("service", "checkout"), *OBJECTS[1:]) == [
        (6, "the Service `checkout` leads to no workload of `staging`")
    ]
    assert found(of("service", "checkout/container/app")) == [
        (6, "service/checkout has no container app: server")
    ]
