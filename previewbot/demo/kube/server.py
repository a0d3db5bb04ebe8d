"""The HTTP face of the fake API server (https://kubernetes.io/docs/reference/using-api/api-concepts/)."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from previewbot.demo.faults import Faults
from previewbot.demo.kube import status
from previewbot.demo.kube.resources import Resource, resources
from previewbot.demo.kube.selectors import matcher
from previewbot.demo.kube.status import KubeError
from previewbot.demo.kube.store import Event, Object, Store

_BOOKMARK_SECONDS = 20.0
_PATCHES = ("application/merge-patch+json",)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class FakeKube:
    """Answers requests below `/apis` and `/version`; state is in memory."""

    def __init__(self, now: Callable[[], datetime] = _utc_now, faults: Faults | None = None) -> None:
        self._resources = {(r.group, r.version, r.plural): r for r in resources()}
        self._news: set[asyncio.Event] = set()
        self.store = Store(now, self._notify)
        self.faults = faults or Faults()

    def objects(self, plural: str) -> list[Object]:
        """Return all objects of a resource."""
        return self.store.items(self._by_plural(plural), None)

    def seed(self, manifest: Mapping[str, Any]) -> Object:
        """Create an object without going through HTTP."""
        kind = manifest["kind"]
        resource = next(r for r in self._resources.values() if r.kind == kind)
        return self.store.create(resource, manifest["metadata"].get("namespace", ""), manifest)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request."""

        async def answer() -> web.StreamResponse:
            try:
                return await self._route(request)
            except KubeError as error:
                return web.json_response(error.body, status=error.code)

        return await self.faults.around("kube", request, answer)

    async def _route(self, request: web.Request) -> web.StreamResponse:
        parts = [part for part in request.path.split("/") if part]
        if parts in (["version"], ["readyz"]):
            return web.json_response({"major": "1", "minor": "36", "gitVersion": "v1.36.0+demo"})
        if not parts or parts[0] != "apis":
            raise status.no_resource()
        if len(parts) == 3:
            return web.json_response(self._discovery(parts[1], parts[2]))
        if len(parts) < 4:
            raise status.no_resource()
        group, version, rest = parts[1], parts[2], parts[3:]
        namespace = ""
        if rest[0] == "namespaces" and len(rest) >= 3:
            namespace, rest = rest[1], rest[2:]
        resource = self._resources.get((group, version, rest[0]))
        if resource is None or len(rest) > 3 or (len(rest) == 3 and rest[2] != "status"):
            raise status.no_resource()
        if len(rest) == 1:
            return await self._collection(request, resource, namespace)
        return await self._object(request, resource, namespace, rest[1], status_only=len(rest) == 3)

    async def _collection(
        self, request: web.Request, resource: Resource, namespace: str
    ) -> web.StreamResponse:
        if request.method == "POST":
            created = self.store.create(resource, namespace, await _body(request))
            return web.json_response(created, status=201)
        if request.method != "GET":
            raise KubeError(405, "MethodNotAllowed", "the server does not allow this method")
        query = request.query
        matches = matcher(query.get("labelSelector", ""), query.get("fieldSelector", ""))
        wanted = namespace if resource.namespaced and namespace else None
        if query.get("watch") in ("true", "1", "True"):
            return await self._watch(request, resource, wanted, matches)
        items = [obj for obj in self.store.items(resource, wanted) if matches(obj)]
        return web.json_response(
            {
                "apiVersion": resource.api_version,
                "kind": f"{resource.kind}List",
                "metadata": {"resourceVersion": str(self.store.version)},
                "items": items,
            }
        )

    async def _object(
        self, request: web.Request, resource: Resource, namespace: str, name: str, *, status_only: bool
    ) -> web.StreamResponse:
        method = request.method
        if method == "GET":
            return web.json_response(self.store.get(resource, namespace, name))
        body = await _body(request)
        if method == "DELETE" and not status_only:
            preconditions = body.get("preconditions") or {}
            self.store.delete(resource, namespace, name, preconditions)
            return web.json_response(
                {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
            )
        if method == "PATCH":
            if request.content_type not in _PATCHES:
                raise KubeError(415, "UnsupportedMediaType", f"{request.content_type} is not supported here")
            body = merge_patch(self.store.get(resource, namespace, name), body, keep_version=False)
        elif method != "PUT":
            raise KubeError(405, "MethodNotAllowed", "the server does not allow this method")
        return web.json_response(self.store.replace(resource, namespace, name, body, status_only=status_only))

    async def _watch(
        self,
        request: web.Request,
        resource: Resource,
        namespace: str | None,
        matches: Callable[[Mapping[str, Any]], bool],
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        version = int(request.query.get("resourceVersion") or 0) or self.store.version
        seconds = float(request.query.get("timeoutSeconds") or 300)
        bookmarks = request.query.get("allowWatchBookmarks") in ("true", "True", "1")
        with contextlib.suppress(ConnectionError):
            await self._stream(response, resource, namespace, matches, version, seconds, bookmarks)
            await response.write_eof()
        return response

    async def _stream(
        self,
        response: web.StreamResponse,
        resource: Resource,
        namespace: str | None,
        matches: Callable[[Mapping[str, Any]], bool],
        version: int,
        seconds: float,
        bookmarks: bool,
    ) -> None:
        loop = asyncio.get_running_loop()
        ends = loop.time() + seconds
        news = asyncio.Event()
        self._news.add(news)
        visible: set[str] = {
            obj["metadata"]["uid"] for obj in self.store.items(resource, namespace) if matches(obj)
        }
        try:
            while True:
                news.clear()
                history = self.store.history
                if history and version < history[0].version - 1:
                    await _line(response, "ERROR", status.expired(version, history[0].version).body)
                    return
                for event in [e for e in history if e.version > version]:
                    version = event.version
                    await self._tell(response, event, resource, namespace, matches, visible)
                left = ends - loop.time()
                if left <= 0:
                    break
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(news.wait(), min(left, _BOOKMARK_SECONDS))
                    continue
                if bookmarks:
                    version = self.store.version
                    await _line(response, "BOOKMARK", _bookmark(resource, version))
            if bookmarks:
                await _line(response, "BOOKMARK", _bookmark(resource, version))
        finally:
            self._news.discard(news)

    async def _tell(
        self,
        response: web.StreamResponse,
        event: Event,
        resource: Resource,
        namespace: str | None,
        matches: Callable[[Mapping[str, Any]], bool],
        visible: set[str],
    ) -> None:
        """Tell of an event; an object that stops matching is deleted, as far as this watch is concerned."""
        obj = event.object
        if event.resource is not resource or namespace not in (None, obj["metadata"].get("namespace")):
            return
        uid, kind = obj["metadata"]["uid"], event.kind
        if matches(obj):
            if kind == "MODIFIED" and uid not in visible:
                kind = "ADDED"
            visible.add(uid)
            await _line(response, kind, obj)
        elif uid in visible:
            visible.discard(uid)
            await _line(response, "DELETED", obj)

    def _discovery(self, group: str, version: str) -> Object:
        found = [r for r in self._resources.values() if (r.group, r.version) == (group, version)]
        if not found:
            raise status.no_resource()
        verbs = ["create", "delete", "get", "list", "patch", "update", "watch"]
        return {
            "kind": "APIResourceList",
            "apiVersion": "v1",
            "groupVersion": f"{group}/{version}",
            "resources": [
                {
                    "name": r.plural,
                    "singularName": r.kind.lower(),
                    "namespaced": r.namespaced,
                    "kind": r.kind,
                    "verbs": verbs,
                }
                for r in found
            ],
        }

    def _by_plural(self, plural: str) -> Resource:
        return next(r for r in self._resources.values() if r.plural == plural)

    def _notify(self) -> None:
        for news in self._news:
            news.set()


def merge_patch(target: Any, patch: Any, *, keep_version: bool = True) -> Any:
    """Apply a JSON merge patch (RFC 7386); without a resourceVersion in the patch it is unconditional."""
    merged = _merge(target, patch)
    if not keep_version and "resourceVersion" not in (patch.get("metadata") or {}):
        merged["metadata"] = {k: v for k, v in merged["metadata"].items() if k != "resourceVersion"}
    return merged


def _merge(target: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _merge(result.get(key), value)
    return result


async def _body(request: web.Request) -> Object:
    text = await request.text()
    if not text:
        return {}
    try:
        body = json.loads(text)
    except ValueError as error:
        raise status.bad_request(f"the body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise status.bad_request("the body is not an object")
    return body


async def _line(response: web.StreamResponse, kind: str, obj: Mapping[str, Any]) -> None:
    await response.write(json.dumps({"type": kind, "object": obj}).encode() + b"\n")


def _bookmark(resource: Resource, version: int) -> Object:
    metadata = {"resourceVersion": str(version), "creationTimestamp": None}
    return {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata}
