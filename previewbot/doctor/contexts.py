"""What a pass works with, for those who only look: its functions are asked, and nobody writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from previewbot.api import Preview
from previewbot.clients.github import GitHub
from previewbot.clients.kubernetes.client import Kube
from previewbot.clients.links import Links
from previewbot.clients.registry import Registry
from previewbot.config.server import Settings
from previewbot.engine.operator import OperatorSeen, nobody_asked
from previewbot.reconciler.children import KINDS, ROUTE
from previewbot.reconciler.context import Context
from previewbot.reconciler.memory import Memory
from previewbot.runtime.pods import Pods
from previewbot.text.render import Renderer


def looking(
    kube: Kube,
    github: GitHub,
    registry: Registry,
    links: Links,
    settings: Settings,
    now: Callable[[], datetime],
    previews: Sequence[Preview] = (),
    pods: Pods | None = None,
    operator: OperatorSeen | None = None,
) -> Context:
    """Return the context of a pass that begins with nothing remembered."""
    seen = tuple(previews)
    return Context(
        kube=kube,
        github=github,
        links=links,
        registry=registry,
        renderer=Renderer(),
        settings=settings,
        now=now,
        previews=lambda: seen,
        pods=pods or Pods(lambda session: None, now),
        wrote=lambda obj: None,
        kinds=KINDS,
        route=ROUTE,
        memory=Memory(),
        operator=lambda: operator or nobody_asked(),
    )
