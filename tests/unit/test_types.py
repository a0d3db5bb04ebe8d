"""The type checker sees a mistake in what is written into a Preview's status."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

_HEAD = """\
from dataclasses import replace
from previewbot.api import Reason, Service, Status
def change(status: Status, service: Service) -> None:
"""

MISTAKES = {
    'replace(status, raeson="x")': 'Unexpected keyword argument "raeson" for "replace" of "Status"',
    'replace(service, serving_shaa="x")': 'Unexpected keyword argument "serving_shaa"',
    "replace(service, serving_since=17)": 'has incompatible type "int"; expected "datetime | None"',
    'replace(status, phase="Stoping")': 'has incompatible type "str"; expected "Phase | None"',
    'replace(status, services="x")': 'has incompatible type "str"; expected "tuple[Service, ...]"',
    "status.reason = Reason.CREATING": 'Property "reason" defined in "Status" is read-only',
    "status.resaon": '"Status" has no attribute "resaon"',
}
"""What somebody may write by mistake, and what mypy must say to it."""


def test_each_mistake_in_a_change_of_the_status_is_an_error_of_mypy(tmp_path: Path) -> None:
    snippet = tmp_path / "snippet.py"
    snippet.write_text(_HEAD + "".join(f"    {line}\n" for line in MISTAKES), encoding="utf-8")
    first = _HEAD.count("\n") + 1

    # In a process of its own: mypy raises the limit of recursion of the one that it runs in.
    command = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), str(snippet)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)

    assert run.stderr == ""
    for number, (line, complaint) in enumerate(MISTAKES.items(), start=first):
        found = [each for each in run.stdout.splitlines() if f":{number}: error:" in each]
        assert len(found) == 1, line
        assert complaint in found[0]
