"""previewbot itself, as the demo runs it: its settings file, its secrets, and its three processes.

Nothing here is special to the demo but the URLs: an installation runs the same three commands.
"""

from __future__ import annotations

import asyncio
import base64
import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from previewbot_demo.bot_files import app_key, kubeconfig, private_pem, public_pem
from previewbot_demo.front import WEBHOOK
from previewbot_demo.ports import free_port
from previewbot_demo.processes import Process, Spawn, spawn, start

PROCESSES = ("web", "pages", "controller")
"""previewbot's commands that run all the time."""
PAGES_SERVICE = "previewbot-pages"
"""The Service that leads to pages, which a guarded route names."""
GUARDED_HEADERS = (
    *("cookie", "x-previewbot-bearer", "accept", "origin"),
    *("sec-fetch-mode", "sec-fetch-dest", "sec-fetch-site"),
)
"""The headers of a request that the guard goes by: those that docs/guard/external-auth.yaml names."""
_HOST = "127.0.0.1"
_SHARED = "pictures-token"
_KUBECONFIG = "PREVIEWBOT_CLUSTER__KUBECONFIG"


@dataclass
class Bot:
    """The three processes, which find the world at `port` and keep their files in `directory`.

    `tokens` has what `web`, `pages` and `controller` show to the API server; `settings` replaces parts of the
    file. With `guard` the gateway asks pages about each request for a preview, with `pictures` there is a
    fourth process, which looks at previews in this machine's Chromium.
    """

    directory: Path
    port: int
    app_id: int
    namespace: str
    tokens: Mapping[str, str]
    settings: dict[str, Any] = field(default_factory=dict)
    web_port: int = field(default_factory=free_port)
    web_probe_port: int = field(default_factory=free_port)
    pages_port: int = field(default_factory=free_port)
    pages_probe_port: int = field(default_factory=free_port)
    controller_port: int = field(default_factory=free_port)
    front_port: int = field(default_factory=free_port)
    web: Process | None = None
    pages: Process | None = None
    controller: Process | None = None
    spawn: Spawn = spawn
    guard: bool = False
    pictures: bool = False
    worker: Process | None = None
    worker_port: int = field(default_factory=free_port)
    client_secret: str = field(default_factory=lambda: secrets.token_hex(20), repr=False)

    @property
    def callback_url(self) -> str:
        """Where GitHub leads people back to who sign in."""
        return f"{self.url}/sign-in/done"

    @property
    def url(self) -> str:
        """The public address of all: what stands at `front_port` leads each request to its process."""
        return f"http://{_HOST}:{self.front_port}"

    @property
    def webhook_url(self) -> str:
        """Where GitHub delivers to."""
        return f"{self.url}{WEBHOOK}"

    @property
    def bearer_file(self) -> Path:
        """The file with the bearer for programs."""
        return self.directory / "bearer"

    def prepare(self) -> tuple[str, str]:
        """Write settings, kubeconfig, secrets; return the App's public key (PEM) and the webhook secret."""
        key = app_key()
        secret = secrets.token_hex(32)
        self._write("app.pem", private_pem(key))
        self._write("webhook-secret", secret)
        self._write(self.bearer_file.name, secrets.token_hex(32))
        self._write("client-secret", self.client_secret)
        self._write(_SHARED, secrets.token_hex(32))
        for keys in ("cookie-keys", "guard-keys"):
            self._write(keys, base64.b64encode(secrets.token_bytes(32)).decode())
        for command, token in self.tokens.items():
            self._write(f"{command}.kubeconfig", yaml.safe_dump(kubeconfig(self.port, token)))
        self._write("settings.yaml", yaml.safe_dump(self.all_settings, sort_keys=False))
        return public_pem(key), secret

    async def start(self) -> None:
        """Start all, at once; raises `StartError`."""
        starts = [self.start_web(), self.start_pages(), self.start_controller()]
        if self.pictures:
            starts.append(self.start_worker())
        for result in await asyncio.gather(*starts, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result

    async def stop(self) -> None:
        """Stop all, at once."""
        await asyncio.gather(self.stop_web(), self.stop_pages(), self.stop_controller(), self.stop_worker())

    async def start_web(self) -> None:
        """Start `previewbot web` and wait until it is ready; raises `StartError`."""
        probes = self.web_probe_port
        self.web = await self._start("web", self.web_port, probes, "--metrics-bind", f"{_HOST}:{probes}")

    async def start_pages(self) -> None:
        """Start `previewbot pages` and wait until it is ready; raises `StartError`."""
        probes = self.pages_probe_port
        self.pages = await self._start(
            "pages", self.pages_port, probes, "--metrics-bind", f"{_HOST}:{probes}"
        )

    async def start_worker(self) -> None:
        """Start `previewbot pictures` and wait until it is ready; raises `StartError`."""
        arguments = ("--localhost", "--token-file", _SHARED, "--folder", "pictures")
        self.worker = await self._run("pictures", self.worker_port, self.worker_port, "/healthz", *arguments)

    async def start_controller(self) -> None:
        """Start `previewbot controller` and wait until it is ready; raises `StartError`."""
        # Always the same one, started again only when it is dead: it need not wait for its own Lease.
        self.controller = await self.start_replica("demo", self.controller_port)

    async def start_replica(self, identity: str, port: int) -> Process:
        """Start a `previewbot controller`, which the caller stops, and wait until it is ready.

        Raises `StartError`.
        """
        return await self._start("controller", port, port, "--identity", identity)

    async def stop_web(self) -> None:
        """Stop `previewbot web`."""
        if self.web is not None:
            await self.web.stop()

    async def stop_pages(self) -> None:
        """Stop `previewbot pages`."""
        if self.pages is not None:
            await self.pages.stop()

    async def stop_controller(self) -> None:
        """Stop `previewbot controller`."""
        if self.controller is not None:
            await self.controller.stop()

    async def stop_worker(self) -> None:
        """Stop `previewbot pictures`."""
        if self.worker is not None:
            await self.worker.stop()

    async def kill_controller(self) -> None:
        """End `previewbot controller` at once, in the midst of whatever it does."""
        if self.controller is not None:
            await self.controller.kill()

    def ended(self) -> str | None:
        """Return what to say about a process that ended by itself, if one did."""
        running = (
            *(("web", self.web), ("pages", self.pages), ("controller", self.controller)),
            ("pictures", self.worker),
        )
        for name, process in running:
            if process is not None and not process.running:
                return f"previewbot {name} ended: {process.last_words(5)} (log: {process.log})"
        return None

    async def _start(self, command: str, port: int, probe_port: int, *more: str) -> Process:
        settings = ("--config", str(self.directory / "settings.yaml"))
        return await self._run(command, port, probe_port, "/readyz", *settings, *more)

    async def _run(self, command: str, port: int, probe_port: int, ready: str, *arguments: str) -> Process:
        return await start(
            (sys.executable, "-m", "previewbot", command, "--bind", f"{_HOST}:{port}", *arguments),
            environment() | {_KUBECONFIG: str(self.directory / f"{command}.kubeconfig")},
            self.directory,
            self.directory / f"{command}.log",
            port,
            ready,
            self.spawn,
            probe_port,
        )

    def _write(self, name: str, text: str) -> None:
        path = self.directory / name
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")

    @property
    def all_settings(self) -> dict[str, Any]:
        """What previewbot's settings say here: the demo's own, and what a test puts in their place."""
        return self._settings() | dict(self.settings)

    def _guard(self) -> dict[str, Any]:
        """Return how the gateway is told to ask, and pages how it asks, as docs/guard/external-auth.yaml."""
        asks = {
            "protocol": "HTTP",
            "backendRef": {"name": PAGES_SERVICE, "port": 80},
            "http": {
                "path": "/auth",
                "allowedHeaders": list(GUARDED_HEADERS),
                "allowedResponseHeaders": ["x-previewbot-guard"],
            },
        }
        return {
            "guard": {"host_in": "Host", "keys_file": str(self.directory / "guard-keys")},
            "filters": [{"type": "ExternalAuth", "externalAuth": asks}],
        }

    def _pictured(self) -> dict[str, Any]:
        """Return where the worker of pictures is; all in the demo is public, and so are they."""
        token = str(self.directory / _SHARED)
        return {"url": f"http://{_HOST}:{self.worker_port}", "token_file": token, "public": True}

    def _settings(self) -> dict[str, Any]:
        world = f"http://{_HOST}:{self.port}"
        gateway = {
            "name": "public",
            "namespace": self.namespace,
            "domain": "preview.localhost",
            "scheme": "http",
            "port": self.port,
            "settle": "0s",
            # The gateway can, and there is no class of it that says so.
            "commit_header": "always",
            **(self._guard() if self.guard else {}),
        }
        return {
            "github": {
                "api_url": f"{world}/api/v3",
                "web_url": world,
                "app_id": self.app_id,
                # The tour does in half a minute what people do in an hour.
                "writes_a_minute": 10_000,
                "private_key_file": str(self.directory / "app.pem"),
                "webhook_secret_file": str(self.directory / "webhook-secret"),
            },
            "public_url": self.url,
            "cluster": {"namespaces": [self.namespace]},
            "links": {"gateway": gateway},
            "images": {
                "allowed": [f"{_HOST}:{self.port}/acme/"],
                "registries": {f"{_HOST}:{self.port}": {"plain_http": True}},
            },
            "config_branches": [],
            "limits": {"previews": 10},
            "ttl": {"default": "8h", "max": "72h"},
            "deadlines": {"image": "10m", "session": "2m"},
            "listing": {"interval": "10s"},
            "pages": "public",
            **({"pictures": self._pictured()} if self.pictures else {}),
            # One person plays all programs here, with one bearer.
            "api": {"bearer_file": str(self.bearer_file), "opens_previews": True},
            "access": "github",
            "sign_in": {
                "client_id": f"Iv23li{self.app_id:014d}",
                "client_secret_file": str(self.directory / "client-secret"),
                "cookie_keys_file": str(self.directory / "cookie-keys"),
            },
        }


def environment() -> dict[str, str]:
    """Return our environment without proxies and foreign settings; it finds the previewbot that we find."""
    foreign = ("PREVIEWBOT_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "KUBECONFIG")
    kept = {k: v for k, v in os.environ.items() if not k.upper().startswith(foreign)}
    package_root = str(Path(str(files("previewbot"))).parent)
    path = os.pathsep.join(filter(None, (package_root, os.environ.get("PYTHONPATH"))))
    return kept | {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
