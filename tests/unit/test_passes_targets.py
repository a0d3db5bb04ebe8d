"""What a pass makes of targets that are not one Deployment with one container and one port."""

from __future__ import annotations

from typing import Any

import pytest

from previewbot.api import Phase, Reason
from previewbot.engine.mirrord import POD_SESSION
from previewbot.errors import Forbidden, NotServed
from tests.support.passes import CONFIGURATION, World

APP = {"name": "app", "image": "ghcr.io/acme/checkout:main", "ports": [{"containerPort": 8080}]}
SQL = {"name": "cloud-sql-proxy", "image": "gcr.io/cloud-sql-connectors/cloud-sql-proxy:2.14.0"}
NGINX = {"name": "nginx", "image": "nginx:1.27", "ports": [{"containerPort": 80}]}
ROLLOUT = {"spec": {"workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "checkout"}}}
ROLLED = CONFIGURATION.replace("target: deployment/checkout\n", "target: rollout/checkout\n")
PORTLESS = CONFIGURATION.replace("    ports: [8080]\n", "", 1)
WORKER = CONFIGURATION.replace("ports: [8080]", "ports: []", 1)


def workload(*containers: dict[str, Any]) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": list(containers)}}}}


async def a_world(configuration: str = CONFIGURATION, **workloads: dict[str, Any] | None) -> World:
    """Return a world that has settled, with these workloads by kind_name."""
    world = World()
    world.cluster.workloads = {name.replace("_", "/", 1): found for name, found in workloads.items()}
    world.github.configuration = configuration
    world.poke()
    await world.settle()
    return world


def spec(world: World) -> dict[str, Any]:
    """Return the spec of the only session."""
    ((session),) = world.cluster.sessions.values()
    return dict(session["spec"])


@pytest.mark.parametrize("container", ["", "/container/app"])
async def test_a_rollout_that_refers_to_a_deployment_is_previewed_as_the_rollout(container: str) -> None:
    world = await a_world(
        ROLLED.replace("rollout/checkout", f"rollout/checkout{container}"),
        rollout_checkout=ROLLOUT,
        deployment_checkout=workload(SQL, APP),
    )

    assert world.status.phase is Phase.READY
    assert spec(world)["target"] == {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "name": "checkout",
        "container": "app",
    }


async def test_a_deployment_that_a_rollout_refers_to_and_that_is_not_there_is_told() -> None:
    world = await a_world(ROLLED, rollout_checkout=ROLLOUT, deployment_checkout=None)

    assert (world.service.phase, world.service.reason) == (Phase.FAILED, Reason.TARGET_MISSING)
    assert "rollout/checkout takes its pods from deployment/checkout" in world.comment

    world.cluster.workloads["deployment/checkout"] = workload(APP)
    await world.settle()

    assert world.status.phase is Phase.READY


async def test_a_kind_of_workload_that_the_cluster_does_not_know_is_no_workload_that_is_missing() -> None:
    world = World()
    world.github.configuration = ROLLED
    missing = NotServed("Kubernetes: get rollout", message="rollouts.argoproj.io (v1alpha1)", status=404)
    world.calls.failures["get target"] = missing
    world.poke()
    await world.settle()

    assert "this cluster has no rollouts.argoproj.io (v1alpha1): for rollout/checkout your platform team" in (
        world.comment
    )
    assert "there is no rollout named" not in world.comment


async def test_a_workload_that_the_role_does_not_open_is_the_platform_teams() -> None:
    world = World()
    world.github.configuration = ROLLED
    world.calls.failures["get target"] = Forbidden("Kubernetes: get rollout", message="no", status=403)
    world.poke()
    await world.settle()

    assert "rollout checkout cannot be looked at (403: previewbot's role does not let it" in world.comment


POD = {"metadata": {"name": "checkout-0"}, "spec": {"containers": [SQL, APP]}}
KINDS: dict[str, tuple[dict[str, Any], tuple[str, str]]] = {
    "replicaset": (workload(SQL, APP), ("apps/v1", "ReplicaSet")),
    "pod": (POD, ("v1", "Pod")),
    "job": (workload(SQL, APP), ("batch/v1", "Job")),
    "cronjob": ({"spec": {"jobTemplate": workload(SQL, APP)}}, ("batch/v1", "CronJob")),
}


@pytest.mark.parametrize(("kind", "found", "written"), [(k, *each) for k, each in KINDS.items()], ids=KINDS)
async def test_a_target_of_any_kind_that_mirrords_cli_knows_is_previewed(
    kind: str, found: dict[str, Any], written: tuple[str, str]
) -> None:
    configuration = CONFIGURATION.replace("deployment/checkout", f"{kind}/checkout", 1)
    world = await a_world(configuration, **{f"{kind}_checkout": found})

    target = spec(world)["target"]
    assert (target["apiVersion"], target["kind"]) == written
    assert (target["name"], target["container"]) == ("checkout", "app")


OF_SERVICE = CONFIGURATION.replace("target: deployment/checkout", "target: service/checkout", 1)
SERVICE = {"spec": {"selector": {"app": "checkout"}}}


def a_pod(name: str, *containers: dict[str, Any], **labels: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "staging", "labels": {"app": "checkout", **labels}}
    return {"metadata": metadata, "spec": {"containers": list(containers)}}


async def test_of_a_service_the_container_is_that_of_the_pods_behind_it() -> None:
    world = World()
    world.cluster.workloads = {"service/checkout": SERVICE}
    world.cluster.others["pods"] = {
        # A pod of another preview has the labels of what it stands in for.
        "a": a_pod("a", {"name": "preview"}, **{POD_SESSION: "u"}),
        "b": a_pod("b", SQL, APP),
    }
    world.github.configuration = OF_SERVICE
    world.poke()
    await world.settle()

    target = spec(world)["target"]
    assert target == {"apiVersion": "v1", "kind": "Service", "name": "checkout", "container": "app"}


async def test_a_service_without_pods_says_what_to_name_instead() -> None:
    world = await a_world(OF_SERVICE, service_checkout=SERVICE)

    assert world.service.reason is Reason.TARGET_MISSING
    assert "service/checkout leads to no pod now" in world.comment
    assert "name the workload whose pods it leads to instead" in world.comment


async def test_the_container_that_runs_the_services_image_is_replaced_and_no_sidecar_before_it() -> None:
    world = await a_world(deployment_checkout=workload(SQL, NGINX, APP))

    assert spec(world)["target"]["container"] == "app"
    assert world.service.meant_container == ""


async def test_a_named_container_counts_and_the_comment_says_which_one_runs_the_image() -> None:
    world = await a_world(
        CONFIGURATION.replace("deployment/checkout\n", "deployment/checkout/container/nginx\n"),
        deployment_checkout=workload(NGINX, APP),
    )

    assert spec(world)["target"]["container"] == "nginx"
    assert "replaces the container `nginx` because its `target` names it" in world.comment
    assert "write `deployment/checkout/container/app`" in world.comment


async def test_ports_that_are_left_out_are_the_operators_to_find() -> None:
    world = await a_world(PORTLESS)

    assert set(spec(world)["incoming"]) == {"steal", "httpFilter"}
    assert "No request reaches" not in world.comment


async def test_of_a_service_whose_ports_nobody_says_the_comment_tells_that_nothing_reaches_it() -> None:
    world = await a_world(PORTLESS, deployment_checkout=workload({"name": "app"}))
    assert "No request reaches **checkout**" in world.comment

    world.configure(WORKER)
    await world.settle()

    assert "No request reaches" not in world.comment


async def test_a_worker_is_previewed_behind_the_link_of_the_entry() -> None:
    world = await a_world(WORKER, deployment_checkout=workload({"name": "app"}))

    assert world.status.phase is Phase.READY
    assert "incoming" not in spec(world)
    assert world.status.link.url.endswith(".preview.example.com/")
    assert world.cluster.leads_to() == "staging"
