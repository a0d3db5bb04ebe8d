"""Workloads and Services for tests, as a cluster lists them and as manifests have them."""

from __future__ import annotations

from typing import Any


def a_workload(
    name: str,
    *,
    kind: str = "Deployment",
    image: str = "",
    ports: tuple[int, ...] = (8080,),
    namespace: str = "staging",
    containers: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """Return a workload whose pods have the label `app`, and one container of this image and these ports."""
    own = {
        "name": "server",
        "image": image or f"ghcr.io/acme/{name}:main",
        "ports": [{"containerPort": port, "name": f"port-{port}"} for port in ports],
    }
    spec: dict[str, Any] = {
        "selector": {"matchLabels": {"app": name}},
        "template": {
            "metadata": {"labels": {"app": name}},
            "spec": {"containers": containers or [own]},
        },
    }
    if kind == "StatefulSet":
        spec["serviceName"] = name
    return {
        "apiVersion": "argoproj.io/v1alpha1" if kind == "Rollout" else "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }


def a_service(
    name: str, *, port: int = 80, leads_to: int | str = 8080, app: str = "", namespace: str = "staging"
) -> dict[str, Any]:
    """Return a Service that leads to the pods with this label `app`, its own name if none is given."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": {"app": app or name}, "ports": [{"port": port, "targetPort": leads_to}]},
    }
