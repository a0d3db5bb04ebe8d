"""The resources the fake API server has: the CRDs that ship with the packages, workloads, and Leases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

_VERBS = ["create", "delete", "get", "list", "patch", "update", "watch"]


@dataclass(frozen=True)
class Resource:
    """A resource: where it is, what it is called, and the schema its objects must keep (None: any).

    `unconditional` says that an update may come without a resourceVersion, and `created_by_update` that an
    update of what is not there creates it; `selectable` are the fields by which lists can be narrowed,
    besides name and namespace. The core group is the empty one.
    """

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool
    schema: Mapping[str, Any] | None
    short_names: tuple[str, ...] = ()
    unconditional: bool = False
    created_by_update: bool = False
    selectable: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        """The `apiVersion` of its objects."""
        return f"{self.group}/{self.version}".lstrip("/")

    @property
    def status_apart(self) -> bool:
        """Whether the status is written through an endpoint of its own only."""
        return self.schema is not None or self.kind == "Pod"

    def discovery(self) -> list[dict[str, Any]]:
        """Return what discovery tells of it, and of its status."""
        where = {"namespaced": self.namespaced, "kind": self.kind}
        shorts = {"shortNames": list(self.short_names)} if self.short_names else {}
        own = {"name": self.plural, "singularName": self.kind.lower(), **where, "verbs": _VERBS, **shorts}
        if self.kind in ("Lease", "Event", "PreviewRequest"):
            return [own]
        verbs = ["get", "patch", "update"]
        return [own, {"name": f"{self.plural}/status", "singularName": "", **where, "verbs": verbs}]


def resources() -> list[Resource]:
    """Return all resources."""
    package = Path(str(files("previewbot")))
    crds = package / "crds"
    own = crds if crds.is_dir() else package.parent / "charts" / "previewbot" / "crds"
    others = Path(str(files("previewbot_demo"))) / "schemas"
    documents = [
        yaml.safe_load(path.read_text(encoding="utf-8"))
        for path in sorted([*own.glob("*.yaml"), *others.glob("*.yaml")])
    ]
    workloads = [
        Resource("apps", "v1", plural, kind, namespaced=True, schema=None, unconditional=True)
        for plural, kind in (
            ("deployments", "Deployment"),
            ("statefulsets", "StatefulSet"),
            ("replicasets", "ReplicaSet"),
        )
    ]
    leases = Resource(
        "coordination.k8s.io", "v1", "leases", "Lease", namespaced=True, schema=None, created_by_update=True
    )
    events = Resource(
        "events.k8s.io", "v1", "events", "Event", namespaced=True, schema=None, unconditional=True
    )
    return [*(_from_crd(document) for document in documents), *workloads, leases, events, *_core()]


def _core() -> list[Resource]:
    """Pods, which nobody runs here, the older Events, which are others than the newer ones here, and what
    leads to pods."""
    fields = ("involvedObject.kind", "involvedObject.name", "involvedObject.uid", "reason", "type")
    pods = Resource("", "v1", "pods", "Pod", namespaced=True, schema=None, unconditional=True)
    events = Resource("", "v1", "events", "Event", True, None, unconditional=True, selectable=fields)
    services = Resource("", "v1", "services", "Service", namespaced=True, schema=None, unconditional=True)
    namespaces = Resource("", "v1", "namespaces", "Namespace", namespaced=False, schema=None)
    ingresses = Resource("networking.k8s.io", "v1", "ingresses", "Ingress", True, None, unconditional=True)
    return [pods, events, services, namespaces, ingresses]


def _from_crd(crd: Mapping[str, Any]) -> Resource:
    spec = crd["spec"]
    version = spec["versions"][0]
    return Resource(
        spec["group"],
        version["name"],
        spec["names"]["plural"],
        spec["names"]["kind"],
        namespaced=spec["scope"] == "Namespaced",
        schema=version["schema"]["openAPIV3Schema"],
        short_names=tuple(spec["names"].get("shortNames", ())),
    )
