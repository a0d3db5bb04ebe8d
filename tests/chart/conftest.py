"""A control plane with the namespaces and resources that the chart expects of a cluster."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.chart.helm import NAMESPACE
from tests.chart.release import put
from tests.support.control_plane import ControlPlane

SERVICE_MONITOR = Path(__file__).with_name("service_monitor.yaml")


@pytest.fixture(scope="session")
def cluster(control_plane: ControlPlane) -> ControlPlane:
    """A cluster ready for the chart; the release's namespace enforces the restricted standard."""
    for namespace in ("staging", "payments", "elsewhere"):
        control_plane.make_namespace(namespace)
    level = "pod-security.kubernetes.io"
    labels = {f"{level}/enforce": "restricted", f"{level}/warn": "restricted"}
    metadata = {"name": NAMESPACE, "labels": labels}
    put(control_plane, {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    put(control_plane, yaml.safe_load(SERVICE_MONITOR.read_text(encoding="utf-8")))
    return control_plane
