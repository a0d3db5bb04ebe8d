"""A node for the tests of this folder, furnished once: one for each of the two halves that run in parallel.

`make node-test` runs them; `make test` does not. Most of their time is waiting, so two runs fit on two cores.
"""

from __future__ import annotations

import socket
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from xdist.scheduler import LoadScopeScheduling

from tests.node import images, staging
from tests.node.build import cannot
from tests.node.engineer import Engineer, commands, merged, values
from tests.node.node import Node
from tests.node.town import Town
from tests.node.traces import Traces

DOCUMENT = "docs/install.md"
_SECOND_HALF = ("test_probes.py", "test_troubles_on_a_node.py")
"""What runs on the second node: these two take as long as all others together, but for a working day, which
ends with the removal of all that other tests need and has a run of its own."""
IMAGE = ("previewbot", "0.1.0")


class Halves(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Deals the tests out as two runs, each in one piece and on one node."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0].rpartition("/")[2]
        return "second" if file in _SECOND_HALF else "first"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Halves:
    """Return how xdist deals out tests."""
    return Halves(config, log)


@dataclass(frozen=True)
class Place:
    """A node with a Gateway, staging, the stand-in for mirrord, and the town outside of it."""

    node: Node
    town: Town
    image: images.Image


@dataclass(frozen=True)
class Installation:
    """previewbot, installed as the documentation says; `said` is what the commands printed."""

    place: Place
    engineer: Engineer
    said: dict[str, str]
    seconds: float

    @property
    def node(self) -> Node:
        """The node."""
        return self.place.node

    @property
    def town(self) -> Town:
        """The town."""
        return self.place.town

    def pods(self, component: str) -> list[dict[str, Any]]:
        """Return the pods of one of the processes that are not being ended."""
        return self.node.pods("previewbot", f"app.kubernetes.io/component={component}")


@pytest.fixture(scope="session")
def number(worker_id: str) -> int:
    """Which of the runs in parallel this is, from 0: each has a node of its own."""
    return int(worker_id.removeprefix("gw")) if worker_id != "master" else 0


@pytest.fixture(scope="session")
def node_to_be(number: int) -> Iterator[Node]:
    """A node that is not up yet; the tests fail, and say why, where there can be none."""
    missing = cannot()
    assert not missing, missing
    # Not pytest's own folder: that keeps the last three runs, and a node's images are large.
    with tempfile.TemporaryDirectory(prefix="previewbot-node-") as directory:
        yield Node(Path(directory), number)


@pytest.fixture(scope="session")
def traces(node_to_be: Node) -> Traces:
    """What the node brings to this machine; once it has ended, nothing of that may be left."""
    return Traces(node_to_be)


@pytest.fixture(scope="session")
def node(node_to_be: Node, traces: Traces) -> Iterator[Node]:
    """The one node of this half: every test of it runs there, and its end is a test of its own."""
    try:
        node_to_be.up()
        traces.note()
        yield node_to_be
    finally:
        node_to_be.down()
    traces.wait_until_gone()


@pytest.fixture(scope="session")
def names(node: Node) -> Iterator[None]:
    """The names that DNS would lead to the Gateway."""
    look_up = socket.getaddrinfo

    def known(host: Any, *arguments: Any, **options: Any) -> Any:
        led = isinstance(host, str) and host.endswith(".example.com")
        return look_up(node.address if led else host, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", known)
        yield


@pytest.fixture(scope="session")
def place(node: Node, names: None) -> Iterator[Place]:
    """A platform without previewbot."""
    staging.furnish(node)
    town = Town(node)
    town.open()
    try:
        image = images.previewbot()
        node.registry.push(*IMAGE, image)
        staging.wait_until_it_works(node)
        yield Place(node, town, image)
    finally:
        town.close()


@pytest.fixture(scope="session")
def installation(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """previewbot, installed by typing what the documentation says."""
    engineer = Engineer(place.node, tmp_path_factory.mktemp("engineer"))
    engineer.write("app.pem", place.town.private_key)
    engineer.write("webhook-secret", place.town.webhook_secret)
    engineer.write("values.yaml", yaml.safe_dump(merged(values(DOCUMENT, "5."), place.town.values())))
    said = {}
    seconds = 0.0
    for section in ("1.", "4.", "5."):
        for command in commands(DOCUMENT, section):
            began = time.monotonic()
            said[command] = engineer.types(command)
            if command.startswith("helm install"):
                seconds = time.monotonic() - began
    return Installation(place, engineer, said, seconds)
