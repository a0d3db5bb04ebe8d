"""The embedded world: everything previewbot talks to, on one port, with previewbot's processes inside it."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from aiohttp import web

from previewbot_demo import hosts, shop
from previewbot_demo.agents import COLLABORATORS, Agents
from previewbot_demo.bot import PAGES_SERVICE, PROCESSES, Bot
from previewbot_demo.branching import Branching
from previewbot_demo.broker import Broker
from previewbot_demo.ci import Ci
from previewbot_demo.cluster import Cluster, RealCluster, clean_up, prepare
from previewbot_demo.faults import Faults
from previewbot_demo.front import Front
from previewbot_demo.gateway import Gateway
from previewbot_demo.github import FakeGitHub
from previewbot_demo.kube import FakeKube
from previewbot_demo.kubeapi import KubeApi
from previewbot_demo.operator import Operator, Settings
from previewbot_demo.ports import free_port
from previewbot_demo.processes import Spawn, spawn
from previewbot_demo.registry import FakeRegistry
from previewbot_demo.routing import Router, Service
from previewbot_demo.sleeping import Beds
from previewbot_demo.splitting import Splitting
from previewbot_demo.splitview import Parts, SplitView
from previewbot_demo.staging import Staging

REPOSITORY = "acme/shop"

Say = Callable[[str, float], None]


@dataclass(frozen=True)
class Options:
    """How to start: `port` 0 is any; `settings` replaces parts of previewbot's settings file, by their key.

    With a `kubeconfig` that cluster takes the place of the one in memory, and `tokens` may give `web`,
    `pages` and `controller` identities of their own there. `build_seconds` is how long the simulated CI
    takes, `start_seconds` how long a session does at least; with `processes` false previewbot itself is not
    started; `keep` leaves the directory of settings and logs; `spawn` starts previewbot's processes. With
    `guard` previews open for whoever has signed in and may read their repository, and for nobody else. With
    `pictures` this machine's Chromium looks at them, before and after.
    """

    port: int = 0
    kubeconfig: Path | None = None
    namespace: str = "staging"
    app_id: int = 4242
    repository_id: int = 812
    tokens: Mapping[str, str] = field(default_factory=dict)
    build_seconds: float = 2.0
    start_seconds: float = 0.0
    settings: dict[str, Any] = field(default_factory=dict)
    processes: bool = True
    keep: bool = False
    spawn: Spawn = spawn
    guard: bool = False
    pictures: bool = False


class World:
    """A context manager; its parts are attributes, each with its own switches for faults.

    `begins` is told each step of the start when it begins, `say` when it is done, with the seconds it took.
    """

    github: FakeGitHub
    kube: Cluster
    registry: FakeRegistry
    operator: Operator
    router: Router
    gateway: Gateway
    staging: Staging
    ci: Ci
    agents: Agents
    bot: Bot

    def __init__(
        self,
        options: Options | None = None,
        say: Say = lambda what, seconds: None,
        begins: Callable[[str], None] = lambda what: None,
    ) -> None:
        self.options = options or Options()
        self._say = say
        self._begins = begins
        self._stack = AsyncExitStack()
        self.port = self.options.port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.directory = Path()
        self.token = secrets.token_hex(16)
        self.faults = Faults()
        self.broker = Broker()
        self.pods: dict[str, str] = {}
        self.beds = Beds(self.pods)
        self.split_view = SplitView()

    async def __aenter__(self) -> World:
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def _start(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="previewbot-demo-"))
        if not self.options.keep:
            self._stack.callback(shutil.rmtree, self.directory, ignore_errors=True)
        tokens = dict.fromkeys(PROCESSES, self.token) | dict(self.options.tokens)
        options = self.options
        self.bot = Bot(
            self.directory,
            self.port,
            options.app_id,
            options.namespace,
            tokens,
            options.settings,
            spawn=options.spawn,
            guard=options.guard,
            pictures=options.pictures,
        )
        async with self._step("GitHub, Kubernetes, a registry and a gateway, in memory"):
            await self._build()
        clean_up = await self._prepare()
        async with self._step(f"the shop in staging: {', '.join(shop.SERVICES)}"):
            await self._deploy()
        async with self._step("a stand-in for mirrord's operator"):
            await self._start_operator()
        await self.gateway.open(options.namespace)
        links = self.bot.all_settings["links"] or {}
        if links.get("gateway"):
            await self.gateway.lead_hosts_without_preview(links["gateway"], self.bot.url)
        following = asyncio.create_task(self.gateway.run(options.namespace))
        self._stack.push_async_callback(_cancel, following)
        # Before the operator ends: its finalizer must go from what is removed.
        self._stack.push_async_callback(clean_up)
        front = Front(self.bot.front_port, self.bot.web_port, self.bot.pages_port)
        self._stack.push_async_callback(front.close)
        await front.open()
        if self.options.processes:
            await self._start_bot()

    async def _build(self) -> None:
        public_key, secret = self.bot.prepare()
        self.kube = await self._cluster()
        self.registry = FakeRegistry(url=self.url, faults=self.faults)
        self.github = FakeGitHub(
            self.options.app_id,
            public_key,
            self.bot.webhook_url,
            secret,
            self.url,
            client_secret=self.bot.client_secret,
            callback_url=self.bot.callback_url,
        )
        self._stack.push_async_callback(self.github.shutdown)
        addresses: dict[str, str] = {}
        self.router = Router(self._sessions, self.pods, addresses, self.beds)
        self._stack.push_async_callback(self.router.close)
        namespace = self.options.namespace
        # Of no session's reach: what guards previews must not be one of them.
        pages = Service(namespace, PAGES_SERVICE, PAGES_SERVICE, self.bot.pages_port)
        self.router.know(pages, f"http://127.0.0.1:{self.bot.pages_port}")
        self._stack.callback(self.broker.close)
        self.staging = Staging(namespace, self.directory / "staging", self.router, addresses, self.url)
        self._stack.push_async_callback(self.staging.stop)
        api = self._api("previewbot-demo-gateway")
        self.gateway = Gateway(api, self._sessions, self.router, self.port, lambda: datetime.now(UTC))
        runner = await hosts.listen(self._hosts().handle, self.port)
        self._stack.push_async_callback(runner.cleanup)

    async def _deploy(self) -> None:
        await self.staging.open()
        namespace = self.options.namespace
        files = shop.repository_files(self.port, namespace)
        repository = self.github.create_repository(
            REPOSITORY,
            files,
            repository_id=self.options.repository_id,
            private=False,
            collaborators=COLLABORATORS,
        )
        self.ci = Ci(self.github, self.registry, self.staging, lambda text: self._say(text, 0.0))
        self.ci.switches.seconds = self.options.build_seconds
        self._stack.push_async_callback(self.ci.stop)
        sha = repository.branches[repository.default_branch]
        await self.ci.start(sha, files)
        for service in shop.SERVICES:
            image = f"127.0.0.1:{self.port}/acme/{service}:{sha}"
            path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
            await self._api("previewbot-demo").create(path, self.staging.deployment(service, image))
        self.agents = Agents(self.github, REPOSITORY, self.ci.switches.waiting)
        self.agents.offer()
        self.split_view.open(
            Parts(
                self.github,
                self.agents,
                REPOSITORY,
                self.port,
                self._sessions,
                staged=lambda: self.staging.deployments,
                real_cluster=self.options.kubeconfig is not None,
            )
        )

    async def _start_operator(self) -> None:
        api = self._api("mirrord-operator-stand-in")
        waits = timedelta(seconds=self.options.start_seconds)
        namespaces = (self.options.namespace,)
        settings = Settings(namespaces, self.directory / "sessions", hosts.SHARE_DOMAIN, waits=waits)
        branching = Branching(api, namespaces, self.directory / "branches", lambda: datetime.now(UTC))
        splitting = Splitting(self.broker, shop.QUEUES)
        self.operator = Operator(
            api, settings, self.pods, lambda: datetime.now(UTC), branching, splitting, self.beds
        )
        task = asyncio.create_task(self.operator.run())
        self._stack.push_async_callback(_cancel, task)

    async def _cluster(self) -> Cluster:
        if self.options.kubeconfig is None:
            return FakeKube(faults=self.faults, experimental=self.options.guard)
        kube = RealCluster(self.options.kubeconfig, self.options.namespace, self.token, self.faults)
        await kube.open()
        self._stack.push_async_callback(kube.close)
        return kube

    async def _prepare(self) -> Callable[[], Awaitable[None]]:
        """Make ready a real cluster; return what removes our traces from it."""
        if not isinstance(self.kube, RealCluster):
            return _nothing
        api, namespace = self._api("previewbot-demo"), self.options.namespace
        async with self._step(f"the cluster: the namespace {namespace}"):
            await self.kube.refuse_operator()
            new = await prepare(api, namespace)
            await self.kube.follow(api)
        return partial(clean_up, api, namespace, f"127.0.0.1:{self.port}", whole=new)

    def _api(self, agent: str) -> KubeApi:
        """Return a client of the cluster, which is closed at the end."""
        api = KubeApi(self.url, agent, self.token)
        self._stack.push_async_callback(api.close)
        return api

    async def _start_bot(self) -> None:
        self._stack.push_async_callback(self.bot.stop)
        async with self._step("previewbot web, previewbot pages and previewbot controller"):
            await self.bot.start()

    def _sessions(self) -> list[dict[str, Any]]:
        return self.kube.objects("previewsessions")

    def _hosts(self) -> hosts.Hosts:
        return hosts.Hosts(
            github=self._github,
            kube=self.kube.handle,
            registry=self.registry.handle,
            preview=self._preview,
            share=self.gateway.share,
            shop=self._shop,
            split_view=self._split_view,
            broker=self.broker.handle,
        )

    async def _split_view(self, request: web.Request) -> web.StreamResponse:
        """Answer with the page that the demo opens with."""
        return await self.split_view.handle(request)

    async def _preview(self, request: web.Request) -> web.StreamResponse:
        """Answer as the gateway does for the preview domain."""
        self.split_view.saw(request)
        return await self.gateway.handle(request)

    async def _github(self, request: web.Request) -> web.StreamResponse:
        """Answer with GitHub; only its API can be made to fail, the pages are for people."""
        answer: Callable[[], Awaitable[web.StreamResponse]] = lambda: self.github.handle(request)  # noqa: E731
        if not request.path.startswith("/api/v3"):
            return await answer()
        return await self.faults.around("github", request, answer)

    async def _shop(self, request: web.Request) -> web.StreamResponse:
        """Answer with staging's front end, as its public address does."""
        self.split_view.saw(request)
        return await self.router.handle(self.options.namespace, "web", request, request.headers)

    @asynccontextmanager
    async def _step(self, what: str) -> AsyncIterator[None]:
        began = time.monotonic()
        self._begins(what)
        yield
        self._say(what, time.monotonic() - began)


async def _nothing() -> None:
    pass


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
