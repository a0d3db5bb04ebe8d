"""Staging on a node: the shop as Deployments and Services, and what a cluster has besides previewbot."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from previewbot_demo import shop
from previewbot_demo.operator_api import an_operator
from tests.node.images import Image, Layer, database, database_programs, files, program, python
from tests.node.node import Node
from tests.support.binaries import definitions, gateway_api_crds
from tests.support.control_plane import ROOT

HERE = Path(__file__).parent
STAND_IN = "ghcr.io/example/mirrord-stand-in:1"
DATABASE_PASSWORD = secrets.token_hex(16)
"""Of staging's database: nothing of previewbot's may ever hold it."""

MIRRORDS = ("previewsessions", "branchdatabases")
UNPACKABLE = "services/web/UNPACKABLE"
"""A file that makes the image of web one that registries hold and no node can unpack."""


class Staging:
    """What the shop's CI builds into and delivers to: the node's registry, and its namespace `staging`."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._python: Layer | None = None

    def put_image(self, repository: str, tag: str, files: Mapping[str, bytes], *, revision: str) -> None:
        """Push an image of a service."""
        labels = {"org.opencontainers.image.revision": revision} if revision else {}
        below = (database(),) if repository == "acme/orders" else ()
        self._node.registry.push(repository, tag, self._image(files, labels, below))

    async def deploy(self, service: str, files: Mapping[str, bytes]) -> None:
        """Roll a service out; returns before its pods are ready."""
        await asyncio.to_thread(self._deploy, service, shop.service_files(files, service))

    def _deploy(self, service: str, files: Mapping[str, bytes]) -> None:
        tag = hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()[:12]
        self.put_image(f"acme/{service}", tag, files, revision="")
        self._node.apply(*_workload(service, f"{self._node.registry.address}/acme/{service}:{tag}"))

    def _image(
        self, content: Mapping[str, bytes], labels: Mapping[str, str], below: tuple[Layer, ...]
    ) -> Image:
        self._python = self._python or python()
        app = files({f"app/{path}": data for path, data in content.items()})
        if UNPACKABLE.rpartition("/")[2] in content:
            app = replace(app, unpacked=f"sha256:{'0' * 64}")
        command = {"Entrypoint": ["python3", "-B", "-u", "app.py"], "WorkingDir": "/app", "User": "65532"}
        return Image((self._python, *below, app), {**command, "Labels": dict(labels)})


def furnish(node: Node) -> None:
    """Install what a platform has: the Gateway API with Traefik, mirrord with the stand-in, a database."""
    crds = [
        *gateway_api_crds().glob("*.yaml"),
        *definitions("traefik").glob("*.yml"),
        *(ROOT / "demo" / "previewbot_demo" / "schemas" / f"{name}.yaml" for name in MIRRORDS),
        ROOT / "tests" / "support" / "mirrordoperators.yaml",
    ]
    node.registry.push("library/traefik", "1", program("traefik"))
    programs = ("stand_in.py", "stand_in_databases.py")
    stand_in = files({f"tests/node/{name}": (HERE / name).read_bytes() for name in programs})
    path = [f"PATH={database_programs()}:/usr/bin:/bin"]
    command = ["python3", "-B", "-u", "-m", "tests.node.stand_in"]
    entry = {"Entrypoint": command, "User": "65532", "Env": path, "WorkingDir": "/"}
    node.registry.push("example/mirrord-stand-in", "1", Image((python(), database(), stand_in), entry))
    begin = files({"database.sh": (HERE / "database.sh").read_bytes()})
    # As a user that the image knows: initdb asks for its name.
    entry = {"Entrypoint": ["sh", "/database.sh"], "User": "nobody", "Env": path}
    node.registry.push("library/postgres", "1", Image((python(), database(), begin), entry))
    # Server-side: the CRDs are too large for the annotation that apply writes otherwise.
    for crd in crds:
        node.kubectl("apply", "--server-side", "--filename", str(crd))
    node.kubectl("wait", "--for", "condition=Established", "--timeout", "30s", "crd", "--all")
    gateway = (HERE / "gateway.yaml").read_text(encoding="utf-8").replace("ADDRESS", node.address)
    node.kubectl("apply", "--filename", "-", given=gateway)
    node.kubectl("apply", "--filename", "-", given=json.dumps(an_operator()))
    staging = (HERE / "staging.yaml").read_text(encoding="utf-8")
    for word, value in (
        ("DATABASE_IMAGE", "docker.io/library/postgres:1"),
        ("DATABASE_PASSWORD", DATABASE_PASSWORD),
        ("IMAGE", STAND_IN),
    ):
        staging = staging.replace(word, value)
    node.kubectl("apply", "--filename", "-", given=staging)


def wait_until_it_works(node: Node) -> None:
    """Return once the gateway, the stand-in and the shop are ready."""
    node.kubectl(
        "--namespace",
        "gateways",
        "wait",
        "--for",
        "condition=Programmed",
        "--timeout",
        "90s",
        "gateway/public",
    )
    for namespace in ("gateways", "mirrord", "staging"):
        node.kubectl("--namespace", namespace, "rollout", "status", "--timeout", "120s", "deployment")


def _workload(service: str, image: str) -> tuple[dict[str, Any], dict[str, Any]]:
    labels = {"app": service}
    addresses = {f"{name.upper()}_URL": f"http://{name}.staging.svc.cluster.local" for name in shop.SERVICES}
    environment = {"HOST": "0.0.0.0", "PORT": str(shop.CONTAINER_PORT), **addresses}
    container = {
        "name": service,
        "image": image,
        "ports": [{"containerPort": shop.CONTAINER_PORT}],
        "env": [{"name": name, "value": value} for name, value in environment.items()],
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": shop.CONTAINER_PORT}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
    }
    if service == "orders":
        # Where the password lies, and nowhere else: mirrord's operator finds it there, too.
        container["envFrom"] = [{"secretRef": {"name": "orders-database"}}]
    pod = {"serviceAccountName": "shop", "terminationGracePeriodSeconds": 1, "containers": [container]}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": service, "namespace": "staging", "labels": labels},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }
    behind = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": f"{service}-staging", "namespace": "staging"},
        "spec": {"selector": labels, "ports": [{"port": shop.CONTAINER_PORT}]},
    }
    return deployment, behind
