"""The shared staging system: the shop as its default branch has it, and the Deployments that describe it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from previewbot_demo import shop
from previewbot_demo.processes import Process, start_service
from previewbot_demo.routing import Router, Service
from previewbot_demo.sqlite_copies import FILE


class Staging:
    """The shop's services as processes; `addresses` has each one's URL by `namespace/deployment`.

    Staging's database is a file in `directory`, its queues are those of the broker at `broker`.
    """

    def __init__(
        self, namespace: str, directory: Path, router: Router, addresses: dict[str, str], broker: str
    ) -> None:
        self._namespace = namespace
        self._directory = directory
        self._router = router
        self._addresses = addresses
        self._processes: dict[str, Process] = {}
        self._started = 0
        self._environment: dict[str, str] = {}
        self._own: Mapping[str, Mapping[str, str]] = _of_single_services(directory, broker)

    @property
    def deployments(self) -> int:
        """How often a service was started here: another number means that staging may look different."""
        return self._started

    async def open(self) -> None:
        """Open each Service's port, so that the services can be told where the others are."""
        for name in shop.SERVICES:
            url = await self._router.add(Service(self._namespace, name, name, shop.CONTAINER_PORT))
            self._environment[f"{name.upper()}_URL"] = url

    async def deploy(self, service: str, files: Mapping[str, bytes]) -> None:
        """Run a service from the repository's files in place of what ran before; raises `StartError`."""
        self._started += 1
        source = self._directory / f"{service}-{self._started}"
        environment = self._environment_of(service)
        source.mkdir(parents=True)
        for path, content in shop.service_files(files, service).items():
            (source / path).write_bytes(content)
        process = await start_service(source, environment, self._directory / f"{service}.log")
        before = self._processes.get(service)
        self._processes[service] = process
        self._addresses[f"{self._namespace}/{service}"] = process.url
        if before is not None:
            await before.stop()

    async def stop(self) -> None:
        """Stop every process."""
        self._addresses.clear()
        for process in self._processes.values():
            await process.stop()

    def _environment_of(self, service: str) -> dict[str, str]:
        return {**self._environment, **self._own.get(service, {})}

    def deployment(self, service: str, image: str) -> dict[str, Any]:
        """Return the Deployment of a service; without pods, since its process runs here."""
        labels = {"app": service}
        part_of = {"app.kubernetes.io/part-of": "previewbot-demo"}
        container = {
            "name": service,
            "image": image,
            "ports": [{"containerPort": shop.CONTAINER_PORT}],
            "env": [{"name": name, "value": value} for name, value in self._environment_of(service).items()],
        }
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": service, "namespace": self._namespace, "labels": labels | part_of},
            "spec": {
                "replicas": 0,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
            },
        }


def _of_single_services(directory: Path, broker: str) -> dict[str, dict[str, str]]:
    """Return the variables that only one service has, by its name."""
    queues = {"BROKER_URL": broker} | {variable: queue for queue, variable in shop.QUEUES.items()}
    database = {shop.DATABASE: f"{FILE}{directory / 'orders.db'}"}
    return {"orders": database | queues, "packing": queues}
