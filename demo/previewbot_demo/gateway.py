"""The way in from a browser: a Gateway that obeys the stored HTTPRoutes, and mirrord's share hosts.

Of the Gateway API (https://gateway-api.sigs.k8s.io/reference/spec/#httproute) it knows host names, one
listener, rules for paths (`PathPrefix` and `Exact`) with their timeouts, the filters `RequestHeaderModifier`,
`ResponseHeaderModifier`, `RequestRedirect`, `ExtensionRef` and `ExternalAuth`, one backend per rule, and what
the status of a Gateway and of its routes says: see `gateway_rules`, `external_auth` and `gateway_status`. A
share host forwards to the session's target itself, with the `baggage` header set, as `mirrord-share-ingress`
does.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from previewbot_demo import gateway_status, no_preview
from previewbot_demo.external_auth import ExternalAuth
from previewbot_demo.gateway_rules import limit, location, modify, route_for, rule_for
from previewbot_demo.kubeapi import ApiError, KubeApi
from previewbot_demo.routing import Object, Router

_ROUTES = "/apis/gateway.networking.k8s.io/v1/namespaces"
_CONFLICT = 409

Extension = Callable[[web.BaseRequest], web.Response | None]
"""A filter of the gateway's own: it answers a request itself, or lets it pass."""


@dataclass
class Sabotage:
    """What a test breaks.

    With `no_header` the routes' header filters are not applied. With `commit` every answer through a route
    names this one. A route is known `slow` seconds late, and acted on as many seconds after its status says
    that it is known.
    """

    no_header: bool = False
    commit: str = ""
    slow: float = 0.0


class Gateway:
    """Forwards requests by their host name; `port` is where browsers reach it.

    `extensions` has what an `ExtensionRef` may name, by kind and name.
    """

    def __init__(
        self,
        api: KubeApi,
        sessions: Callable[[], Iterable[Object]],
        router: Router,
        port: int,
        now: Callable[[], datetime],
    ) -> None:
        self._api = api
        self._sessions = sessions
        self._router = router
        self._port = port
        self._now = now
        self._seen: dict[str, int] = {}
        self._known: dict[str, Object] = {}
        self._said: dict[str, bool] = {}
        self._routes: dict[str, Object] = {}
        self._self: Object = {}
        self._counted = 0
        self.sabotage = Sabotage()
        self.extensions: dict[tuple[str, str], Extension] = {}
        self.external_auth = ExternalAuth(router.address_of_its_own)

    async def open(self, namespace: str) -> None:
        """Make the Gateway in a namespace, and say that it is served; what an earlier demo left is taken."""
        path = f"{_ROUTES}/{namespace}/gateways"
        try:
            self._self = await self._api.create(path, gateway_status.manifest(self._port))
        except ApiError as error:
            if error.status != _CONFLICT:
                raise
            self._self = await self._api.get(f"{path}/{gateway_status.NAME}")
        await self._say_of_itself()

    async def lead_hosts_without_preview(self, gateway: Mapping[str, Any], public_url: str) -> None:
        """Make the route for hosts at which no preview is; one that an earlier demo left is put right."""
        route = no_preview.manifest(gateway, public_url)
        path = f"{_ROUTES}/{gateway['namespace']}/httproutes"
        try:
            await self._api.create(path, route)
        except ApiError as error:
            if error.status != _CONFLICT:
                raise
            await self._api.patch(f"{path}/{no_preview.NAME}", {"spec": route["spec"]})

    async def run(self, namespace: str) -> None:
        """Follow the Gateway and the routes of a namespace until cancelled."""
        async with asyncio.TaskGroup() as group:

            async def see(event: str, route: Object) -> None:
                uid, generation = route["metadata"]["uid"], route["metadata"]["generation"]
                if event == "DELETED":
                    for known in (self._seen, self._known, self._routes, self._said):
                        known.pop(uid, None)
                elif self._seen.get(uid) != generation:
                    self._seen[uid], self._known[uid] = generation, route
                    group.create_task(self._take_up(route))

            async def see_itself(event: str, gateway: Object) -> None:
                if gateway["metadata"]["name"] != gateway_status.NAME:
                    return
                before, self._self = self._self, {} if event == "DELETED" else gateway
                if gateway_status.generation(self._self) == gateway_status.generation(before):
                    return
                # Another listener, or none at all: each route is looked at anew.
                for route in self._known.values():
                    group.create_task(self._take_up(route))
                group.create_task(self._say_of_itself())

            group.create_task(self._api.follow(f"{_ROUTES}/{namespace}/gateways", see_itself))
            await self._api.follow(f"{_ROUTES}/{namespace}/httproutes", see)

    async def _say_of_itself(self) -> None:
        if not self._self:
            return
        metadata, self._counted = self._self["metadata"], len(self._routes)
        status = gateway_status.of_gateway(self._self, self._counted, self._now())
        path = f"{_ROUTES}/{metadata['namespace']}/gateways/{metadata['name']}/status"
        with contextlib.suppress(ApiError, aiohttp.ClientError, TimeoutError):
            await self._api.patch(path, {"status": status})

    async def _take_up(self, route: Object) -> None:
        """Act on a route and say that it is known, with all the pauses of a slow gateway."""
        metadata, slow = route["metadata"], self.sabotage.slow
        await asyncio.sleep(slow)
        # One that is not slow has acted before anybody can read that it knows.
        asyncio.get_running_loop().call_later(slow, self._act_on, route)
        path = f"{_ROUTES}/{metadata['namespace']}/httproutes/{metadata['name']}/status"
        parents = gateway_status.of_route(route, self._self, self._router.has, self._now())
        if not parents and not self._said.get(metadata["uid"]):
            # What is another Gateway's is no matter of this one: it says nothing of it.
            return
        self._said[metadata["uid"]] = bool(parents)
        try:
            await self._api.patch(path, {"status": {"parents": parents}})
        except (ApiError, aiohttp.ClientError, TimeoutError):
            # Gone, or nobody answers: the next list shows it again.
            self._seen.pop(metadata["uid"], None)
        if len(self._routes) != self._counted:
            await self._say_of_itself()

    def _act_on(self, route: Object) -> None:
        """Let requests follow a route, unless it has changed or gone by now, or no listener takes it."""
        metadata = route["metadata"]
        if self._seen.get(metadata["uid"]) != metadata["generation"]:
            return
        if gateway_status.is_taken(route, self._self):
            self._routes[metadata["uid"]] = route
        else:
            self._routes.pop(metadata["uid"], None)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request for a host of the preview domain; 404 if no route has it."""
        host = request.host.partition(":")[0].lower()
        route = route_for(host, self._routes.values())
        rule = rule_for(request.path, route["spec"].get("rules") or []) if route else None
        if route is None or rule is None:
            return web.Response(status=404, text=f"no route for {host}{request.path}\n")
        try:
            async with asyncio.timeout(limit(rule)):
                return await self._apply(route, rule, request)
        except TimeoutError:
            return web.Response(status=504, text="the service did not answer in time\n")

    async def share(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request for a share host; 404 if no session holds it."""
        host = request.host.partition(":")[0].lower()
        session = next((s for s in self._sessions() if _share_host(s) == host), None)
        if session is None:
            return web.Response(status=404, text=f"no session holds {host}\n")
        namespace = session["metadata"]["namespace"]
        service = self._router.service_of(namespace, session["spec"]["target"]["name"])
        if service is None:
            return web.Response(status=502, text="no Service is in front of the session's target\n")
        headers = CIMultiDict(request.headers)
        headers["baggage"] = f"mirrord-session={session['spec']['key']}"
        return await self._router.handle(namespace, service.name, request, headers)

    async def _apply(
        self, route: Object, rule: Mapping[str, Any], request: web.BaseRequest
    ) -> web.StreamResponse:
        headers = CIMultiDict(request.headers)
        answers: list[Mapping[str, Any]] = []
        for item in rule.get("filters") or []:
            if item["type"] == "RequestRedirect":
                return _redirect(item["requestRedirect"], request, self._port)
            if item["type"] == "RequestHeaderModifier" and not self.sabotage.no_header:
                modify(headers, item["requestHeaderModifier"])
            if item["type"] == "ResponseHeaderModifier":
                answers.append(item["responseHeaderModifier"])
            if item["type"] == "ExtensionRef":
                answer = self._extended(item["extensionRef"], request)
                if answer is not None:
                    return answer
            if item["type"] == "ExternalAuth":
                answer = await self.external_auth.ask(
                    item["externalAuth"], route["metadata"]["namespace"], request, headers
                )
                if answer is not None:
                    return answer
        backends = rule.get("backendRefs") or []
        if not backends:
            return web.Response(status=500, text="the route has no backend\n")
        namespace = backends[0].get("namespace", route["metadata"]["namespace"])
        answered = await self._router.handle(namespace, backends[0]["name"], request, headers)
        for modifier in answers:
            modify(answered.headers, modifier)
        if self.sabotage.commit:
            answered.headers["x-preview-sha"] = self.sabotage.commit
        return answered

    def _extended(self, ref: Mapping[str, Any], request: web.BaseRequest) -> web.Response | None:
        """Return what a filter of the gateway's own answers; an error if there is none of that name.

        One that cannot be found must not be skipped
        (https://gateway-api.sigs.k8s.io/reference/spec/#httproutefilter).
        """
        extension = self.extensions.get((ref["kind"], ref["name"]))
        if extension is None:
            return web.Response(status=500, text=f"there is no {ref['kind']} {ref['name']}\n")
        return extension(request)


def _redirect(redirect: Mapping[str, Any], request: web.BaseRequest, port: int) -> web.Response:
    host = request.host.partition(":")[0]
    headers = {"Location": location(redirect, request.path_qs, host, port), "Cache-Control": "no-store"}
    return web.Response(status=redirect.get("statusCode", 302), headers=headers)


def _share_host(session: Object) -> str:
    host: str = (session.get("status") or {}).get("shareHost") or ""
    return host
