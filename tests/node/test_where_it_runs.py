"""Where no node can run, one line says why."""

from __future__ import annotations

import os
import shutil
import sys

import pytest

from tests.node import build


def test_somebody_else_than_root_is_told_so_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    assert build.main() == 1
    assert capsys.readouterr().err.startswith("error: a node needs root")


def test_another_system_than_linux_is_told_where_to_read_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")

    assert "README.md" in build.cannot()


def test_all_programs_that_a_machine_lacks_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None if name in ("gcc", "ip") else name)

    assert build.cannot().startswith("a node needs gcc, ip")
