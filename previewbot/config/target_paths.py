"""A workload's path as mirrord writes it, wherever a configuration names one: `deployment/checkout`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from previewbot.config.types import TARGET_KINDS, TargetKind, is_label

NAME = r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?"
"""What a workload may be called."""


@dataclass(frozen=True)
class TargetPath:
    """The workload a session stands in for, as mirrord writes it: `deployment/checkout/container/app`."""

    kind: TargetKind
    name: str
    container: str | None = None

    def __str__(self) -> str:
        container = f"/container/{self.container}" if self.container else ""
        return f"{self.kind}/{self.name}{container}"


def parse_target(text: str) -> TargetPath:
    """Return the target that `text` names; raises ValueError with what to write instead."""
    parts = text.split("/")
    if parts[0] not in TARGET_KINDS:
        kinds = ", ".join(f"{kind}/<name>" for kind in TARGET_KINDS)
        raise ValueError(f"must be one of {kinds}, with /container/<name> after it if need be")
    if len(parts) not in (2, 4) or (len(parts) == 4 and parts[2] != "container"):
        raise ValueError(f"must be {parts[0]}/<name> or {parts[0]}/<name>/container/<name>")
    if not re.fullmatch(NAME, parts[1]) or (len(parts) == 4 and not is_label(parts[3])):
        raise ValueError("must name a workload (and container) in small letters, digits and -")
    return TargetPath(parts[0], parts[1], parts[3] if len(parts) == 4 else None)
