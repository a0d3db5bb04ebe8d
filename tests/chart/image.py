"""What the image consists of, without a container engine: image/install.sh into a read-only directory.

`python -m tests.chart.image` fetches the locked packages once (`make image-root`); the tests install from
those, and need no network.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from tests.chart.helm import ROOT
from tests.support import binaries

NOBODY = 65532
"""The user that the Dockerfile and the chart name."""

PICTURES = "Dockerfile.pictures"
"""The image of `previewbot pictures`, which has a browser."""

_LOCKS = ("requirements.lock", "requirements-build.lock", "requirements-pictures.lock")
_USABLE = "import sys, venv; sys.exit(sys.version_info < (3, 11))"
SECONDS = 300
"""After so long a step of the installation is given up."""


def as_nobody(command: list[str]) -> list[str]:
    """Return a command that runs as the image's user where that can be arranged, else as oneself."""
    if os.getuid() != 0:
        return command
    dropped = ["--no-new-privs", "--inh-caps=-all", "--bounding-set=-all", "--pdeathsig=KILL"]
    # setpriv finds its command with root's rights, and the command loses them: hence env between the two.
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *dropped, "env", *command]


@cache
def interpreter() -> str:
    """Return a Python that the image's user can run: root's own often lies where nobody else may look."""
    candidates = [sys.executable, *(f"{place}/python3" for place in ("/usr/local/bin", "/usr/bin"))]
    for candidate in map(os.path.realpath, candidates):
        check = [*as_nobody([candidate]), "-c", _USABLE]
        if os.path.exists(candidate) and subprocess.run(check, capture_output=True).returncode == 0:
            return candidate
    raise AssertionError(
        f"none of {', '.join(candidates)} is a Python 3.11 or newer that other users can run: "
        "install the package python3, or run the tests as somebody else than root"
    )


def packages() -> Path:
    """Return the folder with the locked packages; a missing one is a failure, never a reason to skip."""
    found = _packages()
    if not found.is_dir():
        raise AssertionError(f"the image's packages are not in {found}: run `make image-root`")
    return found


def fetch() -> None:
    """Fetch the locked packages, unless they are there."""
    wanted = _packages()
    if wanted.is_dir():
        return
    print("fetching the packages of the image (once)", flush=True)
    wanted.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=wanted.parent) as folder:
        parts = Path(folder) / "packages"
        for lock in _LOCKS:
            pip = [sys.executable, "-m", "pip", "--python", interpreter(), "--quiet", "download"]
            which = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", str(ROOT / lock)]
            subprocess.run([*pip, *which, "--disable-pip-version-check", "--dest", str(parts)], check=True)
        parts.rename(wanted)


def dockerfile(instruction: str, name: str = "Dockerfile") -> list[str]:
    """Return what follows an instruction in a Dockerfile, each time that it is there."""
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.split(maxsplit=1) for line in text.splitlines() if line.startswith(f"{instruction} ")]
    return [words for _, words in lines]


def environment(prefix: Path) -> dict[str, str]:
    """Return the variables that the image has, for an installation in `prefix`."""
    pairs = [pair.partition("=") for line in dockerfile("ENV") for pair in line.split()]
    return {
        name: value.replace("/opt/previewbot", str(prefix)).replace("$PATH", os.defpath)
        for name, _, value in pairs
    }


@contextmanager
def installed() -> Iterator[Path]:
    """Install previewbot as the image has it; yield the directory, which cannot be written to."""
    with tempfile.TemporaryDirectory(prefix="previewbot-image-") as directory:
        Path(directory).chmod(0o755)
        prefix = Path(directory) / "previewbot"
        for step in ("dependencies", "previewbot"):
            _install(step, prefix)
        _set_writable(prefix, False)
        try:
            yield prefix
        finally:
            _set_writable(prefix, True)


def built_wheel(directory: Path, source: Path = ROOT, **surroundings: str) -> Path:
    """Build previewbot's wheel as the image does, with these variables besides; return where it is."""
    _run("wheel", directory, source, surroundings)
    [wheel] = directory.glob("*.whl")
    return wheel


def _install(step: str, prefix: Path) -> None:
    _run(step, prefix, ROOT, {})


def _run(step: str, place: Path, source: Path, more: Mapping[str, str]) -> None:
    variables = {
        "PATH": os.environ["PATH"],
        "PYTHON": interpreter(),
        "INSTALLER": sys.executable,
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(packages()),
    }
    command = ["sh", str(source / "image" / "install.sh"), step, str(place)]
    result = subprocess.run(
        command, env={**variables, **more}, capture_output=True, text=True, timeout=SECONDS
    )
    assert result.returncode == 0, result.stdout + result.stderr


def _set_writable(prefix: Path, writable: bool) -> None:
    for path in [prefix, *prefix.rglob("*")]:
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | 0o200 if writable else (mode | 0o444) & ~0o222)


def _packages() -> Path:
    """Their place depends on what is locked, and on the Python they are for."""
    version = subprocess.run([interpreter(), "-VV"], capture_output=True, text=True, check=True).stdout
    digest = hashlib.sha256(version.encode())
    for lock in _LOCKS:
        digest.update((ROOT / lock).read_bytes())
    return binaries.cache() / "image" / digest.hexdigest()[:16]


if __name__ == "__main__":
    fetch()
