"""What a pass works with: the adapters, the settings and the clock, all given from outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from previewbot.github import GitHub
from previewbot.kube.client import Kube
from previewbot.preview import Preview
from previewbot.reconcile.memory import Memory, Untriggered
from previewbot.registry import Registry
from previewbot.render import Renderer
from previewbot.settings import GatewaySettings, Settings


@dataclass(frozen=True)
class Context:
    """The surroundings of every pass; `pods` has those of a session, by its uid, as a watch last told."""

    kube: Kube
    github: GitHub
    registry: Registry
    renderer: Renderer
    settings: Settings
    now: Callable[[], datetime]
    previews: Callable[[], Sequence[Preview]]
    pods: Callable[[str], Sequence[Mapping[str, Any]]]
    wrote: Callable[[Mapping[str, Any]], None]
    memory: Memory
    untriggered: Untriggered

    @property
    def gateway(self) -> GatewaySettings | None:
        """The Gateway that links go through, if there is one."""
        return self.settings.links.gateway if self.settings.links else None
