"""`previewbot demo --kubeconfig` as a person types it: the tour on a real cluster, left as it was."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.control_plane import ControlPlane

ROOT = Path(__file__).parents[2]
SECONDS = 400


def demo(kubeconfig: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "previewbot",
            "demo",
            "--check",
            "--port",
            "0",
            "--kubeconfig",
            str(kubeconfig),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@pytest.mark.timeout(SECONDS + 30)
def test_it_tours_the_cluster_and_leaves_nothing_there(control_plane: ControlPlane) -> None:
    done = demo(control_plane.kubeconfig())

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("   ok ") == 39
    assert control_plane.call("GET", "/api/v1/namespaces/previewbot-demo").status == 404
    previews = control_plane.call("GET", "/apis/previewbot.dev/v1alpha1/previews").body["items"]
    assert [each["metadata"]["name"] for each in previews if each["spec"]["appId"] >= 2 * 10**9] == []


def test_what_is_no_kubeconfig_is_said_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text("not: one", encoding="utf-8")

    done = demo(path)

    assert done.returncode == 1
    assert str(path) in done.stderr
    assert "Traceback" not in done.stderr


def test_a_cluster_that_does_not_let_us_in_is_said_in_one_line(control_plane: ControlPlane) -> None:
    done = demo(control_plane.kubeconfig_for("nobody"))

    assert done.returncode == 1
    assert "does not let us list" in done.stderr
    assert "Traceback" not in done.stderr
