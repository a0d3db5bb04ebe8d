"""One node for all tests of this folder. `make node-test` runs them; `make test` does not."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.node.build import cannot
from tests.node.node import Node


@pytest.fixture(scope="session")
def node() -> Iterator[Node]:
    """A fresh node; the tests fail, and say why, where there can be none."""
    missing = cannot()
    assert not missing, missing
    # Not pytest's own folder: that keeps the last three runs, and a node's images are large.
    with tempfile.TemporaryDirectory(prefix="previewbot-node-") as directory:
        node = Node(Path(directory))
        node.up()
        try:
            yield node
        finally:
            node.down()
