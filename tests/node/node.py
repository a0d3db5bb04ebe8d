"""A node of Kubernetes on this machine, in namespaces of its own: pods, Services, DNS and probes are real."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.node.images import Registry, program
from tests.support.binaries import binary

HERE = Path(__file__).parent
GATEWAY_PORT = 30800
TLS_PORT = 30843

_UP_SECONDS = 240
_LOOK_AGAIN = 0.3


class Node:
    """A node with its state in `directory`; take it `up`, and `down` whatever happens.

    `number` keeps apart those that are up at the same time. `machine` is where pods reach servers of this
    machine, `address` the node itself, `link` the name of its network link, its cgroups and its Node object.
    """

    def __init__(self, directory: Path, number: int = 0) -> None:
        self.directory = directory
        self.machine = f"10.200.{number}.1"
        self.address = f"10.200.{number}.2"
        self.link = f"pbn{number}"
        self.kubeconfig = directory / "kubeconfig"
        self.registry = Registry(f"{self.address}:5000")

    def up(self) -> None:
        """Return when the node is Ready; all that ran here before is gone."""
        try:
            self._run("up.sh")
            self.registry.push("library/pause", "1", program("pause"))
        except BaseException:
            self.down()
            raise

    def down(self) -> None:
        """End everything; raises AssertionError if something stays."""
        self._run("down.sh")

    def kubectl(self, *arguments: str, given: str | None = None) -> str:
        """Run kubectl as the administrator and return what it printed; a failure is the test's."""
        done = self.try_kubectl(*arguments, given=given)
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout

    def try_kubectl(self, *arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run kubectl as the administrator, whatever comes of it."""
        command = [str(binary("kubectl")), *arguments]
        variables = {"PATH": os.defpath, "HOME": str(self.directory), "KUBECONFIG": str(self.kubeconfig)}
        return subprocess.run(
            command, env=variables, input=given, capture_output=True, text=True, timeout=300, check=False
        )

    def apply(self, *manifests: Mapping[str, Any]) -> None:
        """Create or change objects."""
        self.kubectl("apply", "--filename", "-", given=yaml.safe_dump_all(manifests))

    def get(self, *arguments: str) -> Any:
        """Return what `kubectl get` answers, as JSON."""
        return json.loads(self.kubectl("get", "--output", "json", *arguments))

    def pods(self, namespace: str, selector: str = "") -> list[dict[str, Any]]:
        """Return the pods that are not being ended."""
        found: list[dict[str, Any]] = self.get("pods", "--namespace", namespace, "--selector", selector)[
            "items"
        ]
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def _run(self, script: str) -> None:
        command = ["bash", str(HERE / script), str(self.directory)]
        variables = os.environ | {"NODE_ID": self.link.removeprefix("pbn")}
        done = subprocess.run(
            command, env=variables, capture_output=True, text=True, timeout=_UP_SECONDS, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def is_ready(pod: Mapping[str, Any]) -> bool:
    """Return whether a pod's condition Ready is true."""
    conditions: Sequence[Mapping[str, str]] = pod["status"].get("conditions", [])
    return ("Ready", "True") in [(c["type"], c["status"]) for c in conditions]


def wait_for(what: str, happened: Callable[[], bool], seconds: float = 90.0) -> float:
    """Return once it has happened, with the seconds that it took."""
    began = time.monotonic()
    while not happened():
        assert time.monotonic() < began + seconds, f"no sign of {what} in {seconds:.0f} s"
        time.sleep(_LOOK_AGAIN)
    return time.monotonic() - began
