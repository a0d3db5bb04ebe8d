"""The configuration as values; names are those of the file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, get_args

TargetKind = Literal["deployment", "statefulset", "rollout"]
TARGET_KINDS: tuple[TargetKind, ...] = get_args(TargetKind)

_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class TargetPath:
    """The workload a session stands in for, as mirrord writes it: `deployment/checkout/container/app`."""

    kind: TargetKind
    name: str
    container: str | None = None

    def __str__(self) -> str:
        container = f"/container/{self.container}" if self.container else ""
        return f"{self.kind}/{self.name}{container}"


@dataclass(frozen=True)
class Entry:
    """Staging's front end, which every link opens: its URL, and the Service a link is forwarded to."""

    url: str
    namespace: str
    service: str
    port: int
    target: TargetPath


@dataclass(frozen=True)
class ServiceConfig:
    """A service: the paths that change it, the workload it replaces, its image, and where its link lands."""

    name: str
    paths: tuple[str, ...]
    target: TargetPath
    namespace: str
    image: str
    ports: tuple[int, ...]
    open: str = "/"


@dataclass(frozen=True)
class Triggers:
    """What makes a preview without a command: agents, labels, and whether drafts count."""

    agents: bool = True
    labels: tuple[str, ...] = ("preview",)
    drafts: bool = True


@dataclass(frozen=True)
class RepositoryConfig:
    """A whole configuration; `lines` tells where a value was written (`services.checkout.image` → 14)."""

    entry: Entry | None
    services: tuple[ServiceConfig, ...]
    triggers: Triggers = Triggers()
    ttl: timedelta | None = None
    lines: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)


def is_label(name: str) -> bool:
    """Return whether `name` is a DNS label, as namespaces, Services and containers are named."""
    return _LABEL.fullmatch(name) is not None


def parse_target(text: str) -> TargetPath:
    """Return the target that `text` names; raises ValueError with what to write instead."""
    parts = text.split("/")
    if parts[0] not in TARGET_KINDS:
        kinds = ", ".join(f"{kind}/<name>" for kind in TARGET_KINDS)
        raise ValueError(f"must be one of {kinds}, with /container/<name> after it if need be")
    if len(parts) not in (2, 4) or (len(parts) == 4 and parts[2] != "container"):
        raise ValueError(f"must be {parts[0]}/<name> or {parts[0]}/<name>/container/<name>")
    if not _NAME.fullmatch(parts[1]) or (len(parts) == 4 and not is_label(parts[3])):
        raise ValueError("must name a workload (and container) in small letters, digits and -")
    return TargetPath(parts[0], parts[1], parts[3] if len(parts) == 4 else None)
