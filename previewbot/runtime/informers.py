"""What the controller follows in the cluster, and what the cluster must have for it."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass

from previewbot.api import PREVIEW_LABEL, PREVIEW_REQUESTS, Resource
from previewbot.clients.kubernetes.api_client import Object
from previewbot.clients.kubernetes.cache import ObjectCache
from previewbot.clients.kubernetes.client import Kube
from previewbot.clients.kubernetes.informer import (
    Informer,
    labels_only,
    spec_and_parents,
    status_only,
    without_managed_fields,
)
from previewbot.clients.kubernetes.resources import PODS, PREVIEWS
from previewbot.config.server import Settings
from previewbot.engine import mirrord
from previewbot.errors import Forbidden, RemoteError
from previewbot.reconciler.children import KINDS, ROUTE, ChildKind
from previewbot.runtime.health import Health
from previewbot.runtime.parts import Followed

_CHECK_AGAIN_SECONDS = (0.5, 15.0)
_DISCOVERY = "discovery"

log = logging.getLogger(__name__)


def informers(settings: Settings, kube: Kube, health: Health, followed: Followed) -> list[Informer]:
    """Follow Previews everywhere; children, pods and routes where these are allowed: a Role is enough.

    Requests in the namespace of the release, if the cluster has them: without, nobody can press a button.
    """
    workers, pods = followed.workers, followed.pods

    refusing: set[tuple[str, str]] = set()

    # Of what only wakes a pass little is kept: there may be hundreds of sessions and pods, and their specs
    # are long.
    def informer(
        resource: Resource,
        namespace: str | None,
        store: ObjectCache,
        what: str,
        keep: Callable[[Object], Object] = without_managed_fields,
        selector: str = "",
        optional: bool = False,
    ) -> Informer:
        sign = SignsOfLife(
            health, what, namespace, refusing, frozenset(settings.cluster.namespaces), optional
        )
        sign.progressed()
        return Informer(
            kube,
            resource,
            namespace,
            store,
            progressed=sign.progressed,
            failed=sign.failed,
            keep=keep,
            selector=selector,
            optional=optional,
        )

    def children(kind: ChildKind) -> Callable[[str], Informer]:
        def in_namespace(namespace: str) -> Informer:
            what = f"watching {kind.resource.plural} in {namespace}"
            store = ObjectCache(workers.child_changed)
            return informer(kind.resource, namespace, store, what, labels_only, optional=kind.optional)

        return in_namespace

    def pods_of_sessions(namespace: str) -> Informer:
        what = f"watching pods in {namespace}"
        return informer(PODS, namespace, ObjectCache(pods.changed), what, status_only, mirrord.POD_SESSION)

    def routes(namespace: str) -> Informer:
        what = f"watching {ROUTE.resource.plural} in {namespace}"
        return informer(
            ROUTE.resource,
            namespace,
            ObjectCache(workers.route_changed),
            what,
            spec_and_parents,
            PREVIEW_LABEL,
        )

    of_each = [*map(children, KINDS), pods_of_sessions, *([routes] if _has_gateway(settings) else [])]
    namespaces = settings.cluster.namespaces
    found = [
        informer(PREVIEWS, None, followed.store, "watching Previews"),
        informer(
            PREVIEW_REQUESTS,
            settings.cluster.inbox_namespace,
            ObjectCache(followed.asked.changed),
            "watching PreviewRequests",
            optional=True,
        ),
    ]
    return found + [follow(namespace) for namespace in namespaces for follow in of_each]


@dataclass(frozen=True)
class SignsOfLife:
    """Tells the probes how a watch fares; `refusing` has each that is refused (403), with its namespace.

    `optional`: nothing is at fault where it is refused, since most previews need nothing of it.
    """

    health: Health
    what: str
    namespace: str | None
    refusing: set[tuple[str, str]]
    namespaces: frozenset[str]
    optional: bool = False

    def progressed(self) -> None:
        """Note a sign of life."""
        self.refusing.discard((self.namespace or "", self.what))
        self.health.note(self.what, "")
        self.health.note_progress(self.what)

    def failed(self, error: Exception) -> None:
        """Note a fault. A role that is missing in one of several namespaces is one of that alone.

        We are ready for the others, and a controller that is not would hold up whoever upgrades it.
        """
        if isinstance(error, Forbidden) and self.optional:
            self.health.note_progress(self.what)
            self.health.note(self.what, f"{self.what}: {error}")
            return
        if isinstance(error, Forbidden) and self.namespace is not None:
            self.refusing.add((self.namespace, self.what))
            if not {namespace for namespace, _ in self.refusing} >= self.namespaces:
                self.health.note_progress(self.what)
                self.health.note(self.what, f"{self.what}: {error}")
                return
        self.health.note(self.what, "")
        self.health.failed(self.what, error)


def required_resources(settings: Settings) -> list[Resource]:
    """Return the resources that the cluster must have under these settings."""
    routes = [ROUTE.resource] if _has_gateway(settings) else []
    return [PREVIEWS, *(kind.resource for kind in KINDS if not kind.optional), *routes]


def _has_gateway(settings: Settings) -> bool:
    return settings.links is not None and settings.links.gateway is not None


async def wait_for_resources(
    resources: list[Resource],
    kube: Kube,
    health: Health,
    *,
    backoff: tuple[float, float] = _CHECK_AGAIN_SECONDS,
) -> None:
    """Wait until the API server has every resource; say what is missing. `backoff` in seconds."""
    delay = backoff[0]
    health.note_progress(_DISCOVERY)
    while True:
        try:
            missing = await kube.missing_resources(resources)
        # Waiting and not ending: CRDs are often installed a moment after the controller, and a process that
        # ends would be started again with longer and longer pauses.
        except RemoteError as error:
            health.failed(_DISCOVERY, error)
            health.missing = f"the API server does not say what it has: {error}"
        else:
            if not missing:
                health.forget(_DISCOVERY)
                return
            health.note_progress(_DISCOVERY)
            health.missing = "the cluster lacks " + ", ".join(missing)
            if any(mirrord.API_GROUP in each for each in missing):
                health.missing += " (mirrord's operator is not installed, or without preview environments)"
        log.warning("not ready; `previewbot doctor` says what to do", extra={"missing": health.missing})
        await asyncio.sleep(delay * random.uniform(0.5, 1.0))
        delay = min(delay * 2, backoff[1])
