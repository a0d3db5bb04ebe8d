"""What people see who type kubectl: the short name is ours alone, and the columns say how previews stand."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.support.binaries import binary
from tests.support.control_plane import ControlPlane


def kubectl(plane: ControlPlane, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(binary("kubectl")), f"--kubeconfig={plane.kubeconfig()}", *arguments]
    return subprocess.run(command, env={"HOME": str(home)}, capture_output=True, text=True, timeout=60)


def test_persistent_volumes_keep_their_short_name_without_a_warning(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    found = kubectl(control_plane, tmp_path, "get", "pv")

    assert (found.returncode, found.stdout) == (0, "")
    assert found.stderr.strip() == "No resources found"


def test_previews_have_a_short_name_that_nobody_else_has(control_plane: ControlPlane, tmp_path: Path) -> None:
    found = kubectl(control_plane, tmp_path, "get", "pvw")
    listed = kubectl(control_plane, tmp_path, "api-resources", "--no-headers")

    assert found.returncode == 0
    assert "Warning" not in found.stderr
    assert [line.split()[0] for line in listed.stdout.splitlines() if line.split()[1] == "pvw"] == [
        "previews"
    ]
