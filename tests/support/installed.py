"""The chart's service accounts and roles in a real API server, with tokens for its two processes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.chart.helm import CHART, KUBE_VERSION, Object, run
from tests.support.control_plane import SYSTEM as SYSTEM
from tests.support.control_plane import ControlPlane

ACCOUNTS = {"web": "previewbot-web", "controller": "previewbot-controller"}

_KINDS = ("ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")


@dataclass(frozen=True)
class Installed:
    """What of the chart is installed, and what its processes show to the API server."""

    objects: tuple[Object, ...]
    tokens: dict[str, str]

    @property
    def settings(self) -> dict[str, Any]:
        """The part of previewbot's settings that the roles depend on."""
        namespaces = [o["metadata"]["namespace"] for o in self.objects if o["kind"] == "Role"]
        staging = next(namespace for namespace in namespaces if namespace not in (SYSTEM, "default"))
        lease = {"name": "previewbot-controller", "namespace": SYSTEM}
        return {"cluster": {"namespaces": [staging], "lease": lease}}


def install(plane: ControlPlane, directory: Path, namespace: str) -> Installed:
    """Install the chart's accounts and roles for previews in `namespace`, which is made if need be."""
    for name in (SYSTEM, namespace):
        plane.make_namespace(name)
    objects = _rendered(directory, namespace)
    for obj in objects:
        plane.apply(obj)
    tokens = {
        command: yaml.safe_load(plane.kubeconfig_for_account(SYSTEM, account).read_text("utf-8"))["users"][0][
            "user"
        ]["token"]
        for command, account in ACCOUNTS.items()
    }
    return Installed(objects, tokens)


def uninstall(plane: ControlPlane, installed: Installed) -> None:
    """Remove what `install` made, so that another test may install it for another namespace."""
    for obj in installed.objects:
        plane.call("DELETE", f"{plane.path_of(obj)}/{obj['metadata']['name']}")


def _rendered(directory: Path, namespace: str) -> tuple[Object, ...]:
    values = directory / "values.yaml"
    gateway = {"name": "public", "namespace": "gateways", "domain": "preview.localhost"}
    document = {
        "image": {"repository": "registry.example.com/previewbot"},
        "existingSecret": "previewbot",
        "settings": {
            "github": {"app_id": 4242},
            "public_url": "https://previews.example.com",
            "cluster": {"namespaces": [namespace]},
            "links": {"gateway": gateway},
            "images": {"allowed": ["ghcr.io/acme/"]},
        },
    }
    values.write_text(yaml.safe_dump(document), encoding="utf-8")
    place = ("--namespace", SYSTEM, "--kube-version", KUBE_VERSION, "--values", str(values))
    result = run("template", "previewbot", str(CHART), *place)
    assert result.returncode == 0, result.stderr
    found = [obj for obj in yaml.safe_load_all(result.stdout) if obj]
    return tuple(obj for obj in found if obj["kind"] in _KINDS)
