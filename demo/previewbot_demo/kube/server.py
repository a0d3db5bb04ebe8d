"""The HTTP face of the fake API server (https://kubernetes.io/docs/reference/using-api/api-concepts/).

The contract tests hold it, request by request, to a real API server.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from previewbot_demo.faults import Faults
from previewbot_demo.kube import logs, reviews, status
from previewbot_demo.kube.decoding import STRICT, Decoded, decoded, json_object
from previewbot_demo.kube.experimental import with_external_auth
from previewbot_demo.kube.json_copy import json_copy
from previewbot_demo.kube.paging import page
from previewbot_demo.kube.resources import Resource, resources
from previewbot_demo.kube.selectors import matcher
from previewbot_demo.kube.status import KubeError
from previewbot_demo.kube.store import Object, Store
from previewbot_demo.kube.watching import Watch
from previewbot_demo.operator_api import OperatorApi

_BODIES = ("application/json",)
_PATCHES = ("application/merge-patch+json",)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class FakeKube:
    """Answers requests below `/apis`, `/api/v1`, `/openapi/v3` and `/version`; state is in memory.

    Something can be created in `namespaces` only; without them, in all that there could be. With
    `experimental` the Gateway API is that of its experimental channel. No pod runs:
    `logs` has what each is to have said, by its name, container, and whether that was the run before.
    """

    def __init__(
        self,
        now: Callable[[], datetime] = _utc_now,
        faults: Faults | None = None,
        namespaces: Collection[str] | None = None,
        *,
        experimental: bool = False,
    ) -> None:
        known = map(with_external_auth, resources()) if experimental else resources()
        self._resources = {(r.group, r.version, r.plural): r for r in known}
        self._news: set[asyncio.Event] = set()
        self._namespaces = namespaces
        self.store = Store(now, self._notify)
        self.faults = faults or Faults()
        self.operator_api = OperatorApi()
        self.logs: dict[tuple[str, str, bool], str] = {}
        self.closed: set[str] = set()
        """Namespaces in which nobody may do anything."""

    def objects(self, plural: str) -> list[Object]:
        """Return all objects of a resource; of two with this name, of the one in a group."""
        resource = next(r for r in self._resources.values() if r.plural == plural)
        return self.store.items(resource, None)

    def seed(self, manifest: Mapping[str, Any]) -> Object:
        """Create an object without going through HTTP."""
        wanted = (manifest["apiVersion"], manifest["kind"])
        resource = next(r for r in self._resources.values() if (r.api_version, r.kind) == wanted)
        obj = decoded(resource, manifest, STRICT).object
        return self.store.create(resource, manifest["metadata"].get("namespace", ""), obj)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request."""

        async def answer() -> web.StreamResponse:
            try:
                return await self._route(request)
            except KubeError as error:
                return web.json_response(error.body, status=error.code)

        return await self.faults.around("kube", request, answer)

    async def _route(self, request: web.Request) -> web.StreamResponse:
        aggregated = self.operator_api.answer(request)
        if aggregated is not None:
            return aggregated
        parts = [part for part in request.path.split("/") if part]
        if parts[:3] == ["openapi", "v3", "apis"] and len(parts) == 5:
            return self._published(parts[3], parts[4])
        if request.method == "POST" and parts[-1] in reviews.REVIEWS:
            return await reviews.answer(request, self.closed)
        if parts in (["version"], ["readyz"]):
            return web.json_response({"major": "1", "minor": "36", "gitVersion": "v1.36.0+demo"})
        if parts[:2] == ["api", "v1"]:
            parts = ["apis", "", *parts[1:]]
        if len(parts) == 3 and parts[0] == "apis":
            return self._discovery(parts[1], parts[2])
        if len(parts) < 4 or parts[0] != "apis":
            return _nothing_here()
        group, version, rest = parts[1], parts[2], parts[3:]
        namespace = ""
        if rest[0] == "namespaces" and len(rest) >= 3:
            namespace, rest = rest[1], rest[2:]
        resource = self._resources.get((group, version, rest[0]))
        if namespace in self.closed:
            raise status.forbidden(namespace, rest[0], group, reviews.VERBS[request.method])
        if resource is not None and resource.kind == "Pod" and rest[2:] == ["log"]:
            return logs.answer(request, self.store.get(resource, namespace, rest[1]), self.logs)
        if resource is None or len(rest) > 3 or (len(rest) == 3 and rest[2] != "status"):
            return _nothing_here()
        if len(rest) == 1:
            return await self._collection(request, resource, namespace)
        return await self._object(request, resource, namespace, rest[1], status_only=len(rest) == 3)

    async def _collection(
        self, request: web.Request, resource: Resource, namespace: str
    ) -> web.StreamResponse:
        if request.method == "POST":
            return await self._create(request, resource, namespace)
        if request.method != "GET":
            raise status.not_allowed(resource.plural, resource.group, request.method.lower())
        query = request.query
        matches = matcher(query.get("labelSelector", ""), query.get("fieldSelector", ""), resource.selectable)
        wanted = namespace if resource.namespaced and namespace else None
        if Watch.wanted(query):
            watch = Watch.of(query, resource, wanted, matches)
            return await watch.answer(request, self.store, self._news)
        found = [obj for obj in self.store.items(resource, wanted) if matches(obj)]
        items, metadata = page(query, found, self.store)
        kind = {"apiVersion": resource.api_version, "kind": f"{resource.kind}List"}
        return web.json_response({**kind, "metadata": metadata, "items": items})

    async def _create(self, request: web.Request, resource: Resource, namespace: str) -> web.StreamResponse:
        body = await _body(request, resource, _BODIES)
        found = decoded(resource, body, request.query.get("fieldValidation", ""))
        _same("namespace", found.object, namespace)
        if resource.namespaced and self._namespaces is not None and namespace not in self._namespaces:
            raise status.no_namespace(namespace)
        if request.query.get("dryRun") == "All":
            return _answer(found, self.store.tried(resource, namespace, found.object), 201)
        return _answer(found, self.store.create(resource, namespace, found.object), 201)

    async def _object(
        self, request: web.Request, resource: Resource, namespace: str, name: str, *, status_only: bool
    ) -> web.StreamResponse:
        method = request.method
        if method == "GET":
            return web.json_response(self.store.get(resource, namespace, name))
        if method == "DELETE" and not status_only:
            options = json_object(await request.text() or "{}", resource)
            left = self.store.delete(resource, namespace, name, options.get("preconditions") or {})
            if not left["metadata"].get("finalizers"):
                left = status.success(resource.plural, resource.group, name, left["metadata"]["uid"])
            return web.json_response(left)
        if method == "PATCH":
            patch = await _body(request, resource, _PATCHES)
            body = merge_patch(self.store.get(resource, namespace, name), patch)
        elif method == "PUT":
            body = await _body(request, resource, _BODIES)
        else:
            raise status.not_allowed(resource.plural, resource.group, method.lower())
        found = decoded(resource, body, request.query.get("fieldValidation", ""))
        _same("namespace", found.object, namespace)
        _same("name", found.object, name)
        if method == "PUT" and resource.created_by_update and not self.store.has(resource, namespace, name):
            stored = self.store.create_by_update(resource, namespace, found.object)
            return _answer(found, stored, 201)
        stored = self.store.replace(resource, namespace, name, found.object, status_only=status_only)
        return _answer(found, stored, 200)

    def _discovery(self, group: str, version: str) -> web.StreamResponse:
        found = [r for r in self._resources.values() if (r.group, r.version) == (group, version)]
        if not found:
            return _nothing_here()
        listed = [entry for resource in found for entry in resource.discovery()]
        kind = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": found[0].api_version}
        return web.json_response({**kind, "resources": listed})

    def _published(self, group: str, version: str) -> web.StreamResponse:
        """Answer with the schemas of a group's kinds."""
        found = [r for r in self._resources.values() if (r.group, r.version) == (group, version)]
        if not found:
            return _nothing_here()
        schemas = {
            f"{group}.{version}.{resource.kind}": {
                **(resource.schema or {}),
                "x-kubernetes-group-version-kind": [
                    {"group": group, "version": version, "kind": resource.kind}
                ],
            }
            for resource in found
        }
        return web.json_response({"openapi": "3.0.0", "components": {"schemas": schemas}})

    def _notify(self) -> None:
        for news in self._news:
            news.set()


def merge_patch(target: Any, patch: Any) -> Any:
    """Apply a JSON merge patch (RFC 7386)."""
    if not isinstance(patch, dict):
        return json_copy(patch)
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), value)
    return result


def _nothing_here() -> web.StreamResponse:
    return web.Response(status=404, text="404 page not found\n")


async def _body(request: web.Request, resource: Resource, accepted: Collection[str]) -> Object:
    # By the header itself: aiohttp takes a missing one for application/octet-stream.
    if request.headers.get("Content-Type", "").partition(";")[0] not in accepted:
        raise status.unknown_format(tuple(accepted))
    return json_object(await request.text(), resource)


def _same(field: str, obj: Mapping[str, Any], wanted: str) -> None:
    """Refuse an object that is not the one, or not where, the URL says; it may leave both out."""
    found = (obj.get("metadata") or {}).get(field)
    if not found or found == wanted:
        return
    if field == "namespace":
        raise status.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    raise status.bad_request(
        f"the name of the object ({found}) does not match the name on the URL ({wanted})"
    )


def _answer(found: Decoded, stored: Object, code: int) -> web.StreamResponse:
    response = web.json_response(stored, status=code)
    for warning in found.warnings:
        quoted = warning.replace('"', '\\"')
        response.headers.add("Warning", f'299 - "{quoted}"')
    return response
