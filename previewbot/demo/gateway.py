"""The way in from a browser: a Gateway that obeys the stored HTTPRoutes, and mirrord's share hosts.

Of the Gateway API (https://gateway-api.sigs.k8s.io/reference/spec/#httproute) it knows host names, the
filters `RequestHeaderModifier` and `RequestRedirect`, and one backend per rule. A share host forwards to the
session's target itself, with the `baggage` header set, as `mirrord-share-ingress` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from multidict import CIMultiDict

from previewbot.demo.routing import Object, Router


@dataclass
class Sabotage:
    """What a test breaks: with `no_header` the routes' header filters are not applied."""

    no_header: bool = False


class Gateway:
    """Forwards requests by their host name; `port` is where browsers reach it."""

    def __init__(
        self,
        routes: Callable[[], Iterable[Object]],
        sessions: Callable[[], Iterable[Object]],
        router: Router,
        port: int,
    ) -> None:
        self._routes = routes
        self._sessions = sessions
        self._router = router
        self._port = port
        self.sabotage = Sabotage()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request for a host of the preview domain; 404 if no route has it."""
        host = request.host.partition(":")[0].lower()
        route = next((r for r in self._routes() if host in (r["spec"].get("hostnames") or [])), None)
        if route is None or not route["spec"].get("rules"):
            return web.Response(status=404, text=f"no route for {host}\n")
        return await self._apply(route, route["spec"]["rules"][0], request)

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
        for item in rule.get("filters") or []:
            if item["type"] == "RequestRedirect":
                return _redirect(item["requestRedirect"], request, self._port)
            if item["type"] == "RequestHeaderModifier" and not self.sabotage.no_header:
                modify(headers, item["requestHeaderModifier"])
        backends = rule.get("backendRefs") or []
        if not backends:
            return web.Response(status=500, text="the route has no backend\n")
        namespace = backends[0].get("namespace", route["metadata"]["namespace"])
        return await self._router.handle(namespace, backends[0]["name"], request, headers)


def modify(headers: CIMultiDict[str], modifier: Mapping[str, Any]) -> None:
    """Apply a `RequestHeaderModifier`: `set` replaces, `add` appends with a comma, `remove` removes."""
    for header in modifier.get("set") or []:
        headers[header["name"]] = header["value"]
    for header in modifier.get("add") or []:
        present = headers.get(header["name"])
        headers[header["name"]] = f"{present},{header['value']}" if present else header["value"]
    for name in modifier.get("remove") or []:
        headers.popall(name, None)


def location(redirect: Mapping[str, Any], path: str, host: str, port: int) -> str:
    """Return where a `RequestRedirect` leads, for a request of `path` at `host`, answered at `port`.

    Without `port` it is the scheme's own, if a scheme is given, else the listener's.
    """
    scheme = redirect.get("scheme") or "http"
    well_known = {"http": 80, "https": 443}.get(scheme)
    chosen = redirect.get("port") or (well_known if redirect.get("scheme") else port)
    replaced = redirect.get("path") or {}
    target = replaced.get("replaceFullPath", path) if replaced.get("type") == "ReplaceFullPath" else path
    where = redirect.get("hostname") or host
    return f"{scheme}://{where}{'' if chosen == well_known else f':{chosen}'}{target}"


def _redirect(redirect: Mapping[str, Any], request: web.BaseRequest, port: int) -> web.Response:
    host = request.host.partition(":")[0]
    headers = {"Location": location(redirect, request.path_qs, host, port), "Cache-Control": "no-store"}
    return web.Response(status=redirect.get("statusCode", 302), headers=headers)


def _share_host(session: Object) -> str:
    host: str = (session.get("status") or {}).get("shareHost") or ""
    return host
