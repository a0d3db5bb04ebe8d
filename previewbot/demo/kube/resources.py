"""The resources the fake API server has: the CRDs that ship with the package, workloads, and Leases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class Resource:
    """A resource: where it is, what it is called, and the schema its objects must keep (None: any)."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool
    schema: Mapping[str, Any] | None

    @property
    def api_version(self) -> str:
        """The `apiVersion` of its objects."""
        return f"{self.group}/{self.version}"


def resources() -> list[Resource]:
    """Return all resources."""
    package = Path(str(files("previewbot")))
    crds = package / "crds"
    own = crds if crds.is_dir() else package.parent / "charts" / "previewbot" / "crds"
    documents = [
        yaml.safe_load(path.read_text(encoding="utf-8"))
        for path in sorted([*own.glob("*.yaml"), *(package / "demo" / "schemas").glob("*.yaml")])
    ]
    workloads = [
        Resource("apps", "v1", plural, kind, namespaced=True, schema=None)
        for plural, kind in (("deployments", "Deployment"), ("statefulsets", "StatefulSet"))
    ]
    leases = Resource("coordination.k8s.io", "v1", "leases", "Lease", namespaced=True, schema=None)
    return [*(_from_crd(document) for document in documents), *workloads, leases]


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
    )
