"""Which folder of a repository a service is built from, guessed by what folders are called. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

_DEEPEST = 5
_NO_CODE = frozenset(
    {
        "build",
        "chart",
        "charts",
        "ci",
        "deploy",
        "deployment",
        "deployments",
        "dist",
        "doc",
        "docs",
        "e2e",
        "examples",
        "hack",
        "helm",
        "helm-chart",
        "infra",
        "infrastructure",
        "istio-manifests",
        "k8s",
        "kubernetes",
        "kubernetes-manifests",
        "kustomize",
        "manifests",
        "node_modules",
        "release",
        "terraform",
        "test",
        "tests",
        "vendor",
    }
)
"""Folders below which nothing is built that runs, whatever it is called."""

_SHARED = ("proto", "protos", "pb", "libs", "shared", "common")
_ODD = re.compile(r"[^A-Za-z0-9._/@+-]")
"""Signs that mean something else in a pattern than in a name; a name that has one is written by a person."""


@dataclass(frozen=True)
class Folders:
    """The folders of a repository in which code may be, each with whether a Dockerfile is in or below it."""

    of: dict[str, bool] = field(default_factory=dict)

    def named(self, names: Iterable[str]) -> str:
        """Return the folder that is called like the first of these names for which there is one; else ''."""
        for name in names:
            for alike, likeliest in self._likeliest.items():
                wanted = alike(name)
                if wanted and wanted in likeliest:
                    return likeliest[wanted]
        return ""

    @cached_property
    def _likeliest(self) -> Mapping[Callable[[str], str], Mapping[str, str]]:
        """Of each way to read names, the stricter first, the folder that a name leads to.

        Made once: a monorepo may have tens of thousands of folders, and a cluster hundreds of workloads.
        """
        found: dict[Callable[[str], str], dict[str, str]] = {alike: {} for alike in (_bare, _barest)}
        for path in sorted(self.of, key=lambda path: (not self.of[path], path.count("/"), path)):
            for alike, likeliest in found.items():
                likeliest.setdefault(alike(_last(path)), path)
        return found

    @property
    def shared(self) -> tuple[str, ...]:
        """The folders at the root that several services are usually built from."""
        return tuple(name for name in _SHARED if name in self.of)


def folders_of(files: Sequence[str]) -> Folders:
    """Return the folders of these files (paths with `/`), without those that hold no code."""
    found: dict[str, bool] = {}
    for file in files:
        *parts, name = file.split("/")
        docker = name == "Dockerfile" or name.endswith(".Dockerfile") or name.startswith("Dockerfile.")
        for depth in range(1, min(len(parts), _DEEPEST) + 1):
            path = "/".join(parts[:depth])
            if parts[depth - 1].startswith(".") or parts[depth - 1].lower() in _NO_CODE or _ODD.search(path):
                break
            found[path] = found.get(path, False) or docker
    return Folders(found)


def _last(path: str) -> str:
    return path.rsplit("/", 1)[-1]


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _barest(name: str) -> str:
    bare = _bare(name)
    # `checkoutservice` and `checkout-svc` are both the checkout's.
    return next(
        (bare.removesuffix(end) for end in ("service", "svc") if bare != end and bare.endswith(end)), bare
    )
