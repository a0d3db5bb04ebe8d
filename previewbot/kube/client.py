"""The controller's calls to the API server, over the official async client.

Custom objects are plain JSON both ways. Every call has a total timeout; errors are previewbot's own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp
from kubernetes.aio import client, config
from kubernetes.aio.client.exceptions import ApiException

from previewbot.errors import Conflict, NotFound, RemoteError, TryLater, from_status
from previewbot.kube.messages import message_of
from previewbot.preview import GROUP, PLURAL, VERSION, Poke, Spec, annotations_of, name_of, new_object

SESSIONS = ("preview.mirrord.metalbear.co", "v1alpha", "previewsessions")
ROUTES = ("gateway.networking.k8s.io", "v1", "httproutes")
_WORKLOADS = {
    "deployment": ("apps", "v1", "deployments"),
    "statefulset": ("apps", "v1", "statefulsets"),
    "rollout": ("argoproj.io", "v1alpha1", "rollouts"),
}
_TIMEOUT_SECONDS = 10
_MERGE_PATCH = "application/merge-patch+json"


class Kube:
    """The API server, with one identity."""

    def __init__(self, api_client: Any) -> None:
        self._client = api_client
        self._api = client.CustomObjectsApi(api_client)

    @classmethod
    async def connect(cls, kubeconfig: Path | None, *, user_agent: str) -> Kube:
        """Return a client for a kubeconfig, or for the cluster this process runs in."""
        configuration = client.Configuration()
        if kubeconfig is None:
            config.load_incluster_config(client_configuration=configuration)
        else:
            await config.load_kube_config(config_file=str(kubeconfig), client_configuration=configuration)
        api_client = client.ApiClient(configuration)
        api_client.user_agent = user_agent
        return cls(api_client)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def get_preview(self, name: str) -> dict[str, Any] | None:
        """Return a Preview, or None."""
        return await self._maybe(
            self._call("get preview", self._api.get_cluster_custom_object, *_previews(name))
        )

    async def poke(self, spec: Spec, poke: Poke, *, create: bool) -> bool:
        """Say that a pull request is to be looked at; return False if it has no Preview and gets none."""
        name = name_of(spec.repository_id, spec.number)
        patch = {"metadata": {"annotations": annotations_of(poke)}, "spec": {"repository": spec.repository}}
        try:
            await self._patch(name, patch)
            return True
        except NotFound:
            if not create:
                return False
        try:
            body = new_object(spec, poke)
            await self._call(
                "create preview",
                self._api.create_cluster_custom_object,
                *_previews(),
                body=body,
                field_validation="Strict",
            )
        except Conflict:
            # Somebody created it between our patch and our create.
            await self._patch(name, patch)
        return True

    async def put_status(self, obj: Mapping[str, Any]) -> dict[str, Any]:
        """Replace the status as a whole; raises Conflict when the object moved since it was read."""
        name = obj["metadata"]["name"]
        return await self._call(
            "put status", self._api.replace_cluster_custom_object_status, *_previews(name), body=dict(obj)
        )

    async def patch_preview_spec(self, name: str, patch: Mapping[str, Any]) -> dict[str, Any]:
        """Refresh hints in the spec."""
        return await self._patch(name, {"spec": dict(patch)})

    async def delete_preview(self, name: str, uid: str, resource_version: str) -> None:
        """Delete a Preview exactly as known; raises Conflict if it changed, and is content if it is gone."""
        preconditions = {"uid": uid, "resourceVersion": resource_version}
        await self._maybe(
            self._call(
                "delete preview",
                self._api.delete_cluster_custom_object,
                *_previews(name),
                body={"preconditions": preconditions},
            )
        )

    async def list_sessions(self, namespace: str, label_selector: str) -> list[dict[str, Any]]:
        """Return the preview sessions of a namespace that match."""
        group, version, plural = SESSIONS
        answer = await self._call(
            "list sessions",
            self._api.list_namespaced_custom_object,
            group,
            version,
            namespace,
            plural,
            label_selector=label_selector,
        )
        return list(answer["items"])

    async def create_session(self, namespace: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
        """Create a session; a field that the installed CRD does not know is an error, not pruned in silence."""
        group, version, plural = SESSIONS
        return await self._call(
            "create session",
            self._api.create_namespaced_custom_object,
            group,
            version,
            namespace,
            plural,
            body=dict(manifest),
            field_validation="Strict",
        )

    async def delete_session(self, namespace: str, name: str, uid: str) -> None:
        """Delete this very session; raises Conflict if the name belongs to another by now."""
        group, version, plural = SESSIONS
        await self._maybe(
            self._call(
                "delete session",
                self._api.delete_namespaced_custom_object,
                group,
                version,
                namespace,
                plural,
                name,
                body={"preconditions": {"uid": uid}},
            )
        )

    async def apply_route(self, manifest: Mapping[str, Any]) -> None:
        """Create an HTTPRoute, or patch it where a field that we set differs."""
        group, version, plural = ROUTES
        metadata = manifest["metadata"]
        where = (group, version, metadata["namespace"], plural)
        name = metadata["name"]
        found = await self._maybe(
            self._call("get route", self._api.get_namespaced_custom_object, *where, name)
        )
        if found is None:
            await self._call(
                "create route",
                self._api.create_namespaced_custom_object,
                *where,
                body=dict(manifest),
                field_validation="Strict",
            )
        elif not contains(found, manifest):
            await self._call(
                "patch route",
                self._api.patch_namespaced_custom_object,
                *where,
                name,
                body=dict(manifest),
                _content_type=_MERGE_PATCH,
            )

    async def delete_route(self, namespace: str, name: str) -> None:
        """Delete an HTTPRoute; one that is gone already is fine."""
        group, version, plural = ROUTES
        await self._maybe(
            self._call(
                "delete route",
                self._api.delete_namespaced_custom_object,
                group,
                version,
                namespace,
                plural,
                name,
            )
        )

    async def get_target(self, namespace: str, kind: str, name: str) -> dict[str, Any] | None:
        """Return the workload that a target names, or None."""
        group, version, plural = _WORKLOADS[kind]
        return await self._maybe(
            self._call(
                f"get {kind}", self._api.get_namespaced_custom_object, group, version, namespace, plural, name
            )
        )

    async def missing_resources(self, wanted: Sequence[tuple[str, str, str]]) -> list[str]:
        """Return which of (group, version, plural) the API server does not have; needs no permission."""
        missing = []
        for group, version, plural in wanted:
            found = await self._maybe(self._discover(group, version))
            names = [resource["name"] for resource in (found or {}).get("resources", [])]
            if plural not in names:
                missing.append(f"{plural}.{group} ({version})")
        return missing

    async def list_for_watch(
        self, group: str, version: str, plural: str, namespace: str | None
    ) -> tuple[list[dict[str, Any]], str]:
        """Return all objects and the resource version to watch from."""
        answer = await self._call(f"list {plural}", *self._lister(group, version, plural, namespace))
        return list(answer["items"]), str(answer["metadata"]["resourceVersion"])

    async def open_watch(
        self,
        group: str,
        version: str,
        plural: str,
        namespace: str | None,
        resource_version: str,
        seconds: int,
    ) -> aiohttp.ClientResponse:
        """Open a watch with bookmarks that the server ends after `seconds`; the caller reads and closes it."""
        lister, *args = self._lister(group, version, plural, namespace, raw=True)
        try:
            response: aiohttp.ClientResponse = await lister(
                *args,
                watch=True,
                allow_watch_bookmarks=True,
                resource_version=resource_version,
                timeout_seconds=seconds,
                _request_timeout=seconds + 30,
            )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise TryLater(f"watch {plural}", message=type(error).__name__) from error
        except ApiException as error:
            raise _in_our_words(f"watch {plural}", error) from error
        if response.status >= 400:
            text = await response.text()
            response.close()
            raise from_status(f"watch {plural}", response.status, text[:200])
        return response

    def _lister(
        self, group: str, version: str, plural: str, namespace: str | None, *, raw: bool = False
    ) -> tuple[Any, ...]:
        suffix = "_without_preload_content" if raw else ""
        if namespace is None:
            return getattr(self._api, f"list_cluster_custom_object{suffix}"), group, version, plural
        method = getattr(self._api, f"list_namespaced_custom_object{suffix}")
        return method, group, version, namespace, plural

    async def _patch(self, name: str, patch: Mapping[str, Any]) -> dict[str, Any]:
        return await self._call(
            "patch preview",
            self._api.patch_cluster_custom_object,
            *_previews(name),
            body=dict(patch),
            _content_type=_MERGE_PATCH,
        )

    async def _discover(self, group: str, version: str) -> dict[str, Any]:
        return await self._call("discovery", self._api.get_api_resources, group, version, as_dict=True)

    async def _call(
        self, what: str, method: Any, *args: Any, as_dict: bool = False, **kwargs: Any
    ) -> dict[str, Any]:
        try:
            answer = await method(*args, **kwargs, _request_timeout=_TIMEOUT_SECONDS)
        except ApiException as error:
            raise _in_our_words(what, error) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise TryLater(f"Kubernetes: {what}", message=type(error).__name__) from error
        found: dict[str, Any] = answer.to_dict() if as_dict else answer
        return found

    async def _maybe(self, call: Awaitable[dict[str, Any]]) -> dict[str, Any] | None:
        try:
            return await call
        except NotFound:
            return None


def contains(found: Any, wanted: Any) -> bool:
    """Return whether every field of `wanted` is so in `found`; defaults that the server adds do not count."""
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(contains(found.get(k), v) for k, v in wanted.items())
    if isinstance(wanted, list):
        return (
            isinstance(found, list)
            and len(found) == len(wanted)
            and all(contains(f, w) for f, w in zip(found, wanted, strict=True))
        )
    return bool(found == wanted)


def _in_our_words(what: str, error: ApiException) -> RemoteError:
    status = int(error.status or 0)
    retry_after = (error.headers or {}).get("Retry-After")
    after = float(retry_after) if retry_after and retry_after.isdigit() else None
    return from_status(f"Kubernetes: {what}", status, message_of(error.body), after)


def _previews(*name: str) -> tuple[str, ...]:
    return (GROUP, VERSION, PLURAL, *name)
