"""What passes work with: the adapters, the settings and the clock, all given from outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from previewbot.api import Preview
from previewbot.clients.github import GitHub
from previewbot.clients.kubernetes.client import Kube
from previewbot.clients.registry import Registry
from previewbot.config.server import Settings
from previewbot.reconciler.children import ChildKind, Route
from previewbot.reconciler.memory import Memory
from previewbot.reconciler.observation import Limits
from previewbot.text.render import Renderer


@dataclass(frozen=True)
class Context:
    """What every pass works with.

    `pods` has the pods of a session, by its namespace and uid, as a watch last told. `wrote` takes what we
    wrote into the cache, so that the cache is never behind our own writes.
    """

    kube: Kube
    github: GitHub
    registry: Registry
    renderer: Renderer
    settings: Settings
    now: Callable[[], datetime]
    previews: Callable[[], Sequence[Preview]]
    pods: Callable[[str, str], Sequence[Mapping[str, Any]]]
    # Our own writes race with the watch that tells of them; `ObjectCache` keeps whichever is newer.
    wrote: Callable[[Mapping[str, Any]], None]
    kinds: Sequence[ChildKind]
    route: Route
    memory: Memory

    @property
    def limits(self) -> Limits:
        """What the settings say about time and number, and where links go."""
        settings = self.settings
        return Limits(
            ttl_default=settings.ttl.default,
            ttl_max=settings.ttl.max,
            session_deadline=settings.deadlines.session,
            image_deadline=settings.deadlines.image,
            previews=settings.limits.previews,
            public_url=settings.public_url,
            gateway=settings.links.gateway if settings.links else None,
        )
