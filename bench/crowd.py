"""Many pull requests at once: GitHub and a registry in memory, and an operator that is Ready at once."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web

from previewbot_demo import hosts
from previewbot_demo.bot import Bot
from previewbot_demo.faults import Call, Faults
from previewbot_demo.github import Account, FakeGitHub
from previewbot_demo.kubeapi import ApiError, KubeApi
from previewbot_demo.ports import free_port
from previewbot_demo.registry import FakeRegistry

APP_ID = 4242
NAMESPACE = "crowd"
_PER_REPOSITORY = 50
_PULL = re.compile(r"/pulls/\d+$")
_SESSIONS = f"/apis/preview.mirrord.metalbear.co/v1alpha/namespaces/{NAMESPACE}/previewsessions"
_COPILOT = Account(198982749, "Copilot", "Bot")
_CONFIGURATION = """
version: 1
services:
  web:
    {paths: ["web/**"], target: deployment/web, namespace: crowd, ports: [80], image: "HOST/web:{head_sha}"}
  api:
    {paths: ["api/**"], target: deployment/api, namespace: crowd, ports: [80], image: "HOST/api:{head_sha}"}
"""


class Crowd:
    """A world without a cluster: `token` is what lets the operator into the one at `api_server`."""

    def __init__(self, directory: Path, api_server: KubeApi) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.calls: Counter[str] = Counter()
        self.pulls_read: set[str] = set()
        self._api = api_server
        self._faults = Faults()
        self._faults.before = self._count
        settings = {"limits": {"previews": 5000}, "listing": {"interval": "10m"}}
        self.bot = Bot(directory, self.port, APP_ID, NAMESPACE, {"web": "", "controller": ""}, settings)
        public_key, self.secret = self.bot.prepare()
        self.registry = FakeRegistry(url=self.url)
        self.github = FakeGitHub(APP_ID, public_key, f"{self.url}/nowhere", self.secret, self.url)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Serve, and bring up the sessions of the cluster, until the end."""
        runner = await hosts.listen(self._answer, self.port)
        operator = asyncio.create_task(self._api.follow(_SESSIONS, self._bring_up))
        try:
            yield
        finally:
            operator.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await operator
            await self.bot.stop()
            await runner.cleanup()
            await self.github.shutdown()

    def fill(self, pull_requests: int) -> None:
        """Open this many pull requests; each second one changes two services."""
        digests = {s: self.registry.put_image(f"acme/{s}", "main", {"app.py": b""}) for s in ("web", "api")}
        files = {
            ".github/preview.yaml": _CONFIGURATION.replace("HOST", f"127.0.0.1:{self.port}/acme").encode(),
            "web/app.py": b"",
            "api/app.py": b"",
        }
        for number in range(pull_requests):
            name = f"acme{number // _PER_REPOSITORY}/shop"
            if number % _PER_REPOSITORY == 0:
                self.github.create_repository(name, files, private=False)
            changes = {"web/app.py": f"{number}".encode()}
            if number % 2:
                changes["api/app.py"] = f"{number}".encode()
            pull = self.github.open_pull_request(
                name, _COPILOT, f"copilot/{number}", changes, f"Change {number}"
            )
            sha = self.github.pull_request(pull, name).head_sha
            for service, digest in digests.items():
                self.registry.retag(f"acme/{service}", sha, digest)

    def ready(self) -> int:
        """Return how many comments call their preview ready; asking the cluster would slow it down."""
        return sum("\n### " in comment.body for comment in self.github.store.state.comments.values())

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.path.startswith("/v2"):
            return await self.registry.handle(request)
        if not request.path.startswith("/api/v3"):
            return web.Response(status=204)
        return await self._faults.around("github", request, lambda: self.github.handle(request))

    async def _count(self, call: Call) -> web.StreamResponse | None:
        self.calls[call.method] += 1
        if _PULL.search(call.path):
            self.pulls_read.add(call.path)
        return None

    async def _bring_up(self, event: str, session: Mapping[str, Any]) -> None:
        if event == "DELETED" or (session.get("status") or {}).get("phase") == "Ready":
            return
        name = session["metadata"]["name"]
        status = {"phase": "Ready", "startedAt": datetime.now(UTC).isoformat().replace("+00:00", "Z")}
        try:
            await self._api.patch(f"{_SESSIONS}/{name}/status", {"status": status})
        except ApiError as error:
            if error.status != 404:
                raise
