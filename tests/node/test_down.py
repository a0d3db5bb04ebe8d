"""What `down.sh` does when something vanishes under its hands, or stays."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.node.node import HERE

_VANISHES = """
case $2 in
  delete) rm -f "$STATE/there"; echo "Cannot find device" >&2; exit 1 ;;
  show) test -e "$STATE/there" ;;
esac
"""
_STAYS = """
case $2 in
  delete) echo "Operation not permitted" >&2; exit 1 ;;
  show) true ;;
esac
"""


@pytest.fixture
def ended(tmp_path: Path) -> Path:
    """The directory of a node whose processes have ended, with its link still there."""
    (tmp_path / "pids").mkdir()
    (tmp_path / "pids" / "node.pid").write_text("0 0\n", encoding="utf-8")
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "kubelet.yaml").write_text("cgroupRoot: /pbn255\n", encoding="utf-8")
    (tmp_path / "there").touch()
    return tmp_path


def _down(ended: Path, ip: str) -> subprocess.CompletedProcess[str]:
    """Run down.sh where `ip` is this script."""
    programs = ended / "cache" / "bin"
    programs.mkdir(parents=True)
    (programs / "ip").write_text(f"#!/bin/sh{ip}", encoding="utf-8")
    (programs / "ip").chmod(0o755)
    variables = {
        "PATH": os.environ["PATH"],
        "PREVIEWBOT_TEST_CACHE": str(ended / "cache"),
        "STATE": str(ended),
    }
    command = ["bash", str(HERE / "down.sh"), str(ended)]
    return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60, check=False)


def test_a_link_that_the_kernel_removes_between_the_look_and_the_removal_is_no_failure(ended: Path) -> None:
    done = _down(ended, _VANISHES)

    assert (done.returncode, done.stderr) == (0, "")


def test_a_link_that_stays_is_named_and_why(ended: Path) -> None:
    done = _down(ended, _STAYS)

    assert done.returncode == 1
    assert "left behind: link pbn255: Operation not permitted" in done.stderr
