"""`previewbot demo --kubeconfig` in a cluster that has an operator of mirrord's: it does not begin."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from previewbot_demo.processes import StartError
from previewbot_demo.world import Options, World
from tests.support.control_plane import ControlPlane

NAMESPACE = "demo-and-operator"
AN_OPERATOR_THAT_IS_DOWN = {
    "apiVersion": "apiregistration.k8s.io/v1",
    "kind": "APIService",
    "metadata": {"name": "v1.operator.metalbear.co"},
    "spec": {
        "group": "operator.metalbear.co",
        "version": "v1",
        "groupPriorityMinimum": 1000,
        "versionPriority": 15,
        "service": {"name": "mirrord-operator", "namespace": "mirrord"},
        "insecureSkipTLSVerify": True,
    },
}
APISERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"


@contextmanager
def operator(plane: ControlPlane) -> Iterator[None]:
    """Register an operator's API, as its chart does; nobody is behind it."""
    plane.apply(AN_OPERATOR_THAT_IS_DOWN)
    try:
        yield
    finally:
        plane.call("DELETE", f"{APISERVICES}/v1.operator.metalbear.co")


async def begin(kubeconfig: Path) -> None:
    async with World(Options(kubeconfig=kubeconfig, namespace=NAMESPACE, processes=False)):
        pass


def test_the_demo_stops_and_says_what_to_do_instead(control_plane: ControlPlane) -> None:
    kubeconfig = control_plane.kubeconfig()
    with (
        operator(control_plane),
        pytest.raises(StartError, match=r"has an operator of mirrord's.*previewbot conformance"),
    ):
        asyncio.run(begin(kubeconfig))
    assert control_plane.call("GET", f"/api/v1/namespaces/{NAMESPACE}").status == 404
