"""What the controller is made of, and how its parts know each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp
from prometheus_client import CollectorRegistry

from previewbot.clients.github import GitHub
from previewbot.clients.kubernetes.cache import ObjectCache
from previewbot.clients.kubernetes.client import Kube
from previewbot.clients.kubernetes.operator import look_at_operator
from previewbot.clients.links import Links
from previewbot.clients.pictures import Album
from previewbot.clients.registry import Registry
from previewbot.config.server import Settings
from previewbot.reconciler import Reconciler
from previewbot.reconciler.gather.gateway import look_at_gateway
from previewbot.reconciler.memory import Memory
from previewbot.rules.proxies import Proxies
from previewbot.runtime.asked import AskedElsewhere
from previewbot.runtime.gateway import GatewayWatch
from previewbot.runtime.health import Health
from previewbot.runtime.leadership import Leadership
from previewbot.runtime.listing_asked import ListingAsked
from previewbot.runtime.operator import OperatorPoll
from previewbot.runtime.pace import Pace
from previewbot.runtime.pods import Pods
from previewbot.runtime.previews import Previews
from previewbot.runtime.resync import Resync
from previewbot.runtime.workers import Workers
from previewbot.text.render import Renderer

USER_AGENT = "previewbot-controller"
LEASE = "the Lease"
"""What the sign of life of whoever asks for it is called."""


@dataclass(frozen=True)
class Parts:
    """What is there from the start: how others are asked, and how we are."""

    settings: Settings
    session: aiohttp.ClientSession
    proxies: Proxies
    github: GitHub
    kube: Kube
    leadership: Leadership
    health: Health
    metrics: CollectorRegistry
    guard_keys: Callable[[], tuple[bytes, ...]] = tuple
    pictures: Album | None = None


@dataclass(frozen=True)
class Followed:
    """What is known of the cluster, and whom it wakes; kept up to date also while somebody else leads."""

    workers: Workers
    store: ObjectCache
    pods: Pods
    previews: Previews
    operator: OperatorPoll
    gateway: GatewayWatch
    pace: Pace
    asked: AskedElsewhere


def new_leadership(settings: Settings, kube: Kube, health: Health, identity: str) -> Leadership:
    """Return this replica's part in the election."""
    lease = settings.cluster.lease_or_default
    return Leadership(
        kube,
        lease.namespace,
        lease.name,
        identity,
        looked=lambda: health.note_progress(LEASE),
        failed=lambda error: health.failed(LEASE, error),
    )


def new_followed(parts: Parts) -> Followed:
    """Return what knows nothing yet; once for a process, since metrics are registered once."""
    kube, health, metrics = parts.kube, parts.health, parts.metrics
    workers = Workers(metrics, health)
    store = ObjectCache(workers.preview_changed)
    previews = Previews(store)
    operator = OperatorPoll(
        look=lambda: look_at_operator(kube),
        now=now,
        health=health,
        metrics=metrics,
        changed=lambda: workers.operator_changed(previews()),
    )
    settings = parts.settings.links.gateway if parts.settings.links else None
    gateway = GatewayWatch(
        look=lambda memory: look_at_gateway(kube, settings, memory, now()), metrics=metrics, health=health
    )
    pace = Pace(
        parts.settings.listing.interval.total_seconds(),
        note=lambda words: health.note("the listing", words),
        metrics=metrics,
    )
    pods, asked = Pods(workers.pods_changed, now), AskedElsewhere(workers.queue.add)
    return Followed(workers, store, pods, previews, operator, gateway, pace, asked)


def new_reconciler(parts: Parts, followed: Followed, memory: Memory) -> Reconciler:
    """Return what passes over previews; a new one whenever we begin to lead."""
    return Reconciler(
        kube=parts.kube,
        github=parts.github,
        registry=Registry(parts.session, parts.settings.images.registries),
        links=Links(USER_AGENT, proxies=parts.proxies),
        renderer=Renderer(),
        settings=parts.settings,
        now=now,
        previews=followed.previews,
        pods=followed.pods,
        wrote=followed.store.put,
        operator=followed.operator,
        asked_elsewhere=followed.asked,
        guard_keys=parts.guard_keys,
        pictures=parts.pictures,
        memory=memory,
    )


async def list_for_ever(parts: Parts, followed: Followed, reconciler: Reconciler) -> None:
    """List all open pull requests, at the settings' interval or when web asks for it; raises LeaseLost."""
    asked = ListingAsked(parts.kube, parts.settings.cluster.listing_lease)
    await asked.begin()
    resync = Resync(
        github=parts.github,
        kube=parts.kube,
        previews=followed.previews,
        untriggered=reconciler.untriggered,
        of_agents=reconciler.of_agents,
        now=now,
        settings=parts.settings,
        pause=asked.wait,
        pace=followed.pace,
    )
    await resync.run()


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)
