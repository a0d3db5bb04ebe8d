"""What the controller follows in the cluster, and what the cluster must have for it."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable

from previewbot import links, mirrord
from previewbot.controller.health import Health
from previewbot.controller.loop import Loop
from previewbot.controller.pods import Pods
from previewbot.errors import RemoteError
from previewbot.kube.calls import Object
from previewbot.kube.client import Kube
from previewbot.kube.follow import Follower, labels_only, spec_only, status_only, without_managed_fields
from previewbot.kube.requests import PODS
from previewbot.kube.store import Store
from previewbot.preview import GROUP, PLURAL, PREVIEW_LABEL, VERSION
from previewbot.settings import Settings

_CHECK_AGAIN_SECONDS = (0.5, 15.0)
_DISCOVERY = "discovery"
_PREVIEWS = (GROUP, VERSION, PLURAL)
_SESSIONS = (mirrord.API_GROUP, mirrord.API_VERSION, mirrord.PLURAL)
_ROUTES = (links.ROUTE_GROUP, links.ROUTE_VERSION, links.ROUTE_PLURAL)

log = logging.getLogger(__name__)


def followers(
    settings: Settings, kube: Kube, health: Health, loop: Loop, previews: Store, pods: Pods
) -> list[Follower]:
    """Follow Previews everywhere; sessions, pods and routes where these are allowed: a Role is enough."""

    def follower(
        resource: tuple[str, str, str],
        namespace: str | None,
        store: Store,
        what: str,
        keep: Callable[[Object], Object] = without_managed_fields,
        selector: str = "",
    ) -> Follower:
        health.progressed(what)
        return Follower(
            kube,
            resource,
            namespace,
            store,
            progressed=lambda: health.progressed(what),
            failed=lambda error: health.troubled(what, error),
            keep=keep,
            selector=selector,
        )

    def sessions(namespace: str) -> Follower:
        what = f"following sessions in {namespace}"
        return follower(_SESSIONS, namespace, Store(loop.session_changed), what, labels_only)

    def pods_of_sessions(namespace: str) -> Follower:
        what = f"following pods in {namespace}"
        return follower(PODS, namespace, Store(pods.changed), what, status_only, mirrord.POD_SESSION)

    def routes(namespace: str) -> Follower:
        what = f"following routes in {namespace}"
        return follower(_ROUTES, namespace, Store(loop.route_changed), what, spec_only, PREVIEW_LABEL)

    of_each = [sessions, pods_of_sessions, *([routes] if _has_gateway(settings) else [])]
    namespaces = settings.cluster.namespaces
    found = [follower(_PREVIEWS, None, previews, "following Previews")]
    return found + [follow(namespace) for namespace in namespaces for follow in of_each]


def wanted(settings: Settings) -> list[tuple[str, str, str]]:
    """Return the resources that the cluster must have under these settings."""
    return [_PREVIEWS, _SESSIONS, *([_ROUTES] if _has_gateway(settings) else [])]


def _has_gateway(settings: Settings) -> bool:
    return settings.links is not None and settings.links.gateway is not None


async def wait_for_resources(
    resources: list[tuple[str, str, str]],
    kube: Kube,
    health: Health,
    *,
    backoff: tuple[float, float] = _CHECK_AGAIN_SECONDS,
) -> None:
    """Wait until the API server has every resource; say what is missing. `backoff` in seconds."""
    delay = backoff[0]
    health.progressed(_DISCOVERY)
    while True:
        try:
            missing = await kube.missing_resources(resources)
        except RemoteError as error:
            health.troubled(_DISCOVERY, error)
            health.missing = f"the API server does not say what it has: {error}"
        else:
            if not missing:
                health.forget(_DISCOVERY)
                return
            health.progressed(_DISCOVERY)
            health.missing = "the cluster lacks " + ", ".join(missing)
        log.warning("not ready", extra={"missing": health.missing})
        await asyncio.sleep(delay * random.uniform(0.5, 1.0))
        delay = min(delay * 2, backoff[1])
