"""The objects and their history: versions, conflicts, finalizers, owners. No HTTP here."""

from __future__ import annotations

import copy
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from previewbot.demo.kube import status
from previewbot.demo.kube.resources import Resource
from previewbot.demo.kube.schema import mistakes, unknown_fields

Object = dict[str, Any]
_HISTORY = 1_000
_SERVER_SET = (
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
)


@dataclass(frozen=True)
class Event:
    """A change, as watches tell it."""

    version: int
    resource: Resource
    kind: str
    object: Object


class Store:
    """All objects; `changed` is called after each event."""

    def __init__(self, now: Callable[[], datetime], changed: Callable[[], None]) -> None:
        self._now = now
        self._changed = changed
        self._objects: dict[tuple[str, str, str], Object] = {}
        self._resources: dict[tuple[str, str, str], Resource] = {}
        self.version = 1
        self.history: deque[Event] = deque(maxlen=_HISTORY)

    def items(self, resource: Resource, namespace: str | None) -> list[Object]:
        """Return the objects of a resource, ordered as Kubernetes lists them."""
        keys = [k for k in self._objects if k[0] == _id(resource) and namespace in (None, k[1])]
        return [copy.deepcopy(self._objects[key]) for key in sorted(keys)]

    def get(self, resource: Resource, namespace: str, name: str) -> Object:
        """Return an object; raises KubeError."""
        return copy.deepcopy(self._found(resource, namespace, name))

    def create(self, resource: Resource, namespace: str, body: Mapping[str, Any]) -> Object:
        """Create an object; a status in it is dropped, as the status subresource demands."""
        obj = copy.deepcopy(dict(body))
        metadata = dict(obj.get("metadata") or {})
        name = metadata.get("name", "")
        if not name:
            raise status.invalid(
                resource.kind, resource.group, "", ["metadata.name: Required value: name is required"]
            )
        key = (_id(resource), namespace, name)
        if key in self._objects:
            raise status.exists(resource.plural, resource.group, name)
        for field in _SERVER_SET:
            metadata.pop(field, None)
        metadata |= {"uid": str(uuid.uuid4()), "creationTimestamp": self._timestamp(), "generation": 1}
        if resource.namespaced:
            metadata["namespace"] = namespace
        obj["metadata"] = metadata
        if resource.schema is not None:
            obj.pop("status", None)
        self._check(resource, obj)
        self._write(resource, key, obj, "ADDED")
        self._collect()
        return copy.deepcopy(obj)

    def replace(
        self, resource: Resource, namespace: str, name: str, body: Mapping[str, Any], *, status_only: bool
    ) -> Object:
        """Replace an object, or only its status; a resourceVersion in it must be the stored one."""
        key = (_id(resource), namespace, name)
        old = self._found(resource, namespace, name)
        sent = (body.get("metadata") or {}).get("resourceVersion")
        if sent and sent != old["metadata"]["resourceVersion"]:
            why = (
                "the object has been modified; please apply your changes to the latest version and try again"
            )
            raise status.conflict(resource.plural, resource.group, name, why)
        new = self._merged(resource, old, body, status_only)
        self._check(resource, new)
        if new == old:
            return copy.deepcopy(old)
        if not status_only and new.get("spec") != old.get("spec"):
            new["metadata"]["generation"] = old["metadata"].get("generation", 1) + 1
        if "deletionTimestamp" in new["metadata"] and not new["metadata"].get("finalizers"):
            self._remove(resource, key, new)
        else:
            self._write(resource, key, new, "MODIFIED")
        return copy.deepcopy(new)

    def delete(
        self, resource: Resource, namespace: str, name: str, preconditions: Mapping[str, Any]
    ) -> Object:
        """Delete an object, or mark it while finalizers hold it."""
        key = (_id(resource), namespace, name)
        obj = copy.deepcopy(self._found(resource, namespace, name))
        for field in ("uid", "resourceVersion"):
            wanted = preconditions.get(field)
            if wanted and wanted != obj["metadata"][field]:
                found = obj["metadata"][field]
                why = f"Precondition failed: {field} in precondition: {wanted}, in object meta: {found}"
                raise status.conflict(resource.plural, resource.group, name, why)
        if obj["metadata"].get("finalizers"):
            if "deletionTimestamp" not in obj["metadata"]:
                obj["metadata"] |= {"deletionTimestamp": self._timestamp(), "deletionGracePeriodSeconds": 0}
                self._write(resource, key, obj, "MODIFIED")
            return copy.deepcopy(obj)
        self._remove(resource, key, obj)
        return obj

    def _merged(self, resource: Resource, old: Object, body: Mapping[str, Any], status_only: bool) -> Object:
        """Return what a write makes of an object: each half of it belongs to its own endpoint."""
        new = copy.deepcopy(old)
        if status_only:
            new.pop("status", None)
            if body.get("status") is not None:
                new["status"] = copy.deepcopy(body["status"])
            return new
        new = copy.deepcopy(dict(body))
        metadata = dict(new.get("metadata") or {})
        for field in _SERVER_SET:
            metadata.pop(field, None)
            if field in old["metadata"]:
                metadata[field] = old["metadata"][field]
        metadata |= {k: old["metadata"][k] for k in ("name", "namespace") if k in old["metadata"]}
        new["metadata"] = metadata
        if resource.schema is not None:
            new.pop("status", None)
            if "status" in old:
                new["status"] = copy.deepcopy(old["status"])
        return new

    def _check(self, resource: Resource, obj: Object) -> None:
        expected = (resource.api_version, resource.kind)
        if (obj.get("apiVersion"), obj.get("kind")) != expected:
            raise status.bad_request(
                f"the API version in the data ({obj.get('apiVersion')}) does not match {expected[0]}"
            )
        if resource.schema is None:
            return
        content = {k: v for k, v in obj.items() if k not in ("apiVersion", "kind", "metadata")}
        unknown = unknown_fields(resource.schema, content)
        if unknown:
            fields = ", ".join(f'unknown field "{field}"' for field in unknown)
            what = f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}'
            raise status.bad_request(f"{what}: strict decoding error: {fields}")
        schema = {
            **resource.schema,
            "required": [r for r in resource.schema.get("required", ()) if r != "metadata"],
        }
        wrong = mistakes(schema, content)
        if wrong:
            raise status.invalid(resource.kind, resource.group, obj["metadata"]["name"], wrong)

    def _collect(self) -> None:
        """Garbage collection: what has owners of which none is left goes too."""
        uids = {obj["metadata"]["uid"] for obj in self._objects.values()}
        for key, obj in list(self._objects.items()):
            owners = obj["metadata"].get("ownerReferences") or []
            if owners and not any(owner["uid"] in uids for owner in owners) and key in self._objects:
                self.delete(self._resources[key], key[1], key[2], {})

    def _found(self, resource: Resource, namespace: str, name: str) -> Object:
        key = (_id(resource), namespace, name)
        if key not in self._objects:
            raise status.not_found(resource.plural, resource.group, name)
        return self._objects[key]

    def _remove(self, resource: Resource, key: tuple[str, str, str], obj: Object) -> None:
        del self._objects[key]
        del self._resources[key]
        self._tell(resource, "DELETED", obj)
        self._collect()

    def _write(self, resource: Resource, key: tuple[str, str, str], obj: Object, kind: str) -> None:
        self._objects[key] = obj
        self._resources[key] = resource
        self._tell(resource, kind, obj)

    def _tell(self, resource: Resource, kind: str, obj: Object) -> None:
        self.version += 1
        obj["metadata"]["resourceVersion"] = str(self.version)
        self.history.append(Event(self.version, resource, kind, copy.deepcopy(obj)))
        self._changed()

    def _timestamp(self) -> str:
        return self._now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _id(resource: Resource) -> str:
    return f"{resource.plural}.{resource.group}"
