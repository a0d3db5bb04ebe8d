"""The API servers that the contract is about: the demo's in memory, and Kubernetes' own."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from previewbot.api import Preview, Spec, from_object
from previewbot.clients.kubernetes.client import Kube
from previewbot_demo.kube import FakeKube
from tests.support.api import Answer, Api
from tests.support.control_plane import ControlPlane
from tests.support.kubeconfigs import write_kubeconfig
from tests.support.previews import a_preview
from tests.support.servers import served

_NUMBERS = itertools.count(1_000)


@dataclass(frozen=True)
class ApiServer:
    """An API server, and in it a namespace and a pull request that no other test has."""

    api: Api
    kubeconfig: Path
    namespace: str
    name: str

    @property
    def spec(self) -> Spec:
        """The spec of the pull request's Preview."""
        return a_preview(name=self.name).spec

    def call(self, method: str, path: str, body: Any = None, content: str = "application/json") -> Answer:
        """Send one plain request."""
        return self.api.call(method, path, body, content)

    async def stored(self, kube: Kube) -> Preview:
        """Return the pull request's Preview as it is stored; it must be."""
        obj = await kube.get_preview(self.name)
        assert obj is not None
        return from_object(obj)


BOTH_API_SERVERS = ["in memory", pytest.param("kube-apiserver", marks=pytest.mark.cluster)]
"""The fake's side of the contract is part of `make test`, Kubernetes' own of `make test-cluster`."""


@pytest.fixture(params=BOTH_API_SERVERS)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ApiServer]:
    """Each test runs against both."""
    number = next(_NUMBERS)
    namespace, name = f"staging-{number}", f"gh-{number}-42"
    if request.param == "kube-apiserver":
        plane: ControlPlane = request.getfixturevalue("control_plane")
        plane.make_namespace(namespace)
        yield ApiServer(plane.api, plane.kubeconfig(), namespace, name)
        plane.delete_previews(name)
        return
    with served(FakeKube(namespaces={namespace}).handle) as (url, _):
        api = Api(url, "test")
        yield ApiServer(api, write_kubeconfig(tmp_path / "kubeconfig", url), namespace, name)
        api.close()


@pytest.fixture
async def kube(server: ApiServer) -> AsyncIterator[Kube]:
    """The controller's client of that server."""
    client = await Kube.connect(server.kubeconfig, user_agent="tests")
    yield client
    await client.close()
