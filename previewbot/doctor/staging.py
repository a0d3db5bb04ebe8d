"""Reads what a cluster's namespaces hold, for `check --cluster` and `init`; it changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import Any

from previewbot.api import Resource
from previewbot.clients.kubernetes.client import Kube
from previewbot.clients.kubernetes.resources import WORKLOADS
from previewbot.doctor.check import safe
from previewbot.doctor.staging_judged import Seen
from previewbot.engine.routes import ROUTES
from previewbot.engine.staging import staging_of
from previewbot.errors import Forbidden, NotFound, RemoteError

NAMESPACES = Resource("", "v1", "namespaces")
_SERVICES = Resource("", "v1", "services")
_INGRESSES = Resource("networking.k8s.io", "v1", "ingresses")
_PARTS = {
    "deployment": "workloads",
    "statefulset": "workloads",
    "services": "services",
    "rollout": "rollouts",
    "replicaset": "replicasets",
    "pod": "pods",
    "job": "jobs",
    "cronjob": "cronjobs",
}
"""What is told of as one where it cannot be read; of doors, which are only a hint, nothing is told."""
_AT_ONCE = 8
_ALWAYS = ("deployment", "statefulset", "rollout", "replicaset")
"""What is listed whatever a file names: of pods and jobs a namespace may have thousands."""

_CALLED = {
    "deployment": "Deployment",
    "statefulset": "StatefulSet",
    "rollout": "Rollout",
    "replicaset": "ReplicaSet",
    "pod": "Pod",
    "job": "Job",
    "cronjob": "CronJob",
    "services": "Service",
    "ingresses": "Ingress",
    "routes": "HTTPRoute",
}
"""What each kind is called in an object of its own: in a list that it has a kind the server leaves out."""

Listed = tuple[list[Mapping[str, Any]], RemoteError | None]


async def see(
    kube: Kube, namespaces: Collection[str], *, doors: bool = False, kinds: Collection[str] = ()
) -> Seen:
    """Return what is in these namespaces; with `doors` also the hosts of Ingresses and HTTPRoutes.

    `kinds` are those of the targets that somebody named.

    Raises the RemoteError of an API server that cannot be asked at all; what may not be read is in the
    answer.
    """
    wanted = {kind: WORKLOADS[kind] for kind in (*_ALWAYS, *kinds) if kind != "service"}
    wanted["services"] = _SERVICES
    if doors:
        wanted |= {"ingresses": _INGRESSES, "routes": ROUTES}
    room = asyncio.Semaphore(_AT_ONCE)
    names = sorted(set(namespaces))
    found_there = await asyncio.gather(*(_is_there(kube, room, name) for name in names))
    there = [name for name, is_there in zip(names, found_there, strict=True) if is_there]
    missing = frozenset(names) - {*there}
    asked = [(namespace, kind) for namespace in there for kind in wanted]
    lists = await asyncio.gather(
        *(_listed(kube, room, wanted[kind], namespace, kind) for namespace, kind in asked)
    )
    objects: list[Mapping[str, Any]] = []
    unread: dict[tuple[str, str], str] = {}
    lacks = set[str]()
    for (namespace, kind), (found, error) in zip(asked, lists, strict=True):
        objects += found
        if isinstance(error, NotFound):
            lacks.add(kind)
        elif error is not None and kind in _PARTS:
            unread[namespace, _PARTS[kind]] = _why(error)
    known = await _hints(kube) if missing else ()
    return Seen(staging_of(objects), missing, known, unread, frozenset(lacks))


async def _is_there(kube: Kube, room: asyncio.Semaphore, namespace: str) -> bool:
    """Return whether a namespace is there; one that may not be looked at counts as there."""
    try:
        async with room:
            return await kube.get_child(NAMESPACES, None, namespace) is not None
    except Forbidden:
        return True


async def all_namespaces(kube: Kube) -> tuple[str, ...]:
    """Return the names of all namespaces; none if we may not list them. Raises RemoteError."""
    try:
        found, _ = await kube.list_for_watch(NAMESPACES, None)
    except Forbidden:
        return ()
    return tuple(str(obj["metadata"]["name"]) for obj in found)


async def _hints(kube: Kube) -> tuple[str, ...]:
    try:
        return await all_namespaces(kube)
    except RemoteError:
        return ()


async def _listed(
    kube: Kube, room: asyncio.Semaphore, resource: Resource, namespace: str, kind: str
) -> Listed:
    try:
        async with room:
            found = await kube.list_children(resource, namespace, "")
    except RemoteError as error:
        return [], error
    # The objects of a list do not say what they are.
    said = {"apiVersion": f"{resource.group}/{resource.version}".lstrip("/"), "kind": _CALLED[kind]}
    return [{**obj, **said} for obj in found], None


def _why(error: RemoteError) -> str:
    if isinstance(error, Forbidden):
        return f"may not be listed with this login (403): {safe(error.message)}"
    return f"cannot be read: {safe(str(error))}"
