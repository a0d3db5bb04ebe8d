"""What the attacks are tried on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.web_doors import Door, a_door


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """A `previewbot web` for the attacks of a module."""
    with a_door(tmp_path_factory.mktemp("web")) as door:
        yield door


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """A `previewbot pages` for the attacks of a module, where pages are public."""
    with a_door(tmp_path_factory.mktemp("pages"), changes={"pages": "public"}, name="pages") as door:
        yield door


@pytest.fixture
def door(running: Door) -> Iterator[Door]:
    """The same, with nobody connected when a test ends."""
    yield running
    running.leave()
