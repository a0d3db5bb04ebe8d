"""The controller's calls to the API server, over the official async client.

Custom objects are plain JSON both ways. Every call has a total timeout; errors are previewbot's own.

Measured on kubernetes 37: the timeout must be one number (a pair raises TypeError), an answer that is not
JSON comes back as a string or as a JSONDecodeError, and an empty name turns a get into a list.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import aiohttp
from kubernetes.aio import client, config
from kubernetes.aio.client.exceptions import ApiException
from pydantic import ValidationError

from previewbot.errors import Conflict, NotFound, TryLater
from previewbot.kube import requests
from previewbot.kube.requests import EVENTS, LEASES, MERGE_PATCH, ROUTES, SESSIONS
from previewbot.preview import GROUP, PLURAL, VERSION, Poke, Spec, name_of, new_object

Object = dict[str, Any]
Fence = Callable[[], None]

_TIMEOUT_SECONDS = 10.0
_PREVIEWS = (GROUP, VERSION, PLURAL)


def open_fence() -> None:
    """Let everything through."""


class Kube:
    """The API server, with one identity.

    Every method raises the RemoteError that the answer means; TryLater where there is none that makes sense.
    """

    def __init__(
        self, api_client: Any, *, fence: Fence = open_fence, request_timeout: float = _TIMEOUT_SECONDS
    ) -> None:
        self._client = api_client
        self._api = client.CustomObjectsApi(api_client)
        self._fence = fence
        self._timeout = request_timeout

    @classmethod
    async def connect(
        cls,
        kubeconfig: Path | None,
        *,
        user_agent: str,
        fence: Fence = open_fence,
        request_timeout: float = _TIMEOUT_SECONDS,
    ) -> Kube:
        """Return a client for a kubeconfig, or for the cluster this process runs in; nothing is sent yet.

        `fence` is called before each request that changes something (but the Lease) and may raise.
        `request_timeout` is the total of each call in seconds. Raises SettingsError if there is neither.
        """
        configuration = client.Configuration()
        # No limit: each namespace holds a watch, and a hundred of them would starve every other call.
        configuration.connection_pool_maxsize = 0
        try:
            if kubeconfig is None:
                config.load_incluster_config(client_configuration=configuration)
            else:
                await config.load_kube_config(str(kubeconfig), client_configuration=configuration)
            api_client = client.ApiClient(configuration)
        except Exception as error:
            # Measured: also TypeError and YAMLError for a file that is no kubeconfig, SSLError for its CA.
            raise requests.unusable(kubeconfig, error) from error
        api_client.user_agent = user_agent
        return cls(api_client, fence=fence, request_timeout=request_timeout)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def get_preview(self, name: str) -> Object | None:
        """Return a Preview, or None."""
        return await self._find("get preview", self._api.get_cluster_custom_object, *_PREVIEWS, name)

    async def poke(self, spec: Spec, poke: Poke, *, create: bool) -> bool:
        """Say that a pull request is to be looked at; return False if it has no Preview and gets none."""
        name = name_of(spec.repository_id, spec.number)
        patch = requests.poke_patch(spec, poke)
        for _ in range(requests.POKE_ATTEMPTS):
            try:
                await self._patch(name, patch)
                return True
            except NotFound:
                if not create:
                    return False
            except Conflict:
                continue
            try:
                await self._change(
                    "create preview", self._api.create_cluster_custom_object, *_PREVIEWS,
                    body=new_object(spec, poke), field_validation="Strict",
                )  # fmt: skip
                return True
            except Conflict:
                # Somebody created it between our patch and our create: patch that one.
                continue
        raise TryLater("Kubernetes: poke", message="the Preview keeps coming and going")

    async def put_status(self, obj: Mapping[str, Any]) -> Object:
        """Replace the status as a whole; raises Conflict when the object moved since it was read."""
        method = self._api.replace_cluster_custom_object_status
        return await self._change("put status", method, *_PREVIEWS, obj["metadata"]["name"], body=dict(obj))

    async def patch_preview_spec(self, name: str, patch: Mapping[str, Any]) -> Object:
        """Refresh hints in the spec."""
        return await self._patch(name, {"spec": dict(patch)})

    async def delete_preview(self, name: str, uid: str, resource_version: str) -> None:
        """Delete a Preview exactly as known; raises Conflict if it changed, and is content if it is gone."""
        preconditions = {"uid": uid, "resourceVersion": resource_version}
        method = self._api.delete_cluster_custom_object
        await self._delete("delete preview", method, *_PREVIEWS, name, body={"preconditions": preconditions})

    async def list_sessions(self, namespace: str, label_selector: str) -> list[Object]:
        """Return the preview sessions of a namespace that match."""
        method = self._api.list_namespaced_custom_object
        where = _in(SESSIONS, namespace)
        answer = await self._call("list sessions", method, *where, label_selector=label_selector)
        return _items("list sessions", answer)

    async def create_session(self, namespace: str, manifest: Mapping[str, Any]) -> Object:
        """Create a session; a field that the installed CRD does not know is an error, not pruned in silence.

        Raises Invalid for the former, and Conflict if the name is taken.
        """
        return await self._create("create session", SESSIONS, namespace, manifest)

    async def delete_session(self, namespace: str, name: str, uid: str) -> None:
        """Delete this very session; raises Conflict if the name belongs to another by now."""
        method = self._api.delete_namespaced_custom_object
        body = {"preconditions": {"uid": uid}}
        await self._delete("delete session", method, *_in(SESSIONS, namespace), name, body=body)

    async def get_route(self, namespace: str, name: str) -> Object | None:
        """Return an HTTPRoute, or None."""
        method = self._api.get_namespaced_custom_object
        return await self._find("get route", method, *_in(ROUTES, namespace), name)

    async def apply_route(self, manifest: Mapping[str, Any]) -> None:
        """Create an HTTPRoute, or patch it where a field that we set differs."""
        namespace, name = manifest["metadata"]["namespace"], manifest["metadata"]["name"]
        found = await self.get_route(namespace, name)
        if found is None:
            await self._create("create route", ROUTES, namespace, manifest)
        elif not requests.contains(found, manifest):
            await self._change(
                "patch route", self._api.patch_namespaced_custom_object, *_in(ROUTES, namespace), name,
                body=dict(manifest), _content_type=MERGE_PATCH,
            )  # fmt: skip

    async def delete_route(self, namespace: str, name: str) -> None:
        """Delete an HTTPRoute; one that is gone already is fine."""
        method = self._api.delete_namespaced_custom_object
        await self._delete("delete route", method, *_in(ROUTES, namespace), name)

    async def get_target(self, namespace: str, kind: str, name: str) -> Object | None:
        """Return the workload that a target names, or None."""
        method = self._api.get_namespaced_custom_object
        return await self._find(f"get {kind}", method, *_in(requests.WORKLOADS[kind], namespace), name)

    async def get_lease(self, namespace: str, name: str) -> Object | None:
        """Return a Lease, or None."""
        method = self._api.get_namespaced_custom_object
        return await self._find("get lease", method, *_in(LEASES, namespace), name)

    async def create_lease(self, manifest: Mapping[str, Any]) -> Object:
        """Create a Lease; raises Conflict if there is one. Not fenced: it opens the fence."""
        method, metadata = self._api.create_namespaced_custom_object, manifest["metadata"]
        where = _in(LEASES, metadata["namespace"])
        return await self._call("create lease", method, *where, body=dict(manifest))

    async def replace_lease(self, manifest: Mapping[str, Any]) -> Object:
        """Replace a Lease exactly as known; raises Conflict if it changed. Not fenced either."""
        method, metadata = self._api.replace_namespaced_custom_object, manifest["metadata"]
        where = (*_in(LEASES, metadata["namespace"]), metadata["name"])
        return await self._call("replace lease", method, *where, body=dict(manifest))

    async def create_event(self, namespace: str, manifest: Mapping[str, Any]) -> None:
        """Record an Event."""
        await self._create("create event", EVENTS, namespace, manifest)

    async def missing_resources(self, wanted: Sequence[tuple[str, str, str]]) -> list[str]:
        """Return which of (group, version, plural) the API server does not have; needs no permission."""
        missing = []
        for group, version, plural in wanted:
            found = await self._find("discovery", self._api.get_api_resources, group, version) or {}
            if plural not in [resource["name"] for resource in found.get("resources") or []]:
                missing.append(f"{plural}.{group} ({version})")
        return missing

    async def list_for_watch(
        self, resource: tuple[str, str, str], namespace: str | None
    ) -> tuple[list[Object], str]:
        """Return all objects of a resource, and the resource version to watch from."""
        what = f"list {resource[2]}"
        answer = await self._call(what, *self._lister(resource, namespace))
        return _items(what, answer), str(answer["metadata"]["resourceVersion"])

    async def open_watch(
        self, resource: tuple[str, str, str], namespace: str | None, version: str, seconds: int
    ) -> aiohttp.ClientResponse:
        """Open a watch with bookmarks that the server ends after `seconds`; the caller reads and closes it.

        The total timeout is a little longer, so the caller must have a limit for silence of its own.
        """
        what = f"watch {resource[2]}"
        lister, *args = self._lister(resource, namespace, "_without_preload_content")
        try:
            response: aiohttp.ClientResponse = await lister(
                *args, watch=True, allow_watch_bookmarks=True, resource_version=version,
                timeout_seconds=seconds, _request_timeout=float(seconds + 30),
            )  # fmt: skip
            if response.status == 200:
                return response
            async with response:
                raise requests.error_of(what, response.status, await response.text(), response.headers)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise TryLater(f"Kubernetes: {what}", message=type(error).__name__) from error

    def _lister(
        self, resource: tuple[str, str, str], namespace: str | None, suffix: str = ""
    ) -> tuple[Any, ...]:
        if namespace is None:
            return getattr(self._api, f"list_cluster_custom_object{suffix}"), *resource
        return getattr(self._api, f"list_namespaced_custom_object{suffix}"), *_in(resource, namespace)

    async def _create(
        self, what: str, resource: tuple[str, str, str], namespace: str, manifest: Mapping[str, Any]
    ) -> Object:
        return await self._change(
            what, self._api.create_namespaced_custom_object, *_in(resource, namespace),
            body=dict(manifest), field_validation="Strict",
        )  # fmt: skip

    async def _patch(self, name: str, patch: Mapping[str, Any]) -> Object:
        method = self._api.patch_cluster_custom_object
        where = (*_PREVIEWS, name)
        return await self._change(
            "patch preview", method, *where, body=dict(patch), _content_type=MERGE_PATCH
        )

    async def _delete(self, what: str, method: Any, *args: str, **kwargs: Any) -> None:
        self._fence()
        await self._find(what, method, *args, **kwargs)

    async def _change(self, what: str, method: Any, *args: str, **kwargs: Any) -> Object:
        self._fence()
        return await self._call(what, method, *args, **kwargs)

    async def _find(self, what: str, method: Any, *args: str, **kwargs: Any) -> Object | None:
        try:
            return await self._call(what, method, *args, **kwargs)
        except NotFound:
            return None

    async def _call(self, what: str, method: Any, *args: str, **kwargs: Any) -> Object:
        try:
            answer = await method(*args, **kwargs, _request_timeout=self._timeout)
        except ApiException as error:
            raise requests.error_of(what, error.status, error.body, error.headers) from error
        except ValidationError:
            # Ours: an argument of the wrong type, refused before anything is sent.
            raise
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise TryLater(f"Kubernetes: {what}", message=type(error).__name__) from error
        if hasattr(answer, "to_dict"):
            answer = answer.to_dict()
        if not isinstance(answer, dict):
            raise TryLater(f"Kubernetes: {what}", message="the answer is not a JSON object")
        return cast("Object", answer)


def _in(resource: tuple[str, str, str], namespace: str) -> tuple[str, str, str, str]:
    group, version, plural = resource
    return group, version, namespace, plural


def _items(what: str, answer: Object) -> list[Object]:
    items = answer.get("items")
    if not isinstance(items, list):
        raise TryLater(f"Kubernetes: {what}", message="the answer is not a list")
    return items
