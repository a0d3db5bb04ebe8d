"""Wires the controller's parts together and runs them until told to stop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from datetime import UTC, datetime

import aiohttp
from aiohttp import web
from prometheus_client import CollectorRegistry

from previewbot import links, mirrord
from previewbot.controller.health import Health, Watchdog, application
from previewbot.controller.listing import Listing
from previewbot.controller.loop import WORKERS, Loop
from previewbot.errors import RemoteError
from previewbot.github import GitHub
from previewbot.kube.client import Kube
from previewbot.kube.follow import Follower, Store
from previewbot.preview import GROUP, PLURAL, VERSION, Preview, from_object
from previewbot.reconcile import Reconciler
from previewbot.registry import Registry
from previewbot.render import Renderer
from previewbot.settings import Settings

USER_AGENT = "previewbot"
_TIMEOUT = aiohttp.ClientTimeout(total=30, connect=5)
_CHECK_AGAIN_SECONDS = 5.0
_TICK_SECONDS = 1.0

log = logging.getLogger(__name__)
_PREVIEWS = (GROUP, VERSION, PLURAL)
_SESSIONS = (mirrord.API_GROUP, mirrord.API_VERSION, mirrord.PLURAL)
_ROUTES = (links.ROUTE_GROUP, links.ROUTE_VERSION, links.ROUTE_PLURAL)


async def run(settings: Settings, private_key: str, bind: str, *, stop: asyncio.Event) -> int:
    """Run the controller until `stop` is set; return the exit code."""
    metrics = CollectorRegistry()
    health = Health()
    watchdog = Watchdog()
    watchdog.start()
    runner = web.AppRunner(application(health, metrics), access_log=None)
    await runner.setup()
    host, _, port = bind.rpartition(":")
    await web.TCPSite(runner, host.strip("[]") or None, int(port)).start()
    kube = await Kube.connect(settings.cluster.kubeconfig, user_agent=USER_AGENT)
    try:
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
            await _until(stop, _work(settings, private_key, session, kube, health, metrics, watchdog))
    finally:
        watchdog.stop()
        await kube.close()
        await runner.cleanup()
    return 0


async def _until(stop: asyncio.Event, work: Coroutine[None, None, None]) -> None:
    """Run `work`, which never ends by itself, until `stop` is set; its failure is ours."""
    working = asyncio.ensure_future(work)
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
    finally:
        for task in (working, stopping):
            task.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)


async def _work(
    settings: Settings,
    private_key: str,
    session: aiohttp.ClientSession,
    kube: Kube,
    health: Health,
    metrics: CollectorRegistry,
    watchdog: Watchdog,
) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(_tick(watchdog))
        await _wait_for_resources(settings, kube, health)
        github = GitHub(
            session,
            api_url=settings.github.api_url,
            app_id=settings.github.app_id,
            private_key=private_key,
            user_agent=USER_AGENT,
            now=_now,
        )
        loop = Loop(metrics, health)
        store = Store(loop.preview_changed)

        def previews() -> list[Preview]:
            return [from_object(obj) for obj in store]

        reconciler = Reconciler(
            kube=kube,
            github=github,
            registry=Registry(session, settings.images.registries),
            renderer=Renderer(),
            settings=settings,
            now=_now,
            previews=previews,
            wrote=store.put,
        )
        followers = _followers(settings, kube, loop, store, health)
        for follower in followers:
            group.create_task(follower.run())
        health.missing = "the first list of Previews and sessions"
        await asyncio.gather(*(follower.synced.wait() for follower in followers))
        health.missing = ""
        for number in range(WORKERS):
            group.create_task(loop.work(reconciler, number))
        listing = Listing(
            github=github,
            kube=kube,
            previews=previews,
            untriggered=reconciler.untriggered,
            now=_now,
            interval=settings.listing.interval,
            app_id=settings.github.app_id,
            github_host=settings.github_host,
        )
        group.create_task(listing.run())


def _followers(settings: Settings, kube: Kube, loop: Loop, previews: Store, health: Health) -> list[Follower]:
    """Follow Previews everywhere, and sessions in each allowed namespace (so that a Role there is enough)."""
    followers = [Follower(kube, _PREVIEWS, None, previews, progressed=lambda: health.progressed("previews"))]
    for namespace in settings.cluster.namespaces:
        what = f"sessions in {namespace}"
        followers.append(
            Follower(
                kube,
                _SESSIONS,
                namespace,
                Store(loop.session_changed),
                progressed=lambda what=what: health.progressed(what),  # type: ignore[misc]
            )
        )
    return followers


async def _wait_for_resources(settings: Settings, kube: Kube, health: Health) -> None:
    """Wait until the API server has every resource we need; say what is missing, and how to get it."""
    gateway = settings.links is not None and settings.links.gateway is not None
    wanted = [_PREVIEWS, _SESSIONS, *([_ROUTES] if gateway else [])]
    while True:
        try:
            missing = await kube.missing_resources(wanted)
        except RemoteError as error:
            health.missing = f"the API server does not answer: {error}"
        else:
            if not missing:
                return
            health.missing = "the cluster lacks " + ", ".join(missing)
        log.warning("not ready", extra={"missing": health.missing})
        await asyncio.sleep(_CHECK_AGAIN_SECONDS)


async def _tick(watchdog: Watchdog) -> None:
    while True:
        watchdog.tick()
        await asyncio.sleep(_TICK_SECONDS)


def _now() -> datetime:
    return datetime.now(UTC)
