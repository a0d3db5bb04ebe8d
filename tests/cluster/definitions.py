"""The CRDs that tests install, and other definitions, as vendors ship them in Go modules; none is compiled.

Each lies in a folder of the cache beside the version that it is of, and in no commit: `make test-binaries`
unpacks what is missing.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.binaries import cache

HERE = Path(__file__).parent
Run = Callable[[list[str], Path, Mapping[str, str], Path], None]
"""Runs a command in a folder, with an environment, and writes what it prints into a file."""


@dataclass(frozen=True)
class Definitions:
    """Files of a Go module: `folder` of the cache gets those that `patterns` name.

    `pinned_in` is the folder with the go.mod that says of which version.
    """

    folder: str
    pinned_in: str
    module: str
    patterns: tuple[str, ...]

    @property
    def directory(self) -> Path:
        """Where its go.mod lies."""
        return HERE / self.pinned_in

    def are_here(self, version: str) -> bool:
        """Return whether the cache has them of this version."""
        here = cache() / self.folder
        stamp = here / "version"
        current = stamp.exists() and stamp.read_text(encoding="utf-8") == version
        return current and all(any(here.glob(Path(pattern).name)) for pattern in self.patterns)

    def unpack(self, run: Run, go: str, environment: Mapping[str, str], log: Path) -> None:
        """Copy them out of the module, which Go's own client downloads where it is not on the machine."""
        command = [go, "mod", "download", "-json", self.module]
        run(command, self.directory, os.environ | environment, log)
        answer = json.loads(log.read_text(encoding="utf-8"))
        made = cache() / f".{self.folder}.new"
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir()
        for pattern in self.patterns:
            for file in Path(answer["Dir"]).glob(pattern):
                # Not copy2: files of Go's module cache may not be written, nor removed by rmtree.
                (made / file.name).write_bytes(file.read_bytes())
        (made / "version").write_text(answer["Version"], encoding="utf-8")
        shutil.rmtree(cache() / self.folder, ignore_errors=True)
        made.rename(cache() / self.folder)


_GATEWAY_API = "sigs.k8s.io/gateway-api"
_CRD = "gateway.networking.k8s.io"
DEFINITIONS = (
    Definitions("gateway-api", "gateway-api", _GATEWAY_API, (f"config/crd/standard/{_CRD}_*.yaml",)),
    Definitions(
        "gateway-api-experimental",
        "gateway-api",
        _GATEWAY_API,
        (f"config/crd/experimental/{_CRD}_httproutes.yaml",),
    ),
    Definitions(
        "envoy-gateway",
        "envoy-gateway",
        "github.com/envoyproxy/gateway",
        ("charts/gateway-helm/charts/crds/crds/generated/gateway.envoyproxy.io_securitypolicies.yaml",),
    ),
    Definitions(
        "istio",
        "istio",
        "istio.io/api",
        ("kubernetes/customresourcedefinitions.gen.yaml", "mesh/v1alpha1/config.proto"),
    ),
    Definitions(
        "traefik",
        "../node/go/traefik",
        "github.com/traefik/traefik/v3",
        ("docs/content/reference/dynamic-configuration/kubernetes-crd-definition-v1.yml",),
    ),
)
