"""What the controller asks of the API server, from Previews and sessions to the Lease and watches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import aiohttp

from previewbot.api import Poke, Spec, name_of, new_object
from previewbot.clients.kubernetes import resources
from previewbot.clients.kubernetes.api_client import Object, items_of, within
from previewbot.clients.kubernetes.pods import PodReads
from previewbot.clients.kubernetes.resources import EVENTS, LEASES, MERGE_PATCH, PODS, PREVIEWS, Resource
from previewbot.errors import Conflict, NotFound, TryLater

_PAGE = 500


class Kube(PodReads):
    """What the controller does to the cluster; see `ApiClient` for its identity, its fence and what it
    raises."""

    async def get_preview(self, name: str) -> Object | None:
        """Return a Preview, or None."""
        return await self._find("get preview", self._api.get_cluster_custom_object, *PREVIEWS, name)

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
                await self._change(
                    "create preview", self._api.create_cluster_custom_object, *PREVIEWS,
                    body=new_object(spec, poke), field_validation="Strict",
                )  # fmt: skip
                return True
            except Conflict:
                # Somebody created it between our patch and our create: patch that one.
                continue
        raise TryLater("Kubernetes: poke", message="the Preview keeps coming and going")

    async def put_status(self, obj: Mapping[str, Any]) -> Object:
        """Replace the status as a whole; raises Conflict when the object moved since it was read."""
        method, name = self._api.replace_cluster_custom_object_status, obj["metadata"]["name"]
        # With an older CRD a field of ours would be dropped in silence, and what it says done twice.
        strict = {"body": dict(obj), "field_validation": "Strict"}
        return await self._change("put status", method, *PREVIEWS, name, **strict)

    async def patch_preview_spec(self, name: str, patch: Mapping[str, Any]) -> Object:
        """Refresh hints in the spec."""
        return await self._patch(name, {"spec": dict(patch)})

    async def delete_preview(self, name: str, uid: str, resource_version: str) -> None:
        """Delete a Preview exactly as known; raises Conflict if it changed, and is content if it is gone."""
        # With the resourceVersion too, since a webhook may poke the Preview while we decide that it can go:
        # then the API server answers 409, and the poke is looked at.
        preconditions = {"uid": uid, "resourceVersion": resource_version}
        method = self._api.delete_cluster_custom_object
        await self._delete("delete preview", method, *PREVIEWS, name, body={"preconditions": preconditions})

    async def list_children(self, resource: Resource, namespace: str, label_selector: str) -> list[Object]:
        """Return the objects of a resource in a namespace that match."""
        method, what = self._api.list_namespaced_custom_object, f"list {resource[2]}"
        answer = await self._call(what, method, *within(resource, namespace), label_selector=label_selector)
        return items_of(what, answer)

    async def create_child(self, resource: Resource, namespace: str, manifest: Mapping[str, Any]) -> Object:
        """Create an object; a field that the installed CRD does not know is an error, not pruned in silence.

        Raises Invalid for the former, and Conflict if the name is taken.
        """
        return await self._create(f"create {manifest['kind']}", resource, namespace, manifest)

    async def delete_child(self, resource: Resource, namespace: str, name: str, uid: str = "") -> None:
        """Delete an object, with a `uid` this very one; one that is gone already is fine.

        Raises Conflict if the name belongs to another by now.
        """
        method, where = self._api.delete_namespaced_custom_object, within(resource, namespace)
        body = {"body": {"preconditions": {"uid": uid}}} if uid else {}
        await self._delete(f"delete {resource[2]}", method, *where, name, **body)

    async def apply_child(self, resource: Resource, manifest: Mapping[str, Any]) -> Object:
        """Create an object, or patch it where a field that we set differs; return it as it is now."""
        namespace, name = manifest["metadata"]["namespace"], manifest["metadata"]["name"]
        found = await self.get_child(resource, namespace, name)
        if found is None:
            return await self.create_child(resource, namespace, manifest)
        # The usual case: nothing is written, so that no event of our own wakes us again. Fields that the
        # server or the gateway added are no difference.
        if resources.contains(found, manifest):
            return found
        method, where = self._api.patch_namespaced_custom_object, within(resource, namespace)
        return await self._change(
            f"patch {manifest['kind']}", method, *where, name,
            body=dict(manifest), _content_type=MERGE_PATCH,
        )  # fmt: skip

    async def get_child(self, resource: Resource, namespace: str, name: str) -> Object | None:
        """Return an object, or None."""
        method = self._api.get_namespaced_custom_object
        return await self._find(f"get {resource[2]}", method, *within(resource, namespace), name)

    async def get_target(self, namespace: str, kind: str, name: str) -> Object | None:
        """Return the workload that a target names, or None."""
        method = self._api.get_namespaced_custom_object
        return await self._find(f"get {kind}", method, *within(resources.WORKLOADS[kind], namespace), name)

    async def get_lease(self, namespace: str, name: str) -> Object | None:
        """Return a Lease, or None."""
        method = self._api.get_namespaced_custom_object
        return await self._find("get lease", method, *within(LEASES, namespace), name)

    async def create_lease(self, manifest: Mapping[str, Any]) -> Object:
        """Create a Lease; raises Conflict if there is one. Not fenced: it opens the fence."""
        method, metadata = self._api.create_namespaced_custom_object, manifest["metadata"]
        where = within(LEASES, metadata["namespace"])
        return await self._call("create lease", method, *where, body=dict(manifest))

    async def replace_lease(self, manifest: Mapping[str, Any]) -> Object:
        """Replace a Lease exactly as known; raises Conflict if it changed. Not fenced either."""
        method, metadata = self._api.replace_namespaced_custom_object, manifest["metadata"]
        where = (*within(LEASES, metadata["namespace"]), metadata["name"])
        return await self._call("replace lease", method, *where, body=dict(manifest))

    async def create_event(self, namespace: str, manifest: Mapping[str, Any]) -> None:
        """Record an Event."""
        await self._create("create event", EVENTS, namespace, manifest)

    async def missing_resources(self, wanted: Sequence[tuple[str, str, str]]) -> list[str]:
        """Return which of (group, version, plural) the API server does not have; needs no permission."""
        missing = []
        # Asked by discovery and not by listing: every identity may ask it, so a missing CRD is told apart
        # from a missing permission.
        for group, version, plural in wanted:
            found = await self._find("discovery", self._api.get_api_resources, group, version) or {}
            if plural not in [resource["name"] for resource in found.get("resources") or []]:
                missing.append(f"{plural}.{group} ({version})")
        return missing

    async def list_for_watch(
        self,
        resource: tuple[str, str, str],
        namespace: str | None,
        keep: Callable[[Object], Object] = lambda obj: obj,
        selector: str = "",
    ) -> tuple[list[Object], str]:
        """Return what is to be kept of a resource's objects, and the resource version to watch from.

        Read in pages, so that the whole of it is never in memory at once.
        """
        what, objects, page = f"list {resource[2]}", list[Object](), ""
        # A continue token that is too old answers 410: the list is given up as a whole, and the informer
        # begins a new one after its backoff.
        while True:
            go_on = {"_continue": page} if page else {}
            lister = self._lister(resource, namespace)
            answer = await self._call(what, *lister, label_selector=selector or None, limit=_PAGE, **go_on)
            objects += map(keep, items_of(what, answer))
            page = answer["metadata"].get("continue") or ""
            if not page:
                return objects, str(answer["metadata"]["resourceVersion"])

    async def open_watch(
        self,
        resource: tuple[str, str, str],
        namespace: str | None,
        version: str,
        seconds: int,
        selector: str = "",
    ) -> aiohttp.ClientResponse:
        """Open a watch with bookmarks that the server ends after `seconds`; the caller reads and closes it.

        The total timeout is a little longer, so the caller must have a limit for silence of its own.
        """
        what = f"watch {resource[2]}"
        lister, *args = self._lister(resource, namespace, "_without_preload_content")
        try:
            response: aiohttp.ClientResponse = await lister(
                *args, watch=True, allow_watch_bookmarks=True, resource_version=version,
                label_selector=selector or None, timeout_seconds=seconds,
                _request_timeout=float(seconds + 30),
            )  # fmt: skip
            # From here on the informer reads the stream. An answer with an error is read at once, since its
            # body says why.
            if response.status == 200:
                return response
            async with response:
                raise resources.error_of(what, response.status, await response.text(), response.headers)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise TryLater(f"Kubernetes: {what}", message=type(error).__name__) from error

    def _lister(
        self, resource: tuple[str, str, str], namespace: str | None, suffix: str = ""
    ) -> tuple[Any, ...]:
        # The client's methods for custom objects know `/apis/<group>` only, and pods are under `/api/v1`.
        if resource == PODS:
            return self._core.list_namespaced_pod_without_preload_content, namespace
        if namespace is None:
            return getattr(self._api, f"list_cluster_custom_object{suffix}"), *resource
        return getattr(self._api, f"list_namespaced_custom_object{suffix}"), *within(resource, namespace)

    async def _patch(self, name: str, patch: Mapping[str, Any]) -> Object:
        method = self._api.patch_cluster_custom_object
        where = (*PREVIEWS, name)
        return await self._change(
            "patch preview", method, *where, body=dict(patch), _content_type=MERGE_PATCH
        )
