"""What is not on the node: the fake GitHub with its agents and CI, in a thread of its own."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

import aiohttp
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from previewbot_demo import shop
from previewbot_demo.agents import COLLABORATORS, Agents
from previewbot_demo.browser import Browser
from previewbot_demo.ci import Ci
from previewbot_demo.github import FakeGitHub
from previewbot_demo.github.webhooks import Delivery
from previewbot_demo.world import REPOSITORY
from tests.node.node import GATEWAY_PORT, TLS_PORT, Node
from tests.node.staging import Staging
from tests.support.components import free_port

T = TypeVar("T")

APP_ID, REPOSITORY_ID = 4242, 812
PUBLIC_URL = f"http://previews.example.com:{GATEWAY_PORT}"
SAFE_URL = f"https://previews.example.com:{TLS_PORT}"
"""Where people sign in, in the tests in which they do."""
CLIENT_ID = f"Iv23li{APP_ID:014d}"
SHOP_URL = f"http://shop.example.com:{GATEWAY_PORT}"
_BUILD_SECONDS = 1.0
_SECONDS = 120.0


class Town:
    """Opened and closed like a file; `url` is where the GitHub is reached, from pods too."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._port = free_port()
        self.url = f"http://{node.machine}:{self._port}"
        self.webhook_secret = secrets.token_hex(32)
        self.client_secret = secrets.token_hex(20)
        self.staging = Staging(node)

    def open(self) -> None:
        """Start; the shop is being rolled out then."""
        self._thread.start()
        self.do(self._open())

    def close(self) -> None:
        """End everything."""
        self.do(self._close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    @property
    def private_key(self) -> str:
        """The App's private key."""
        kind = serialization.PrivateFormat.TraditionalOpenSSL
        none = serialization.NoEncryption()
        return self._key.private_bytes(serialization.Encoding.PEM, kind, none).decode()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something where the GitHub runs."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(_SECONDS)

    def files(self) -> dict[str, bytes]:
        """Return the shop's repository as it is here."""
        return _repository(self._node.registry.address)

    def create_repository(self, full_name: str, files: Mapping[str, bytes]) -> None:
        """Create another repository that the App is installed in."""

        async def work() -> None:
            self.github.create_repository(full_name, files, private=False, collaborators=COLLABORATORS)

        self.do(work())

    def deliveries(self) -> list[Delivery]:
        """Return every delivery that was sent, after the last one was answered."""
        self.do(self.github.webhooks.settled())
        return self.github.webhooks.deliveries

    def values(self) -> dict[str, Any]:
        """Return what the values of an installation say otherwise here than in the documentation."""
        registry = self._node.registry.address
        gateway = {"scheme": "http", "port": GATEWAY_PORT}
        return {
            "settings": {
                "github": {
                    "app_id": APP_ID,
                    "api_url": f"{self.url}/api/v3",
                    "web_url": self.url,
                    # The tests write in minutes what people write in hours, and deployments would wait.
                    "writes_a_minute": 10_000,
                },
                "public_url": PUBLIC_URL,
                "links": {"gateway": gateway},
                "images": {
                    "allowed": [f"{registry}/acme/"],
                    "registries": {registry: {"plain_http": True}},
                },
                "listing": {"interval": "10s"},
                "deadlines": {"progress": "90s"},
                "pages": "public",
            },
        }

    async def _open(self) -> None:
        kind = serialization.PublicFormat.SubjectPublicKeyInfo
        public = self._key.public_key().public_bytes(serialization.Encoding.PEM, kind).decode()
        hook = f"{PUBLIC_URL}/webhook"
        self.github = FakeGitHub(
            APP_ID,
            public,
            hook,
            self.webhook_secret,
            self.url,
            client_secret=self.client_secret,
            callback_url=f"{SAFE_URL}/sign-in/done",
        )
        self._runner = await self._listen()
        files = self.files()
        repository = self.github.create_repository(
            REPOSITORY, files, repository_id=REPOSITORY_ID, private=False, collaborators=COLLABORATORS
        )
        self.ci = Ci(self.github, self.staging, self.staging, print)
        self.ci.switches.seconds = _BUILD_SECONDS
        await self.ci.start(repository.branches[repository.default_branch], files)
        self.agents = Agents(self.github, REPOSITORY, self.ci.switches.waiting)
        self.agents.offer()

    async def _listen(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.github.handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        await web.TCPSite(runner, self._node.machine, self._port).start()
        return runner

    async def _close(self) -> None:
        await self.ci.stop()
        await self.github.shutdown()
        await self._runner.cleanup()


class Visitor(Browser):
    """A browser that sees the town, and through kubectl the node."""

    def __init__(self, session: aiohttp.ClientSession, town: Town, node: Node) -> None:
        super().__init__(session, 0, REPOSITORY)
        self.world = town.url
        self._node = node
        self.shop = SHOP_URL

    async def previews(self) -> list[dict[str, Any]]:
        """List the Previews."""
        return await self._items("previews")

    async def sessions(self) -> list[dict[str, Any]]:
        """List staging's preview sessions."""
        return await self._items("previewsessions", "--namespace", "staging")

    async def branches(self) -> list[dict[str, Any]]:
        """List staging's database branches."""
        return await self._items("branchdatabases", "--namespace", "staging")

    async def routes(self) -> list[dict[str, Any]]:
        """List the HTTPRoutes that Previews own."""
        found = await self._items("httproutes", "--namespace", "staging")
        return [route for route in found if "ownerReferences" in route["metadata"]]

    async def _items(self, *what: str) -> list[dict[str, Any]]:
        found: dict[str, Any] = await asyncio.to_thread(self._node.get, *what)
        items: list[dict[str, Any]] = found["items"]
        return items


def _repository(registry: str) -> dict[str, bytes]:
    files = shop.repository_files(0)
    configuration = files[".github/preview.yaml"].decode()
    configuration = configuration.replace("127.0.0.1:0/", f"{registry}/")
    # In a cluster a password is in a Secret; the demo has none.
    from_secret = "{url: {type: env_from, variable: DATABASE_URL}}"
    configuration = configuration.replace("{url: DATABASE_URL}", from_secret)
    files[".github/preview.yaml"] = configuration.replace("http://shop.localhost:0", SHOP_URL).encode()
    return files
