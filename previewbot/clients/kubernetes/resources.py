"""What both clients of the API server share: where things are, what a poke is, what an error means. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from previewbot.api import GROUP, PLURAL, VERSION, Poke, Resource, Spec, annotations_of
from previewbot.engine import operator
from previewbot.errors import RemoteError, from_status
from previewbot.text.json import read_json

PREVIEWS = Resource(GROUP, VERSION, PLURAL)
EVENTS = Resource("events.k8s.io", "v1", "events")
PODS = Resource("", "v1", "pods")
POD_EVENTS = Resource("", "v1", "events")
"""The older kind of Events, in which kubelet writes."""
LEASES = Resource("coordination.k8s.io", "v1", "leases")
OPERATORS = Resource(operator.API_GROUP, operator.API_VERSION, operator.PLURAL)
WORKLOADS: Mapping[str, Resource] = {
    "deployment": Resource("apps", "v1", "deployments"),
    "statefulset": Resource("apps", "v1", "statefulsets"),
    "rollout": Resource("argoproj.io", "v1alpha1", "rollouts"),
    "replicaset": Resource("apps", "v1", "replicasets"),
    "pod": PODS,
    "service": Resource("", "v1", "services"),
    "job": Resource("batch", "v1", "jobs"),
    "cronjob": Resource("batch", "v1", "cronjobs"),
}
"""What a target may name, and what a Rollout may refer to."""

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
"""RFC 7386; must be named each time: the client's own default depends on the type of the body."""

MOST_BYTES = 4 * 1024 * 1024
"""Bytes that are read of an object, of a page of a list, of a line of a watch. An object has at most 1.5 MiB
in etcd (https://etcd.io/docs/v3.6/dev-guide/limit/): the larger they are the fewer are asked for at once."""

POKE_ATTEMPTS = 3
"""Patch, create, patch: enough for a Preview that appears or goes between two of our calls."""

_LONGEST_WAIT = 300.0
_SHOWN, _SHOWN_OF_A_MESSAGE = 500, 2000
"""Characters of an error that are kept; of the API server's own more: a webhook's end with the cause."""


def collection_path(resource: Resource, namespace: str | None) -> str:
    """Return the path of a resource's objects, of one namespace or (None) of the cluster.

    https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris
    """
    group, version, plural = resource
    # The oldest resources, such as pods, have no group, and a root of their own.
    root = f"/apis/{_part(group)}" if group else "/api"
    within = "" if namespace is None else f"/namespaces/{_part(namespace)}"
    return f"{root}/{_part(version)}{within}/{_part(plural)}"


def object_path(resource: Resource, namespace: str | None, name: str) -> str:
    """Return the path of one object; `namespace` is None for what belongs to the cluster."""
    return f"{collection_path(resource, namespace)}/{_part(name)}"


def title_of(resource: Resource) -> str:
    """Return what a resource is called to people: `rollouts.argoproj.io (v1alpha1)`."""
    group, version, plural = resource
    return f"{plural}.{group} ({version})"


def discovery_path(group: str, version: str) -> str:
    """Return the path that lists the resources of a group."""
    return f"/apis/{_part(group)}/{_part(version)}"


def _part(name: str) -> str:
    """Return a name as one part of a path; raises ValueError for one that would lead elsewhere."""
    # Without its name a request for an object would be one for the list, and a deletion one for all of them.
    # `.` and `..` are taken out of a path by clients and servers.
    if name in ("", ".", ".."):
        raise ValueError(f"{name!r} is no part of a path")
    return quote(name, safe="")


def poke_patch(spec: Spec, poke: Poke) -> dict[str, Any]:
    """Return the merge patch of a poke: annotations, and the repository's present name."""
    return {"metadata": {"annotations": annotations_of(poke)}, "spec": {"repository": spec.repository}}


_WHOLE = frozenset({"matches", "parentRefs", "backendRefs", "requestHeaderModifier", "requestRedirect"})
"""Parts of a route that are written out with all that the API server would add: one more header to match, or
one to take away, is somebody's, and has requests go another way."""


def contains(found: Any, wanted: Any) -> bool:
    """Return whether every field of `wanted` has its value in `found`; what the server adds is ignored.

    A field that is None in `wanted` must not be there.
    """
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(
            found.get(k) == v if k in _WHOLE else contains(found.get(k), v) for k, v in wanted.items()
        )
    if isinstance(wanted, list):
        # A merge patch replaces lists as a whole, so they are compared as a whole: one more rule in a route
        # is a difference that we put right.
        same_length = isinstance(found, list) and len(found) == len(wanted)
        return same_length and all(contains(f, w) for f, w in zip(found, wanted, strict=True))
    return bool(found == wanted)


def without_nulls(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return a manifest without the fields that are None, which only mean something to a patch."""
    return {
        key: without_nulls(value) if isinstance(value, Mapping) else value
        for key, value in manifest.items()
        if value is not None
    }


def message_of(body: str | bytes | None) -> str:
    """Return the message of a `Status` object, or the beginning of whatever was answered."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body or ""
    try:
        status = read_json(text)
    except ValueError:
        return text[:_SHOWN]
    if not isinstance(status, dict):
        return text[:_SHOWN]
    return str(status.get("message", ""))[:_SHOWN_OF_A_MESSAGE]


def error_of(
    what: str, status: int | None, body: str | bytes | None, headers: Mapping[str, str] | None
) -> RemoteError:
    """Return what an error answer means; a `Retry-After` in seconds is kept, at most five minutes of it.

    The API server sends one under load (https://kubernetes.io/docs/concepts/cluster-administration/flow-control/).
    """
    text = (headers or {}).get("Retry-After") or ""
    after = min(float(text), _LONGEST_WAIT) if text.isascii() and text.isdigit() else None
    return from_status(f"Kubernetes: {what}", int(status or 0), message_of(body), after)
