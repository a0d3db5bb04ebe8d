"""Credential helpers as programs: what they write, how they end, and what they were asked."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

_HELPER = """#!{python}
import json, os, subprocess, sys, time
asked = {{"arguments": sys.argv[1:], "input": sys.stdin.read(), "environment": dict(os.environ)}}
with open({log!r}, "a") as log:
    log.write(json.dumps(asked) + "\\n")
{script}
"""


@dataclass(frozen=True)
class Helpers:
    """A folder of helpers that is in PATH, and the file in which they note what they were asked."""

    folder: Path
    log: Path

    def put(self, name: str, script: str) -> None:
        """Make a helper that runs a script in Python after it has read what it is asked."""
        path = self.folder / f"docker-credential-{name}"
        path.write_text(_HELPER.format(python=sys.executable, log=str(self.log), script=script))
        path.chmod(0o755)

    def gives(self, name: str, user: str, secret: str) -> None:
        """Make a helper that gives a login, as the protocol has it."""
        answer = json.dumps({"ServerURL": "x", "Username": user, "Secret": secret})
        self.put(name, f"print({answer!r})")

    @property
    def asked(self) -> list[dict[str, object]]:
        """What they were asked, in order."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [json.loads(line) for line in lines]


def in_path(folder: Path) -> Helpers:
    """Return an empty folder for helpers; a test puts it into the PATH that it gives."""
    folder.mkdir()
    return Helpers(folder, folder.parent / "asked.jsonl")
