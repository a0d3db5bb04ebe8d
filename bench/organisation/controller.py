"""previewbot's controller and intake in this process: the real parts over a cluster and a wire in memory."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from typing import Any, cast

from prometheus_client import CollectorRegistry
from werkzeug.datastructures import Headers

from bench.organisation.cluster import Kubernetes
from bench.organisation.people import SECRET, Organisation
from bench.organisation.time import Clock
from bench.organisation.wire import Wire
from previewbot.clients.github import GitHub
from previewbot.clients.kubernetes.cache import ObjectCache
from previewbot.clients.registry import FoundImage
from previewbot.config.server import Settings, parse
from previewbot.engine.operator import OperatorSeen
from previewbot.reconciler import Reconciler
from previewbot.reconciler.memory import Configurations, Memory
from previewbot.runtime.health import Health
from previewbot.runtime.previews import Previews
from previewbot.runtime.resync import Resync
from previewbot.runtime.workers import WORKERS, Workers
from previewbot.text.render import Renderer
from previewbot.webhook.intake import Intake
from tests.support.github_town import private_pem
from tests.support.passes import SETTINGS, Calls, LinksInMemory


class _Images:
    """The registry: what CI has built."""

    def __init__(self, organisation: Organisation) -> None:
        self._organisation = organisation

    async def find(self, reference: Any, revision: bool = False) -> FoundImage | None:
        name = f"{reference.repository.rsplit('/', 1)[-1]}:{reference.tag}"
        if name not in self._organisation.images:
            return None
        return FoundImage("sha256:" + hashlib.sha256(name.encode()).hexdigest(), "")


class Controller:
    """What runs in the cluster; `run` is one process of it, and knows nothing of those before."""

    def __init__(
        self, organisation: Organisation, kube: Kubernetes, clock: Clock, settings: Mapping[str, Any]
    ) -> None:
        github = {**SETTINGS["github"], "api_url": "http://github/api/v3"}
        limits = {"previews": 10_000}
        self.settings: Settings = parse({**SETTINGS, "github": github, "limits": limits, **settings}, {})
        self._organisation, self._kube, self._clock = organisation, kube, clock
        self._renderer, self._configurations, self._key = Renderer(), Configurations(), private_pem()
        intake = Intake(self.settings, (SECRET.encode(),), _Pokes(kube), clock)

        def post(headers: Headers, body: bytes) -> None:
            intake.take(headers, [body])

        organisation.post = post

    async def run(self) -> None:
        """Work until cancelled."""
        kube = cast(Any, self._kube)
        wire = cast(Any, Wire(lambda: self._organisation.github))
        settings = self.settings
        github = GitHub(
            wire,
            settings.github,
            self._key,
            settings.agents.known,
            user_agent="bench",
            now=self._clock,
        )
        workers = Workers(CollectorRegistry(), Health(limit=3_600))
        store = ObjectCache(workers.preview_changed)
        store.replace(self._kube.previews, "0")
        for session in self._kube.sessions():
            workers.child_changed(None, session)
        previews = Previews(store)
        self._kube.told = _watches(workers, store)
        memory = Memory(configurations=self._configurations)
        reconciler = Reconciler(
            kube=kube,
            github=github,
            registry=cast(Any, _Images(self._organisation)),
            links=cast(Any, LinksInMemory(Calls())),
            renderer=self._renderer,
            settings=self.settings,
            now=self._clock,
            previews=previews,
            pods=lambda namespace, uid: (),
            wrote=store.put,
            memory=memory,
            operator=OperatorSeen,
        )
        resync = Resync(
            github=github,
            kube=kube,
            previews=previews,
            untriggered=reconciler.untriggered,
            of_agents=reconciler.of_agents,
            now=self._clock,
            settings=self.settings,
        )
        workers.lead(reconciler.first_in_line)
        for preview in previews():
            workers.queue.add(preview.name)
        async with asyncio.TaskGroup() as group:
            for number in range(WORKERS):
                group.create_task(workers.work(reconciler, number))
            group.create_task(resync.run())


def _watches(workers: Workers, store: ObjectCache) -> Any:
    def told(kind: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> None:
        if kind == "session":
            workers.child_changed(before, after)
        elif after is not None:
            store.put(after)
        elif before is not None:
            store.remove(before)

    return told


class _Pokes:
    """The cluster as web has it."""

    def __init__(self, kube: Kubernetes) -> None:
        self._kube = kube

    def poke(self, spec: Any, poke: Any, *, create: bool) -> bool:
        return self._kube.take(spec, poke, create=create)
