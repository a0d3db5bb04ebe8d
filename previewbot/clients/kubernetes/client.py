"""What the controller asks of the API server, from Previews and sessions to the Lease and watches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import aiohttp

from previewbot.api import Poke, Resource, Spec, name_of, new_object
from previewbot.clients.kubernetes import resources
from previewbot.clients.kubernetes.api_client import WHOLE, ApiRequest, Object
from previewbot.clients.kubernetes.pods import PodReads
from previewbot.clients.kubernetes.resources import (
    EVENTS,
    LEASES,
    MERGE_PATCH,
    OPERATORS,
    PREVIEWS,
    WORKLOADS,
    collection_path,
    discovery_path,
    object_path,
)
from previewbot.engine import operator
from previewbot.engine.mirrord import SECRET_MOUNTS
from previewbot.errors import Conflict, NotFound, NotServed, RemoteError, TryLater, from_status


class Kube(PodReads):
    """What the controller does to the cluster; see `ApiClient` for its identity, its fence and what it
    raises."""

    async def get_preview(self, name: str) -> Object | None:
        """Return a Preview, or None."""
        return await self._find("get preview", object_path(PREVIEWS, None, name))

    async def poke(self, spec: Spec, poke: Poke, *, create: bool) -> bool:
        """Say that a pull request is to be looked at; return False if it has no Preview and gets none."""
        name = name_of(spec.repository_id, spec.number)
        patch = resources.poke_patch(spec, poke)
        for _ in range(resources.POKE_ATTEMPTS):
            try:
                await self._patch(name, patch)
                return True
            except NotFound:
                # A build or a closed pull request without a Preview: there is nothing to look at.
                if not create:
                    return False
            except Conflict:
                continue
            try:
                path = collection_path(PREVIEWS, None)
                await self._change("create preview", "POST", path, new_object(spec, poke))
                return True
            except Conflict:
                # Somebody created it between our patch and our create: patch that one.
                continue
        raise TryLater("Kubernetes: poke", message="the Preview keeps coming and going")

    async def put_status(self, obj: Mapping[str, Any]) -> Object:
        """Replace the status as a whole; raises Conflict when the object moved since it was read."""
        path = f"{object_path(PREVIEWS, None, obj['metadata']['name'])}/status"
        return await self._change("put status", "PUT", path, obj)

    async def patch_preview_spec(self, name: str, patch: Mapping[str, Any]) -> Object:
        """Refresh hints in the spec."""
        return await self._patch(name, {"spec": dict(patch)})

    async def delete_preview(self, name: str, uid: str, resource_version: str) -> None:
        """Delete a Preview exactly as known; raises Conflict if it changed, and is content if it is gone."""
        # With the resourceVersion too, since a webhook may poke the Preview while we decide that it can go:
        # then the API server answers 409, and the poke is looked at.
        preconditions = {"uid": uid, "resourceVersion": resource_version}
        await self._delete("delete preview", object_path(PREVIEWS, None, name), preconditions)

    async def list_children(self, resource: Resource, namespace: str, label_selector: str) -> list[Object]:
        """Return the objects of a resource in a namespace that match."""
        path = collection_path(resource, namespace)
        what, query = f"list {resource.plural}", {"labelSelector": label_selector}
        found, _ = await self._list(what, path, query, pages=WHOLE)
        return found

    async def create_child(self, resource: Resource, namespace: str, manifest: Mapping[str, Any]) -> Object:
        """Create an object; a field that the installed CRD does not know is an error, not pruned in silence.

        Raises Invalid for the former, and Conflict if the name is taken.
        """
        path = collection_path(resource, namespace)
        return await self._change(f"create {manifest['kind']}", "POST", path, manifest)

    async def delete_child(self, resource: Resource, namespace: str, name: str, uid: str = "") -> None:
        """Delete an object, with a `uid` this very one; one that is gone already is fine.

        Raises Conflict if the name belongs to another by now.
        """
        preconditions = {"uid": uid} if uid else {}
        await self._delete(f"delete {resource.plural}", object_path(resource, namespace, name), preconditions)

    async def apply_child(self, resource: Resource, manifest: Mapping[str, Any]) -> Object:
        """Create an object, or patch it where a field that we set differs; return it as it is now.

        A field that is None is one that must not be there.
        """
        namespace, name = manifest["metadata"]["namespace"], manifest["metadata"]["name"]
        found = await self.get_child(resource, namespace, name)
        if found is None:
            return await self.create_child(resource, namespace, resources.without_nulls(manifest))
        # The usual case: nothing is written, so that no event of our own wakes us again. Fields that the
        # server or the gateway added are no difference.
        if resources.contains(found, manifest):
            return found
        path = object_path(resource, namespace, name)
        return await self._change(
            f"patch {manifest['kind']}", "PATCH", path, manifest, content_type=MERGE_PATCH
        )

    async def patch_child(
        self, resource: Resource, namespace: str, name: str, patch: Mapping[str, Any]
    ) -> Object:
        """Patch an object as RFC 7386 says; with `metadata.uid` in the patch this very one.

        Raises Conflict if the name belongs to another by now, and NotFound if it is gone.
        """
        path = object_path(resource, namespace, name)
        return await self._change(f"patch {resource.plural}", "PATCH", path, patch, content_type=MERGE_PATCH)

    async def give_secret_mounts(self, body: Mapping[str, Any]) -> None:
        """Give mirrord's operator the secret files of a session; raises Conflict where it has them.

        What it raises has no words of whoever answered.
        """
        what = "create previewsecretmounts"
        try:
            await self._change(what, "POST", collection_path(SECRET_MOUNTS, None), body)
        except RemoteError as error:
            if not error.status:
                raise
            # Whoever refuses a body may repeat it, and this one has secrets: the words would stand in the
            # comment and in the log.
            raise from_status(what, error.status, after=error.after) from None

    async def get_child(self, resource: Resource, namespace: str | None, name: str) -> Object | None:
        """Return an object, or None; `namespace` is None for one that belongs to the cluster."""
        return await self._find(f"get {resource.plural}", object_path(resource, namespace, name))

    async def get_target(self, namespace: str, kind: str, name: str) -> Object | None:
        """Return a workload that a target names, or refers to; or None.

        Raises NotServed where the cluster has no such kind of workload, which the API server also calls 404.
        """
        resource = WORKLOADS[kind]
        found = await self._find(f"get {kind}", object_path(resource, namespace, name))
        # A group with a dot is of a CRD, which may be missing; the others every cluster has.
        if found is None and "." in resource[0] and await self._lacks(resource):
            raise NotServed(f"Kubernetes: get {kind}", status=404, message=resources.title_of(resource))
        return found

    async def _lacks(self, resource: Resource) -> bool:
        """Return whether the API server surely has no such resource."""
        try:
            return bool(await self.missing_resources([resource]))
        except RemoteError:
            return False

    async def get_lease(self, namespace: str, name: str) -> Object | None:
        """Return a Lease, or None."""
        return await self._find("get lease", object_path(LEASES, namespace, name))

    async def create_lease(self, manifest: Mapping[str, Any]) -> Object:
        """Create a Lease; raises Conflict if there is one. Not fenced: it opens the fence."""
        path = collection_path(LEASES, manifest["metadata"]["namespace"])
        return await self._call("create lease", ApiRequest("POST", path, body=manifest))

    async def replace_lease(self, manifest: Mapping[str, Any]) -> Object:
        """Replace a Lease exactly as known; raises Conflict if it changed. Not fenced either."""
        metadata = manifest["metadata"]
        path = object_path(LEASES, metadata["namespace"], metadata["name"])
        return await self._call("replace lease", ApiRequest("PUT", path, body=manifest))

    async def create_event(self, namespace: str, manifest: Mapping[str, Any]) -> None:
        """Record an Event."""
        await self._change("create event", "POST", collection_path(EVENTS, namespace), manifest)

    async def get_operator(self) -> Object | None:
        """Return what mirrord's operator tells of itself, or None if the API server has no such thing."""
        return await self._find("get mirrordoperators", object_path(OPERATORS, None, operator.NAME))

    async def serves(self, group: str, version: str) -> bool:
        """Return whether the API server answers for a group; needs no permission."""
        return await self._find("discovery", discovery_path(group, version)) is not None

    async def published(self, group: str, version: str) -> dict[str, Any]:
        """Return the schemas that the API server publishes of a group; empty if it has none of that name."""
        return await self._find("schemas", f"/openapi/v3/apis/{group}/{version}") or {}

    async def server_version(self) -> str:
        """Return the API server's version (`v1.34.1`), or nothing if it tells none."""
        found = await self._find("version", "/version") or {}
        return str(found.get("gitVersion") or "")

    async def missing_resources(self, wanted: Sequence[Resource]) -> list[str]:
        """Return which of (group, version, plural) the API server does not have; needs no permission."""
        missing = []
        # Asked by discovery and not by listing: every identity may ask it, so a missing CRD is told apart
        # from a missing permission.
        for group, version, plural in wanted:
            found = await self._find("discovery", discovery_path(group, version)) or {}
            if plural not in [resource["name"] for resource in found.get("resources") or []]:
                missing.append(resources.title_of(Resource(group, version, plural)))
        return missing

    async def list_for_watch(
        self,
        resource: Resource,
        namespace: str | None,
        keep: Callable[[Object], Object] = lambda obj: obj,
        selector: str = "",
    ) -> tuple[list[Object], str]:
        """Return what is to be kept of a resource's objects, and the resource version to watch from."""
        path = collection_path(resource, namespace)
        what = f"list {resource.plural}"
        objects, version = await self._list(what, path, _query(selector), keep=keep)
        if not version:
            # A watch from no version begins with now: what happened since the list would never be told.
            raise TryLater(f"Kubernetes: {what}", message="the list has no resourceVersion")
        return objects, version

    async def open_watch(
        self,
        resource: Resource,
        namespace: str | None,
        version: str,
        seconds: int,
        selector: str = "",
    ) -> aiohttp.ClientResponse:
        """Open a watch with bookmarks that the server ends after `seconds`; the caller reads and closes it.

        The total timeout is a little longer, so the caller must have a limit for silence of its own.
        """
        query = _query(selector, watch="true", allowWatchBookmarks="true", resourceVersion=version)
        query["timeoutSeconds"] = seconds
        path = collection_path(resource, namespace)
        return await self._stream(
            f"watch {resource.plural}", ApiRequest("GET", path, query), float(seconds + 30)
        )

    async def _patch(self, name: str, patch: Mapping[str, Any]) -> Object:
        path = object_path(PREVIEWS, None, name)
        return await self._change("patch preview", "PATCH", path, patch, content_type=MERGE_PATCH)


def _query(selector: str, **more: str | int) -> dict[str, str | int]:
    """Return the parameters of a list; without a selector it is of all objects."""
    return {"labelSelector": selector, **more} if selector else more
