"""A pod of the chart as a plain process: its arguments, its mounted files, and its service account."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3
import yaml

from tests.chart.helm import NAMESPACE, RELEASE, Object, one, pod
from tests.chart.image import NOBODY, as_nobody
from tests.chart.image import environment as variables_of
from tests.support.components import Component, free_port
from tests.support.control_plane import ControlPlane

_START_SECONDS = 60.0
_WAIT_SECONDS = 60.0


@dataclass(frozen=True)
class RunningPod:
    """A pod that runs, as a process on ports of its own."""

    component: Component
    port: int
    probe_port: int

    def get(self, path: str) -> urllib3.BaseHTTPResponse:
        """Ask it over HTTP."""
        return self.request("GET", path)

    def request(self, method: str, path: str, **options: Any) -> urllib3.BaseHTTPResponse:
        """Send it a request; nothing is tried twice."""
        url = f"http://127.0.0.1:{self.port}{path}"
        return urllib3.request(method, url, retries=False, timeout=10.0, **options)

    def probe(self, path: str) -> urllib3.BaseHTTPResponse:
        """Ask what only the cluster may ask."""
        url = f"http://127.0.0.1:{self.probe_port}{path}"
        return urllib3.request("GET", url, retries=False, timeout=10.0)

    def answers(self, path: str) -> bool:
        """Return whether a probe is answered with 200."""
        try:
            return self.probe(path).status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def wait_until_ready(self) -> None:
        """Return once its readiness probe would succeed."""
        self.component.wait_until(lambda: self.answers("/readyz"), _START_SECONDS)


@contextmanager
def running(
    objects: tuple[Object, ...],
    component: str,
    *,
    image: Path,
    cluster: ControlPlane,
    folder: Path,
    secret: Mapping[str, bytes],
    environment: Mapping[str, str],
) -> Iterator[RunningPod]:
    """Run the pod of one of the processes from what the image consists of, until told otherwise."""
    spec = pod(objects, component)
    [container] = spec["containers"]
    _lay_out(objects, spec, folder, secret)
    scratch = folder / "tmp"
    scratch.mkdir()
    _hand_over(scratch)
    port = probe_port = free_port()
    addresses = ["--bind", f"127.0.0.1:{port}"]
    if component != "controller":
        probe_port = free_port()
        addresses += ["--metrics-bind", f"127.0.0.1:{probe_port}"]
    variables = {
        **variables_of(image),
        "TMPDIR": str(scratch),
        "PREVIEWBOT_CLUSTER__KUBECONFIG": str(_kubeconfig(cluster, component, folder)),
        **environment,
    }
    arguments = [_in(folder, word).replace("$(POD_NAME)", f"{component}-0") for word in container["args"]]
    command = ["env", "-i", *(f"{name}={value}" for name, value in variables.items())]
    command += ["previewbot", *arguments, *addresses]
    process = Component(f"{component}-pod", as_nobody(command), folder)
    process.start()
    try:
        yield RunningPod(process, port, probe_port)
    finally:
        process.kill()


def run_once(image: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of previewbot as the image's user, in a directory it cannot write to."""
    command = as_nobody(["previewbot", *arguments])
    variables = variables_of(image)
    return subprocess.run(command, cwd=image, env=variables, capture_output=True, text=True, timeout=60)


def wait_for(what: str, happened: Callable[[], bool]) -> None:
    """Return once it has happened."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while not happened():
        assert time.monotonic() < deadline, f"{what} never happened"
        time.sleep(0.1)


def _lay_out(objects: tuple[Object, ...], spec: Object, folder: Path, secret: Mapping[str, bytes]) -> None:
    """Put the files of the pod's volumes under `folder`, and nothing that the chart does not mount."""
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    for mount in spec["containers"][0]["volumeMounts"]:
        volume = volumes[mount["name"]]
        place = folder / mount["mountPath"].lstrip("/")
        if "configMap" in volume:
            for name, text in one(objects, "ConfigMap", volume["configMap"]["name"])["data"].items():
                _write(place / name, _in(folder, text).encode())
        elif "secret" in volume:
            for item in volume["secret"]["items"]:
                _write(place / item["path"], secret[item["key"]])


def _in(folder: Path, text: str) -> str:
    return text.replace("/etc/previewbot", f"{folder}/etc/previewbot")


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _hand_over(directory: Path) -> None:
    if os.getuid() == 0:
        os.chown(directory, NOBODY, NOBODY)


def _kubeconfig(cluster: ControlPlane, component: str, folder: Path) -> Path:
    """Copy the account's kubeconfig to where the pod's user may read it, with all that it refers to."""
    document = yaml.safe_load(
        cluster.kubeconfig_for_account(NAMESPACE, f"{RELEASE}-{component}").read_bytes()
    )
    authority = folder / "ca.crt"
    _write(authority, cluster.authority.read_bytes())
    document["clusters"][0]["cluster"]["certificate-authority"] = str(authority)
    _write(folder / "kubeconfig", yaml.safe_dump(document).encode())
    return folder / "kubeconfig"
