"""One port for the whole world: who answers is decided by the host name, then by the path.

APIs are reached at 127.0.0.1, because Python does not resolve `*.localhost` everywhere; browsers do
(https://www.rfc-editor.org/rfc/rfc6761#section-6.3).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PREVIEW_DOMAIN = "preview.localhost"
SHARE_DOMAIN = "share.localhost"
SHOP_HOST = "shop.localhost"
SPLIT_VIEW = "/demo"
"""Below it lie the parts of the page that the demo opens with; the page itself is at `/`."""

_LARGEST_BODY = 64 * 1024 * 1024


@dataclass(frozen=True)
class Hosts:
    """Who answers for what."""

    github: Handler
    kube: Handler
    registry: Handler
    preview: Handler
    share: Handler
    shop: Handler
    split_view: Handler
    broker: Handler

    def choose(self, host: str, path: str) -> Handler:
        """Return who answers a request for `host` (a port is ignored) and `path`."""
        name = host.partition(":")[0].lower()
        if name.endswith("." + PREVIEW_DOMAIN):
            return self.preview
        if name.endswith("." + SHARE_DOMAIN):
            return self.share
        if name == SHOP_HOST:
            return self.shop
        if _below(path, "/v2"):
            return self.registry
        if _below(path, "/apis") or _below(path, "/version") or _below(path, "/openapi"):
            return self.kube
        # An Enterprise Server has its REST API and its GraphQL side by side, below what is also Kubernetes'.
        if _below(path, "/api") and not (_below(path, "/api/v3") or _below(path, "/api/graphql")):
            return self.kube
        if _below(path, "/queues"):
            return self.broker
        if path == "/" or _below(path, SPLIT_VIEW):
            return self.split_view
        return self.github

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request."""
        return await self.choose(request.host, request.path)(request)


async def listen(handle: Handler, port: int) -> web.AppRunner:
    """Serve at a port of 127.0.0.1 until the returned runner is cleaned up; raises OSError if it is taken."""
    app = web.Application(client_max_size=_LARGEST_BODY)
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
    except OSError:
        await runner.cleanup()
        raise
    return runner


def _below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(prefix + "/")
