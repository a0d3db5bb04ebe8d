"""Each probe means something: what fails it, and what Kubernetes does then."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from tests.node.conftest import Installation
from tests.node.faults import cut_off, frozen
from tests.node.node import Node, is_ready, wait_for

pytestmark = pytest.mark.timeout(600)

NAMESPACE = "previewbot"


def one(node: Node, name: str) -> dict[str, Any]:
    found: dict[str, Any] = node.get("pod", name, "--namespace", NAMESPACE)
    return found


def addresses(node: Node) -> set[str]:
    """Return the pods that the Service of web leads to."""
    selector = "kubernetes.io/service-name=previewbot-web"
    slices = node.get("endpointslices", "--namespace", NAMESPACE, "--selector", selector)["items"]
    endpoints = [endpoint for part in slices for endpoint in part["endpoints"] or []]
    return {e["targetRef"]["name"] for e in endpoints if e["conditions"]["ready"]}


def test_pods_that_cannot_reach_the_api_server_are_not_ready_until_they_can(
    installation: Installation,
) -> None:
    node = installation.node
    web, controller = (installation.pods(c)[0]["metadata"]["name"] for c in ("web", "controller"))

    with cut_off(node, web), cut_off(node, controller):
        wait_for("web that is not ready", lambda: not is_ready(one(node, web)), 60)
        wait_for("the Service without it", lambda: web not in addresses(node), 10)
        wait_for("a controller that is not ready", lambda: not is_ready(one(node, controller)), 60)

    wait_for("web that is ready again", lambda: is_ready(one(node, web)), 90)
    wait_for("the Service with it", lambda: web in addresses(node), 10)
    wait_for("a controller that is ready again", lambda: is_ready(one(node, controller)), 90)


def test_processes_that_stand_still_are_started_again(installation: Installation) -> None:
    node = installation.node
    victims = [installation.pods(component)[0]["metadata"]["name"] for component in ("web", "controller")]

    def restarts(pod: str) -> int:
        return int(one(node, pod)["status"]["containerStatuses"][0]["restartCount"])

    def restarted(pod: str) -> bool:
        return restarts(pod) > before[pod]

    def ready(pod: str) -> bool:
        return is_ready(one(node, pod))

    before = {pod: restarts(pod) for pod in victims}
    with frozen(victims[0]), frozen(victims[1]):
        for pod in victims:
            wait_for(f"a restart of {pod}", partial(restarted, pod), 180)

    for pod in victims:
        wait_for(f"{pod}, ready again", partial(ready, pod), 90)
