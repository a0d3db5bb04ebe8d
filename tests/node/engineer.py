"""What the documentation tells a platform team to type, and somebody who types it."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.node.node import Node
from tests.support.binaries import binary
from tests.support.control_plane import ROOT

_SECONDS = 240
_TYPED = ("helm ", "kubectl ", "openssl ")


def commands(document: str, section: str) -> list[str]:
    """Return the commands of a section, in order; lines that end in a backslash are one command."""
    text = _section(document, section).replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.startswith("    ")]
    return [re.sub(r"\s+", " ", line) for line in lines if line.startswith(_TYPED)]


def values(document: str, section: str) -> dict[str, Any]:
    """Return the values file that a section shows."""
    [example] = re.findall(r"```yaml\n(.*?)```", _section(document, section), re.DOTALL)
    found: dict[str, Any] = yaml.safe_load(example)
    return found


class Engineer:
    """Types commands in a folder with the repository's charts, as the administrator of a node."""

    def __init__(self, node: Node, folder: Path) -> None:
        self._node = node
        self.folder = folder
        (folder / "charts").symlink_to(ROOT / "charts")

    def write(self, name: str, content: str) -> None:
        """Write a file into the folder."""
        (self.folder / name).write_text(content, encoding="utf-8")

    def types(self, command: str) -> str:
        """Type a command; return what it said; a failure is the test's."""
        programs = os.pathsep.join(str(binary(name).parent) for name in ("helm", "kubectl"))
        environment = {
            "PATH": f"{programs}{os.pathsep}{os.defpath}",
            "HOME": str(self.folder),
            "KUBECONFIG": str(self._node.kubeconfig),
        }
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
        )
        assert done.returncode == 0, f"$ {command}\n{done.stdout}{done.stderr}"
        return done.stdout


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return `below` with what `above` says otherwise."""
    both = dict(below)
    for name, value in above.items():
        if isinstance(value, Mapping) and isinstance(both.get(name), Mapping):
            both[name] = merged(both[name], value)
        else:
            both[name] = value
    return both


def _section(document: str, section: str) -> str:
    text = (ROOT / document).read_text(encoding="utf-8")
    parts = re.split(r"^## ", text, flags=re.MULTILINE)
    [found] = [part for part in parts if part.startswith(section)]
    return found
