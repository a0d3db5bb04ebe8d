"""What the Action says on a machine that it cannot install itself on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.actions_runner import plain_variables

ACTION = Path(__file__).parents[2] / "action"
WITHOUT_VENV = f"""#!/bin/sh
case "$*" in *venv*) echo "ensurepip is not available"; exit 1;; esac
exec "{sys.executable}" "$@"
"""
OLD = "#!/bin/sh\ncase $1 in --version) echo Python 3.9.2;; *) exit 1;; esac\n"


@pytest.mark.parametrize(
    ("system", "python", "said"),
    [
        ("Windows", OLD, "it runs on Linux and macOS"),
        ("Linux", OLD, "this is Python 3.9.2: put actions/setup-python before this step"),
        ("Linux", WITHOUT_VENV, "needs the package python3-venv"),
    ],
)
def test_it_says_what_the_machine_lacks(tmp_path: Path, system: str, python: str, said: str) -> None:
    program = tmp_path / "python3"
    program.write_text(python)
    program.chmod(0o755)
    variables = plain_variables()
    given = {
        **variables,
        **{"PATH": f"{tmp_path}:{variables['PATH']}", "RUNNER_OS": system},
        **{"RUNNER_TEMP": str(tmp_path), "GITHUB_ACTION_PATH": str(ACTION)},
    }

    ran = subprocess.run(
        ["bash", str(ACTION / "install.sh")], env=given, capture_output=True, text=True, check=False
    )

    assert ran.returncode == 2
    assert "::error title=previewbot wait::" in ran.stdout and said in ran.stdout
