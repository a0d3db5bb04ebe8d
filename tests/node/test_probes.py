"""Each probe means something: what fails it, and what Kubernetes does then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, TextIO

import pytest

from tests.node.conftest import Installation
from tests.node.faults import asked, cut_off, frozen, log_of, unanswered
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


def restarts(node: Node, pod: str) -> int:
    [container] = one(node, pod)["status"]["containerStatuses"]
    return int(container["restartCount"])


@dataclass(frozen=True)
class Victims:
    """Pods that something happens to while other tests take their time, and their restarts before it did.

    `healthz` has the status codes with which the controller answered whether it is healthy, `log` what its
    container writes.
    """

    unanswered: str
    frozen: str
    restarts: dict[str, int]
    healthz: set[int]
    log: TextIO


@pytest.fixture(scope="module")
def victims(installation: Installation) -> Iterator[Victims]:
    """A controller that the API server answers nothing any more, and a web that stands still."""
    node = installation.node
    controller, web = (installation.pods(c)[1]["metadata"]["name"] for c in ("controller", "web"))
    before = {pod: restarts(node, pod) for pod in (controller, web)}
    healthz = asked(controller, "http://127.0.0.1:8081/healthz")
    with (
        log_of(node, one(node, controller)) as log,
        healthz as answers,
        frozen(web),
        unanswered(node, controller),
    ):
        yield Victims(controller, web, before, answers, log)
    for pod in (controller, web):
        wait_for(f"{pod}, ready again", partial(ready, node, pod), 120)


def ready(node: Node, pod: str) -> bool:
    return is_ready(one(node, pod))


def started_again(node: Node, pod: str, before: int) -> bool:
    return restarts(node, pod) > before


def test_pods_that_cannot_reach_the_api_server_are_not_ready_until_they_can(
    installation: Installation, victims: Victims
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


def test_processes_that_stand_still_are_started_again(installation: Installation, victims: Victims) -> None:
    node = installation.node
    controller = installation.pods("controller")[0]["metadata"]["name"]
    before = restarts(node, controller)

    with frozen(controller):
        wait_for("a restart of the controller", partial(started_again, node, controller, before), 180)
    web = victims.frozen
    wait_for("a restart of web", partial(started_again, node, web, victims.restarts[web]), 180)

    wait_for("a controller that is ready again", partial(ready, node, controller), 90)


def test_a_controller_that_gets_no_answer_for_as_long_as_the_settings_say_is_started_again(
    installation: Installation, victims: Victims
) -> None:
    node, pod = installation.node, victims.unanswered

    wait_for("a restart", partial(started_again, node, pod, victims.restarts[pod]), 240)

    written = victims.log.read()
    # It said that it is not healthy, and was asked to end, which only the kubelet does for a container alone.
    assert 503 in victims.healthz
    assert '"message": "stopped"' in written[-6000:], written[-6000:]
