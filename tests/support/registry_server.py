"""A registry that answers what a test says, and remembers what it was asked."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from previewbot.rules.images import ImageReference
from tests.support.registry_images import Image

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

UNKNOWN = {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}
"""What a registry says of a tag that is not there."""

USER, PASSWORD = "ci", "hunter2-password"


def basic(user: str = USER, password: str = PASSWORD) -> str:
    """Return an Authorization header."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def docker_config(path: Path, auths: Mapping[str, Any], **more: Any) -> Path:
    """Write a docker config file."""
    path.write_text(json.dumps({"auths": auths, **more}))
    return path


def login(user: str = USER, password: str = PASSWORD) -> dict[str, str]:
    """Return the entry that `docker login` writes."""
    return {"auth": basic(user, password).removeprefix("Basic ")}


def answers(
    body: bytes | dict[str, Any] | str = b"",
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Handler:
    """Return a handler that answers always the same."""
    content = json.dumps(body).encode() if isinstance(body, dict) else body
    content = content.encode() if isinstance(content, str) else content

    async def handle(_: web.Request) -> web.StreamResponse:
        return web.Response(body=content, status=status, headers=headers)

    return handle


def behind(wanted: str, handler: Handler) -> Handler:
    """Return a handler that wants this Authorization header first."""

    async def handle(request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") == wanted:
            return await handler(request)
        return await answers(status=401, headers={"WWW-Authenticate": 'Basic realm="x"'})(request)

    return handle


@dataclass(frozen=True)
class Seen:
    """A request that came in."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    form: Mapping[str, str]

    @property
    def authorization(self) -> str:
        return self.headers.get("Authorization", "")


class Server:
    """Serves images to everybody who has what `wanted` says; a handler for a path comes before them."""

    def __init__(self) -> None:
        self.host = ""
        self.scheme = "http"
        self.seen: list[Seen] = []
        self.handlers: dict[str, Handler] = {}
        self.wanted: set[str] = set()
        self.challenge = 'Basic realm="registry"'
        self._content: dict[str, tuple[bytes, dict[str, str]]] = {}

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}"

    def reference(self, tag: str = "x", repository: str = "acme/web") -> ImageReference:
        return ImageReference(self.host, repository, tag)

    def path(self, name: str = "x", kind: str = "manifests", repository: str = "acme/web") -> str:
        return f"/v2/{repository}/{kind}/{name}"

    def serve(self, image: Image, tag: str = "x") -> str:
        """Serve an image with all it consists of; return its digest."""
        for part in image.images:
            self.serve(part, part.digest)
        for blob in image.blobs:
            self._content[self.path(blob.digest, "blobs")] = (blob.body, {"Content-Type": blob.media_type})
        headers = {"Content-Type": image.manifest.media_type, "Docker-Content-Digest": image.digest}
        for name in (tag, image.digest):
            self._content[self.path(name)] = (image.manifest.body, headers)
        return image.digest

    def wants_token(self, token: str = "a-token", answer: dict[str, Any] | None = None) -> None:
        """Ask for a token, which the token server at /token gives, or says what `answer` is."""
        self.wanted = {f"Bearer {token}"}
        self.challenge = f'Bearer realm="{self.url}/token",service="the registry"'
        self.handlers["/token"] = answers(answer or {"token": token})

    def requests(self) -> list[str]:
        return [f"{seen.method} {seen.path}" for seen in self.seen]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        form = {key: str(value) for key, value in (await request.post()).items()}
        self.seen.append(Seen(request.method, request.path, dict(request.query), request.headers, form))
        handler = self.handlers.get(f"{request.method} {request.path}") or self.handlers.get(request.path)
        if handler:
            return await handler(request)
        if self.wanted and request.headers.get("Authorization") not in self.wanted:
            return await answers(status=401, headers={"WWW-Authenticate": self.challenge})(request)
        if request.path == "/v2/":
            return web.json_response({})
        if request.path not in self._content:
            return await answers(UNKNOWN, status=404)(request)
        body, headers = self._content[request.path]
        return web.Response(body=body, headers=headers)


@asynccontextmanager
async def a_server(tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> AsyncIterator[Server]:
    """Run a server at a free port of this machine."""
    server = Server()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, 0, ssl_context=tls).start()
        server.host = f"{f'[{host}]' if ':' in host else host}:{runner.addresses[0][1]}"
        server.scheme = "https" if tls else "http"
        yield server
    finally:
        await runner.cleanup()
