"""What each process may do in the cluster: exactly what the chart's roles grant, which tests hold to it.

The table in docs/operations.md ("What each permission is for") has the reason of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from previewbot.api import PREVIEW_REQUESTS, Resource
from previewbot.clients.kubernetes.resources import (
    EVENTS,
    LEASES,
    OPERATORS,
    POD_EVENTS,
    PODS,
    PREVIEWS,
    WORKLOADS,
)
from previewbot.config.server import Settings
from previewbot.doctor.check import Check, listed, ok, wrong
from previewbot.engine import operator
from previewbot.engine.gateway_state import GATEWAY_CLASSES, GATEWAYS
from previewbot.engine.mirrord import REPLICA_SETS, SECRET_MOUNTS
from previewbot.reconciler.children import KINDS, ROUTE

EVENTS_NAMESPACE = "default"
"""Where Kubernetes keeps the Events of objects that are in no namespace."""

_SHOWN = 8


@dataclass(frozen=True)
class Right:
    """One verb on a resource; `namespace` is empty for the whole cluster, `object` for all of them."""

    namespace: str
    group: str
    resource: str
    verb: str
    part: str = ""
    object: str = ""

    @property
    def attributes(self) -> dict[str, Any]:
        """Return it as a SelfSubjectAccessReview asks
        (https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/self-subject-access-review-v1/)."""
        told = {
            "namespace": self.namespace,
            "group": self.group,
            "resource": self.resource,
            "verb": self.verb,
            "subresource": self.part,
            "name": self.object,
        }
        return {key: value for key, value in told.items() if value}

    def __str__(self) -> str:
        named = f"{self.resource}.{self.group}".rstrip(".")
        return f"{self.verb} {named}{f'/{self.part}' if self.part else ''}"


def webs(settings: Settings) -> tuple[Right, ...]:
    """Return what web may do."""
    asking = settings.cluster.listing_lease
    return (
        *_of("", PREVIEWS, "create", "patch"),
        *_of(asking.namespace, LEASES, "patch", object=asking.name),
        *_of(settings.cluster.inbox_namespace, PREVIEW_REQUESTS, "create"),
    )


def of_pages(settings: Settings) -> tuple[Right, ...]:
    """Return what pages may do: where it tells nobody anything, and nobody signs in, nothing at all."""
    signs_in = settings.access_or_default != "none"
    tells = settings.api.bearer_file is not None or signs_in or settings.pages == "public"
    # What stands in comments anybody may see, where nothing else is told.
    tells = tells or (settings.pictures is not None and settings.pictures.public)
    read = ("get", "list") if tells else ()
    asks = ("create",) if settings.people_press else ()
    return (
        *_of("", PREVIEWS, *read),
        *_of(settings.cluster.inbox_namespace, PREVIEW_REQUESTS, *asks),
    )


def controllers(settings: Settings) -> tuple[Right, ...]:
    """Return what the controller may do."""
    lease = settings.cluster.lease_or_default
    return (
        *_of("", PREVIEWS, "get", "list", "watch", "create", "patch", "delete"),
        *_of("", PREVIEWS, "update", part="status"),
        *_of("", OPERATORS, "get", object=operator.NAME),
        *(_of("", SECRET_MOUNTS, "create") if _gives_secrets(settings) else ()),
        *(right for namespace in settings.cluster.namespaces for right in _in(namespace, settings)),
        *_of(lease.namespace, LEASES, "get", "update", object=lease.name),
        *_of(lease.namespace, LEASES, "get", object=settings.cluster.listing_lease.name),
        *_of(lease.namespace, LEASES, "create"),
        *_of(settings.cluster.inbox_namespace, PREVIEW_REQUESTS, "list", "watch", "patch", "delete"),
        *_of(EVENTS_NAMESPACE, EVENTS, "create"),
        *_of_links(settings),
    )


def _of_links(settings: Settings) -> Iterator[Right]:
    """The Gateway itself: whether anybody serves it, and who."""
    gateway = settings.links.gateway if settings.links else None
    if gateway is not None:
        yield from _of(gateway.namespace, GATEWAYS, "get", object=gateway.name)
        yield from _of("", GATEWAY_CLASSES, "get")


def _gives_secrets(settings: Settings) -> bool:
    return any(rule.secrets for rule in settings.repositories or ())


def _in(namespace: str, settings: Settings) -> Iterator[Right]:
    for kind in KINDS:
        yield from _of(namespace, kind.resource, "list", "watch", "create", "delete")
        if kind.patched:
            yield from _of(namespace, kind.resource, "patch")
    for workload in WORKLOADS.values():
        yield from _of(namespace, workload, "get")
    yield from _of(namespace, PODS, "list", "watch")
    if settings.comment.logs:
        yield from _of(namespace, PODS, "get", part="log")
    yield from _of(namespace, POD_EVENTS, "list")
    yield from _of(namespace, REPLICA_SETS, "list")
    if settings.links is not None and settings.links.gateway is not None:
        yield from _of(namespace, ROUTE.resource, "get", "list", "watch", "create", "patch", "delete")


def _of(namespace: str, resource: Resource, *verbs: str, part: str = "", object: str = "") -> Iterator[Right]:
    for verb in verbs:
        yield Right(namespace, resource.group, resource.plural, verb, part, object)


OF: Mapping[str, Callable[[Settings], tuple[Right, ...]]] = {
    "controller": controllers,
    "web": webs,
    "pages": of_pages,
}
"""What each process may do, by its command."""


def name_of(who: str) -> str:
    """Return what the question for the rights of a process is called."""
    return f"rights of {who}"


def judged(place: str, lacking: Sequence[Right], who: str) -> Check:
    """Return whether a process has its rights in a namespace; `place` is empty for the whole cluster."""
    name = f"{name_of(who)} in {place or 'the cluster'}"
    if not lacking:
        return ok(name, "it has all that it needs")
    told = listed([str(right) for right in lacking], _SHOWN)
    words = (
        f"it may not {told}: `helm upgrade` makes these roles for the namespaces in "
        "settings.cluster.namespaces; with rbac.create: false you do (docs/operations.md, “What "
        "each permission is for”)"
    )
    return wrong(name, words)
