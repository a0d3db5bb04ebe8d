"""Traffic in the cluster: each request goes to the session whose stored filter takes it, else to staging.

This is what mirrord's agent does at a target: `header_filter` is searched, case-insensitively and open at
both ends, in each header written as `name: value` (metalbear-co/mirrord, `mirrord/agent/src/http/filter.rs`).
Nothing here knows a key: only what the stored PreviewSessions say counts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from previewbot_demo.sleeping import Beds, is_waking

Object = Mapping[str, Any]

AGENT_HEADER, KEY_HEADER = "Mirrord-Agent", "mirrord-key"
"""What mirrord's agent and operator write into answers at a target that some session takes traffic of."""

_SERVED = ("Ready", "Idle")
_HOP_BY_HOP = ("connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade")
_TIMEOUT = aiohttp.ClientTimeout(total=600, connect=5)
"""What a request may take at most; a gateway has limits of its own."""


@dataclass(frozen=True)
class Service:
    """A Kubernetes Service: `target_port` is its Deployment's container port."""

    namespace: str
    name: str
    deployment: str
    target_port: int


def takes(http_filter: str, headers: Iterable[tuple[str, str]]) -> bool:
    """Say whether a filter, the JSON of mirrord's `HttpFilterConfig`, takes a request with these headers.

    Only `header_filter` is understood here, and headers in `all_of` and `any_of`; what asks for anything else
    takes nothing.
    """
    lines = [f"{name}: {value}" for name, value in headers]
    try:
        filters = json.loads(http_filter)
        every, some = filters.get("all_of"), filters.get("any_of")
        found = [_searched(item.get("header"), lines) for item in every or some or ()]
        if found:
            return all(found) if every else any(found)
        return _searched(filters.get("header_filter"), lines)
    except (ValueError, AttributeError, TypeError, re.error):
        return False


def _searched(pattern: Any, lines: Iterable[str]) -> bool:
    if pattern is None:
        return False
    search = re.compile(pattern, re.IGNORECASE).search
    return any(map(search, lines))


def targets(session: Object, service: Service) -> bool:
    """Say whether a session takes traffic of a Service: same Deployment and port, serving and stealing."""
    spec = session["spec"]
    incoming, status = spec.get("incoming") or {}, session.get("status") or {}
    return bool(
        session["metadata"]["namespace"] == service.namespace
        and (spec["target"].get("kind"), spec["target"].get("name")) == ("Deployment", service.deployment)
        and incoming.get("steal")
        and service.target_port in (incoming.get("ports") or [service.target_port])
        and (status.get("phase") in _SERVED or is_waking(status))
    )


def choose(sessions: Iterable[Object], service: Service, headers: Iterable[tuple[str, str]]) -> Object | None:
    """Return the session that takes a request to a Service, the oldest if several do; None is staging's."""
    lines = list(headers)
    ordered = sorted(sessions, key=lambda session: str(session["metadata"]["creationTimestamp"]))
    return next((s for s in ordered if targets(s, service) and _wanted(s, lines)), None)


def _wanted(session: Object, headers: Iterable[tuple[str, str]]) -> bool:
    """Say whether a stealing session's filter takes it; without a filter mirrord steals everything."""
    http_filter = session["spec"]["incoming"].get("httpFilter")
    return http_filter is None or takes(http_filter, headers)


@dataclass
class Sabotage:
    """What a test breaks.

    With `ignore_filter` every request goes to the first session of its target that came up, with
    `take_nothing` none goes to any; `unmarked` leaves out what the agent writes into answers, as an ingress
    in between may.
    """

    ignore_filter: bool = False
    take_nothing: bool = False
    unmarked: bool = False


class Router:
    """Every Service of the cluster, each at its own loopback port.

    `sessions` returns the stored PreviewSessions; `pods` holds the address of a session's process by the
    session's uid (empty of one that sleeps in `beds`), `staging` that of a Deployment's own by
    `namespace/name`; addresses are URLs without path.
    """

    def __init__(
        self,
        sessions: Callable[[], Iterable[Object]],
        pods: Mapping[str, str],
        staging: dict[str, str],
        beds: Beds,
    ) -> None:
        self._sessions = sessions
        self._pods = pods
        self._beds = beds
        self.staging = staging
        self._services: dict[tuple[str, str], Service] = {}
        self._runners: list[web.AppRunner] = []
        self._client: aiohttp.ClientSession | None = None
        self.sabotage = Sabotage()

    async def add(self, service: Service) -> str:
        """Open a Service's loopback port and return its URL."""
        self._services[(service.namespace, service.name)] = service

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            return await self.handle(service.namespace, service.name, request, request.headers)

        runner = web.AppRunner(_application(handle), access_log=None, shutdown_timeout=1)
        await runner.setup()
        self._runners.append(runner)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    def has(self, namespace: str, name: str) -> bool:
        """Return whether there is such a Service."""
        return (namespace, name) in self._services

    def address_of_its_own(self, namespace: str, name: str) -> str | None:
        """Return where a Service's own Deployment listens, which no session ever takes the place of."""
        service = self.service(namespace, name)
        return None if service is None else self.staging.get(f"{namespace}/{service.deployment}")

    def know(self, service: Service, address: str) -> None:
        """Have a Service that listens at an address already."""
        self._services[(service.namespace, service.name)] = service
        self.staging[f"{service.namespace}/{service.deployment}"] = address

    async def close(self) -> None:
        """Close every port."""
        for runner in self._runners:
            await runner.cleanup()
        if self._client is not None:
            await self._client.close()

    def service(self, namespace: str, name: str) -> Service | None:
        """Return a Service by name."""
        return self._services.get((namespace, name))

    def service_of(self, namespace: str, deployment: str) -> Service | None:
        """Return the Service in front of a Deployment."""
        found = (s for s in self._services.values() if (s.namespace, s.deployment) == (namespace, deployment))
        return next(found, None)

    async def handle(
        self, namespace: str, name: str, request: web.BaseRequest, headers: Mapping[str, str]
    ) -> web.StreamResponse:
        """Send a request, with these headers instead of its own, to whoever takes it; pass the answer on."""
        service = self.service(namespace, name)
        if service is None:
            return web.Response(status=502, text=f"there is no Service {namespace}/{name}\n")
        running = self._running(service)
        chosen = self._chosen(running, service, headers)
        address = await self._address(service, chosen)
        if address is None and chosen is not None:
            # mirrord gives up a request that it held for too long.
            return web.Response(status=502, text="the session did not wake in time\n")
        if address is None:
            return web.Response(status=503, text=f"nothing runs behind {namespace}/{name}\n")
        if self._client is None:
            # No pooled connections: a process that ends between two requests must not be seen as an error.
            connector = aiohttp.TCPConnector(force_close=True, limit=0)
            self._client = aiohttp.ClientSession(
                connector=connector,
                timeout=_TIMEOUT,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        # An agent is only there while some session takes traffic of the target.
        mark = _mark(chosen) if running and not self.sabotage.unmarked else {}
        passed = CIMultiDict(headers)
        if KEY_HEADER in mark:
            passed[KEY_HEADER] = mark[KEY_HEADER]
        answer = await _forward(self._client, request, address, passed)
        answer.headers.update(mark)
        return answer

    def _running(self, service: Service) -> list[Object]:
        """Return the sessions that take requests to a Service, in the order in which their pods came up.

        Two sessions may be made within one second, the precision of a creationTimestamp: by it alone the
        younger could be taken for the first.
        """
        by_uid = {session["metadata"]["uid"]: session for session in self._sessions()}
        return [by_uid[uid] for uid in self._pods if uid in by_uid and targets(by_uid[uid], service)]

    def _chosen(self, running: list[Object], service: Service, headers: Mapping[str, str]) -> Object | None:
        """Return the session that takes a request; None is staging's."""
        if self.sabotage.take_nothing:
            return None
        if self.sabotage.ignore_filter:
            return next(iter(running), None)
        return choose(running, service, headers.items())

    async def _address(self, service: Service, chosen: Object | None) -> str | None:
        if chosen is not None:
            return await self._beds.address_of(chosen["metadata"]["uid"], chosen["spec"])
        return self.staging.get(f"{service.namespace}/{service.deployment}")


def _mark(chosen: Object | None) -> dict[str, str]:
    if chosen is None:
        return {AGENT_HEADER: "passed-through"}
    return {AGENT_HEADER: "forwarded-to-client", KEY_HEADER: str(chosen["spec"]["key"])}


def _application(handle: Callable[[web.BaseRequest], Any]) -> web.Application:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    return app


async def _forward(
    client: aiohttp.ClientSession, request: web.BaseRequest, address: str, headers: Mapping[str, str]
) -> web.StreamResponse:
    passed = CIMultiDict((k, v) for k, v in headers.items() if k.lower() not in _HOP_BY_HOP)
    body = await request.read()
    try:
        async with client.request(
            request.method,
            address + request.raw_path,
            headers=passed,
            data=body or None,
            allow_redirects=False,
        ) as answer:
            content = await answer.read()
    except (aiohttp.ClientError, TimeoutError) as error:
        return web.Response(status=502, text=f"the service did not answer: {error}\n")
    back = CIMultiDict((k, v) for k, v in answer.headers.items() if k.lower() not in _HOP_BY_HOP)
    back.pop("Content-Length", None)
    return web.Response(status=answer.status, body=content, headers=back)
