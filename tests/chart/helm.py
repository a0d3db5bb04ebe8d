"""The chart as helm renders it."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.binaries import binary
from tests.support.yaml_texts import read_documents

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "previewbot"
VALUES = Path(__file__).parent / "values"
ALL_VALUES = sorted(path.stem for path in VALUES.glob("*.yaml"))
RELEASE, NAMESPACE = "previewbot", "previewbot-system"
# helm assumes an old Kubernetes unless it is told, or asks one.
KUBE_VERSION = "1.36.0"

Object = Mapping[str, Any]
_SECONDS = 60


def run(*arguments: str, kubeconfig: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run helm with an environment of its own, so that nothing of this machine's counts."""
    command = [str(binary("helm")), *arguments]
    with tempfile.TemporaryDirectory() as home:
        # It ends before a collection of its garbage would be worth anything.
        environment = {"HOME": home, "KUBECONFIG": str(kubeconfig or f"{home}/none"), "GOGC": "off"}
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False
        )


def values_file(name: str) -> str:
    """Return the path of one of the files beside this."""
    return str(VALUES / f"{name}.yaml")


def template(name: str, *options: str, release: str = RELEASE) -> subprocess.CompletedProcess[str]:
    """Run `helm template` with a file of values."""
    place = ("--namespace", NAMESPACE, "--kube-version", KUBE_VERSION)
    return run("template", release, str(CHART), *place, "--values", values_file(name), *options)


@cache
def rendered(name: str, *options: str, release: str = RELEASE) -> tuple[Object, ...]:
    """Return the objects that the chart makes of a file of values."""
    result = template(name, *options, release=release)
    assert result.returncode == 0, result.stderr
    return tuple(read_documents(result.stdout))


def one(objects: tuple[Object, ...], kind: str, name: str) -> Object:
    """Return the one object of a kind and name."""
    found = [obj for obj in objects if obj["kind"] == kind and obj["metadata"]["name"] == name]
    assert len(found) == 1, f"{len(found)} {kind} named {name}"
    return found[0]


def of_kind(objects: tuple[Object, ...], kind: str) -> list[Object]:
    """Return the objects of a kind."""
    return [obj for obj in objects if obj["kind"] == kind]


def pod(objects: tuple[Object, ...], component: str, release: str = RELEASE) -> Object:
    """Return the pod's spec of one of the processes."""
    spec: Object = one(objects, "Deployment", f"{release}-{component}")["spec"]["template"]["spec"]
    return spec
