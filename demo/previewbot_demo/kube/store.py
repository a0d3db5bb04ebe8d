"""The objects and their history: versions, conflicts, finalizers, owners. No HTTP here."""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from previewbot_demo.kube import status
from previewbot_demo.kube.decoding import wrong_metadata
from previewbot_demo.kube.json_copy import json_copy
from previewbot_demo.kube.resources import Resource
from previewbot_demo.kube.rules import broken
from previewbot_demo.kube.schema import mistakes
from previewbot_demo.kube.status import Cause

Object = dict[str, Any]
Key = tuple[str, str, str]
_HISTORY = 1_000
_FIRST_VERSION = 100
"""As in a cluster that has lived: a watch from version 1 is too old from the beginning."""
_SERVER_SET = (
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "managedFields",
    "selfLink",
)


@dataclass(frozen=True)
class Event:
    """A change, as watches tell it; `before` is the object as it was, if it was there."""

    version: int
    resource: Resource
    kind: str
    object: Object
    before: Object | None


class Store:
    """All objects; `changed` is called after each event."""

    def __init__(self, now: Callable[[], datetime], changed: Callable[[], None]) -> None:
        self._now = now
        self._changed = changed
        self._objects: dict[Key, Object] = {}
        self._resources: dict[Key, Resource] = {}
        self._history: deque[Event] = deque()
        self.version = _FIRST_VERSION
        self.oldest = _FIRST_VERSION

    def since(self, version: int) -> list[Event]:
        """Return the events after a version; raises KubeError if they are not all remembered."""
        if version < self.oldest:
            raise status.expired(version, self.oldest)
        return [event for event in self._history if event.version > version]

    def compact(self) -> None:
        """Forget everything but the present."""
        self._history.clear()
        self.oldest = self.version

    def items(self, resource: Resource, namespace: str | None) -> list[Object]:
        """Return the objects of a resource, ordered as Kubernetes lists them."""
        keys = [k for k in self._objects if k[0] == _id(resource) and namespace in (None, k[1])]
        return [json_copy(self._objects[key]) for key in sorted(keys)]

    def get(self, resource: Resource, namespace: str, name: str) -> Object:
        """Return an object; raises KubeError."""
        return json_copy(self._found(resource, namespace, name))

    def create(self, resource: Resource, namespace: str, body: Mapping[str, Any]) -> Object:
        """Create an object; a status in it is dropped, as the status subresource demands."""
        obj = self.tried(resource, namespace, body)
        self._write(resource, (_id(resource), namespace, obj["metadata"]["name"]), obj, "ADDED")
        self._collect()
        return json_copy(obj)

    def tried(self, resource: Resource, namespace: str, body: Mapping[str, Any]) -> Object:
        """Return what would come of creating an object; raises the KubeError that it would come to."""
        obj = json_copy(dict(body))
        metadata = dict(obj.get("metadata") or {})
        sent = metadata.get("resourceVersion")
        for field in _SERVER_SET:
            metadata.pop(field, None)
        metadata |= {"uid": str(uuid.uuid4()), "creationTimestamp": self._timestamp(), "generation": 1}
        if resource.namespaced:
            metadata["namespace"] = namespace
        obj["metadata"] = metadata
        if resource.status_apart:
            obj.pop("status", None)
        # The rules come first: what breaks them is refused for that, even where the name is taken.
        self._check(resource, obj)
        if sent:
            raise status.KubeError(500, "", "resourceVersion should not be set on objects to be created")
        key = (_id(resource), namespace, metadata["name"])
        if key in self._objects:
            raise status.exists(resource.plural, resource.group, metadata["name"])
        return obj

    def has(self, resource: Resource, namespace: str, name: str) -> bool:
        """Return whether there is such an object."""
        return (_id(resource), namespace, name) in self._objects

    def create_by_update(self, resource: Resource, namespace: str, body: Mapping[str, Any]) -> Object:
        """Create an object by an update; raises KubeError if a certain one was meant that is gone."""
        metadata = dict(body["metadata"])
        if metadata.get("uid"):
            raise _of_another_uid(resource, str(metadata.get("name")), metadata["uid"], "")
        metadata.pop("resourceVersion", None)
        return self.create(resource, namespace, {**body, "metadata": metadata})

    def replace(
        self, resource: Resource, namespace: str, name: str, body: Mapping[str, Any], *, status_only: bool
    ) -> Object:
        """Replace an object, or only its status; what is sent must be the stored one, in its version."""
        key = (_id(resource), namespace, name)
        old = self._found(resource, namespace, name)
        self._check_known(resource, old, body.get("metadata") or {})
        new = self._merged(resource, old, body, status_only)
        self._check(resource, new, old)
        if new == old:
            return json_copy(old)
        if not status_only and _content(new) != _content(old):
            new["metadata"]["generation"] = old["metadata"].get("generation", 1) + 1
        if "deletionTimestamp" in new["metadata"] and not new["metadata"].get("finalizers"):
            # The answer is the object as it would have been; the version is that of the write before.
            self._remove(resource, key, json_copy(new))
        else:
            self._write(resource, key, new, "MODIFIED")
        return json_copy(new)

    def delete(
        self, resource: Resource, namespace: str, name: str, preconditions: Mapping[str, Any]
    ) -> Object:
        """Delete an object and return it; one that finalizers hold is only marked."""
        key = (_id(resource), namespace, name)
        obj = json_copy(self._found(resource, namespace, name))
        metadata = obj["metadata"]
        for field, what, since in (
            ("uid", "UID", "deleted and then recreated"),
            ("resourceVersion", "ResourceVersion", "modified"),
        ):
            wanted = preconditions.get(field)
            if wanted and wanted != metadata[field]:
                why = f"the {what} in the precondition ({wanted}) does not match the {what} in record"
                why = f"{why} ({metadata[field]}). The object might have been {since}"
                raise status.conflict(resource.kind, resource.group, name, why)
        if not metadata.get("finalizers"):
            self._remove(resource, key, obj)
            return obj
        if "deletionTimestamp" not in metadata:
            metadata |= {"deletionTimestamp": self._timestamp(), "deletionGracePeriodSeconds": 0}
            metadata["generation"] = metadata.get("generation", 1) + 1
            self._write(resource, key, obj, "MODIFIED")
        return json_copy(obj)

    def _check_known(self, resource: Resource, old: Object, sent: Mapping[str, Any]) -> None:
        """Refuse an update of another object, or of another version of it."""
        name, stored = old["metadata"]["name"], old["metadata"]
        if sent.get("uid") and sent["uid"] != stored["uid"]:
            raise _of_another_uid(resource, name, sent["uid"], stored["uid"])
        version = sent.get("resourceVersion")
        if not version and not resource.unconditional:
            text = "Invalid value: 0: must be specified for an update"
            causes = [Cause("metadata.resourceVersion", "FieldValueInvalid", text)]
            raise status.invalid(resource.plural, resource.group, name, causes)
        if version and version != stored["resourceVersion"]:
            raise status.conflict(resource.plural, resource.group, name, status.MODIFIED)

    def _merged(self, resource: Resource, old: Object, body: Mapping[str, Any], status_only: bool) -> Object:
        """Return what a write makes of an object: each half of it belongs to its own endpoint."""
        new = json_copy(old)
        if status_only:
            new.pop("status", None)
            if body.get("status") is not None:
                new["status"] = json_copy(body["status"])
            return new
        new = json_copy(dict(body))
        metadata = dict(new.get("metadata") or {})
        for field in _SERVER_SET:
            metadata.pop(field, None)
            if field in old["metadata"]:
                metadata[field] = old["metadata"][field]
        if "finalizers" in metadata and not metadata["finalizers"]:
            del metadata["finalizers"]
        metadata |= {k: old["metadata"][k] for k in ("name", "namespace") if k in old["metadata"]}
        new["metadata"] = metadata
        if resource.status_apart:
            new.pop("status", None)
            if "status" in old:
                new["status"] = json_copy(old["status"])
        return new

    def _check(self, resource: Resource, obj: Object, old: Object | None = None) -> None:
        wrong = wrong_metadata(resource, obj)
        if old is not None and "deletionTimestamp" in old["metadata"]:
            wrong += _new_finalizers(old["metadata"], obj["metadata"])
        if resource.schema is not None:
            content = {k: v for k, v in obj.items() if k not in ("apiVersion", "kind", "metadata")}
            required = [r for r in resource.schema.get("required", ()) if r != "metadata"]
            wrong += mistakes({**resource.schema, "required": required}, content)
            wrong += broken(resource.schema, obj, old, wrong)
        if wrong:
            raise status.invalid(obj["kind"], resource.group, str(obj["metadata"].get("name") or ""), wrong)

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

    def _remove(self, resource: Resource, key: Key, obj: Object) -> None:
        before = self._objects.pop(key)
        del self._resources[key]
        self._tell(resource, "DELETED", obj, before)
        self._collect()

    def _write(self, resource: Resource, key: Key, obj: Object, kind: str) -> None:
        before = self._objects.get(key)
        self._objects[key] = obj
        self._resources[key] = resource
        self._tell(resource, kind, obj, before)

    def _tell(self, resource: Resource, kind: str, obj: Object, before: Object | None) -> None:
        self.version += 1
        obj["metadata"]["resourceVersion"] = str(self.version)
        self._history.append(Event(self.version, resource, kind, json_copy(obj), json_copy(before)))
        if len(self._history) > _HISTORY:
            self.oldest = self._history.popleft().version
        self._changed()

    def _timestamp(self) -> str:
        return self._now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _of_another_uid(resource: Resource, name: str, sent: str, stored: str) -> status.KubeError:
    why = f"Precondition failed: UID in precondition: {sent}, UID in object meta: {stored}"
    return status.conflict(resource.plural, resource.group, name, why)


def _new_finalizers(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Cause]:
    added = [f for f in new.get("finalizers") or [] if f not in (old.get("finalizers") or [])]
    if not added:
        return []
    listed = ", ".join(f'"{finalizer}"' for finalizer in added)
    text = (
        "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers "
        f"[]string{{{listed}}}"
    )
    return [Cause("metadata.finalizers", "FieldValueForbidden", text)]


def _content(obj: Object) -> Object:
    return {key: value for key, value in obj.items() if key not in ("metadata", "status")}


def _id(resource: Resource) -> str:
    return f"{resource.plural}.{resource.group}"
