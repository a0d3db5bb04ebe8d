"""A control plane with the namespaces and resources that the chart expects of a cluster."""

from __future__ import annotations

import pytest

from tests.chart.release import prepare
from tests.support.control_plane import ControlPlane


@pytest.fixture(scope="session")
def cluster(control_plane: ControlPlane) -> ControlPlane:
    """A cluster ready for the chart; the release's namespace enforces the restricted standard."""
    prepare(control_plane)
    return control_plane
