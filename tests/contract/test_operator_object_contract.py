"""The question for mirrord's operator: the demo's aggregated API, and a small CRD on Kubernetes' own server.

The operator itself is closed source; its object's shape is that of its client. What the API server says where
there is none, or where previewbot may not ask, is its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from previewbot.clients.kubernetes.client import Kube
from previewbot.clients.kubernetes.operator import look_at_operator
from previewbot.engine.operator import Answer, OperatorSeen
from previewbot_demo.kube import FakeKube
from previewbot_demo.operator_api import an_operator
from tests.contract.conftest import BOTH_API_SERVERS
from tests.support.control_plane import ControlPlane
from tests.support.kubeconfigs import write_kubeconfig
from tests.support.servers import served

CRD = Path(__file__).parents[1] / "support" / "mirrordoperators.yaml"
DEFINITION = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/mirrordoperators.operator.metalbear.co"
OBJECTS = "/apis/operator.metalbear.co/v1/mirrordoperators"


@dataclass(frozen=True)
class Server:
    """An API server, and how to put an operator there and to take it away."""

    kubeconfig: Path
    stranger: Path | None = None
    fake: FakeKube | None = None
    plane: ControlPlane | None = None

    def install(self, operator: dict[str, Any]) -> None:
        if self.fake is not None:
            self.fake.operator_api.state, self.fake.operator_api.object = "there", operator
        if self.plane is not None:
            self.plane.install_crd(CRD)
            self.plane.apply(operator)

    def remove(self) -> None:
        if self.fake is not None:
            self.fake.operator_api.state = "missing"
        if self.plane is not None:
            self.plane.remove_crd(DEFINITION)


@pytest.fixture(params=BOTH_API_SERVERS)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """Each test runs against both."""
    if request.param == "kube-apiserver":
        plane: ControlPlane = request.getfixturevalue("control_plane")
        found = Server(plane.kubeconfig(), plane.kubeconfig_for("nobody-in-particular"), plane=plane)
        found.remove()
        yield found
        found.remove()
        return
    fake = FakeKube()
    fake.operator_api.state = "missing"
    with served(fake.handle) as (url, _):
        yield Server(write_kubeconfig(tmp_path / "kubeconfig", url), fake=fake)


async def look(kubeconfig: Path) -> OperatorSeen:
    kube = await Kube.connect(kubeconfig, user_agent="tests")
    try:
        return await look_at_operator(kube)
    finally:
        await kube.close()


async def test_an_operator_is_seen_as_it_tells_of_itself_and_missed_where_there_is_none(
    server: Server,
) -> None:
    assert (await look(server.kubeconfig)).answer is Answer.MISSING

    server.install(an_operator())
    found = await look(server.kubeconfig)
    assert found.answer is Answer.FOUND
    assert found.operator.version == "3.196.0"
    assert found.operator.features is not None and "PreviewEnv" in found.operator.features
    assert str(found.operator.licence.ends) == "2099-12-31"
    assert found.operator.manages_from == ""

    server.remove()
    assert (await look(server.kubeconfig)).answer is Answer.MISSING


@pytest.mark.cluster
async def test_whoever_may_not_ask_still_learns_whether_there_is_one(control_plane: ControlPlane) -> None:
    """RBAC refuses before the API server looks whether there is such a thing; discovery is open to all."""
    control_plane.remove_crd(DEFINITION)
    stranger = control_plane.kubeconfig_for("somebody-without-roles")
    assert (await look(stranger)).answer is Answer.MISSING

    control_plane.install_crd(CRD)
    control_plane.apply(an_operator())
    assert (await look(stranger)).answer is Answer.FORBIDDEN
    control_plane.remove_crd(DEFINITION)


async def test_an_aggregated_api_that_is_down_is_told_apart_from_an_api_server_that_is(
    tmp_path: Path,
) -> None:
    fake = FakeKube()
    fake.operator_api.state = "unavailable"
    with served(fake.handle) as (url, _):
        found = await look(write_kubeconfig(tmp_path / "kubeconfig", url))
    assert (found.answer, found.detail) == (
        Answer.UNAVAILABLE,
        "the server is currently unable to handle the request",
    )
    # The same address, where nobody answers any more.
    assert (await look(tmp_path / "kubeconfig")).answer is Answer.NOT_KNOWN
