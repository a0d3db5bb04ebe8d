"""Wires the controller's parts together and runs them until told to stop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any

from aiohttp import web
from prometheus_client import CollectorRegistry, Gauge

from previewbot.clients.github import GitHub
from previewbot.clients.kubernetes.client import Kube
from previewbot.clients.outgoing import client_session
from previewbot.clients.pictures import Album
from previewbot.config.server import Settings
from previewbot.errors import LeaseLost
from previewbot.reconciler.memory import Memory
from previewbot.rules.proxies import DIRECTLY, Proxies
from previewbot.rules.repositories import warnings_of
from previewbot.runtime.gateway import count_unguarded
from previewbot.runtime.health import Health, Watchdog, application
from previewbot.runtime.informers import informers, required_resources, wait_for_resources
from previewbot.runtime.leadership import DURATION_SECONDS, LeaseTaken
from previewbot.runtime.parts import (
    LEASE,
    USER_AGENT,
    Followed,
    Parts,
    list_for_ever,
    new_followed,
    new_leadership,
    new_reconciler,
    now,
)
from previewbot.runtime.workers import WORKERS

_TICK_SECONDS = 1.0
_STOP_SECONDS = 6.0
_SERVER_STOP_SECONDS = 2.0
"""Together less than the ten seconds in which we promise to end."""

log = logging.getLogger(__name__)


async def run(
    settings: Settings,
    private_key: str,
    bind: str,
    *,
    identity: str,
    stop: asyncio.Event,
    proxies: Proxies = DIRECTLY,
    guard_keys: Callable[[], tuple[bytes, ...]] = tuple,
    pictures: Album | None = None,
) -> int:
    """Run the controller until `stop` is set; return the exit code.

    `identity` is who it is in the Lease, `proxies` are the way to GitHub and registries.
    `guard_keys` returns those with which it asks links past the guard, `pictures` is the worker that takes
    some, None where there is none. Raises SettingsError for a private key, a CA or a
    kubeconfig that cannot be used, OSError if `bind` is taken.
    """
    for warning in warnings_of(settings):
        log.warning(warning)
    health = Health(limit=settings.deadlines.progress.total_seconds())
    # A loop that hangs for as long as the Lease lasts has lost the Lease: another controller acts already.
    metrics, watchdog = CollectorRegistry(), Watchdog(DURATION_SECONDS)

    user_agent = f"{USER_AGENT}/{identity}"

    # GitHub and Kube are given the fence before there is a Leadership, which itself needs Kube. Nothing is
    # sent until both exist.
    def fence() -> None:
        leadership.check()

    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(client_session(proxies=proxies))
        github = GitHub(
            session,
            settings.github,
            private_key,
            settings.agents.known,
            user_agent=user_agent,
            now=now,
            fence=fence,
        )
        kube = await Kube.connect(settings.cluster.kubeconfig, user_agent=user_agent, fence=fence)
        stack.push_async_callback(kube.close)
        leadership = new_leadership(settings, kube, health, identity)
        await _serve(bind, application(health, metrics), stack)
        watchdog.start()
        stack.callback(watchdog.stop)
        leading = Gauge("previewbot_leading", "Whether this controller holds the Lease", registry=metrics)
        leading.set_function(lambda: float(leadership.leading))
        known = (settings, session, proxies, github, kube, leadership, health, metrics)
        parts = Parts(*known, guard_keys, pictures)
        return await until(stop, _work(parts, watchdog))


async def until(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> int:
    """Run `work`, which never ends by itself, until `stop` is set; return the exit code."""
    working = asyncio.ensure_future(work)
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        failed = working.done()
        working.cancel()
        stopping.cancel()
        # Whoever does not heed its cancellation in time is left behind: Kubernetes would kill the process
        # soon, and each pass is made to be cut off anywhere.
        _, late = await asyncio.wait({working, stopping}, timeout=_STOP_SECONDS)
    if failed:
        why = None if working.cancelled() else working.exception()
        log.error("the controller cannot go on", exc_info=why)
        return 1
    log.info("stopped", extra={"late": len(late)})
    return 0


async def _serve(bind: str, app: web.Application, stack: AsyncExitStack) -> None:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SERVER_STOP_SECONDS)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    host, _, port = bind.rpartition(":")
    await web.TCPSite(runner, host.strip("[]") or None, int(port)).start()


async def _work(parts: Parts, watchdog: Watchdog) -> None:
    """Wait for what is needed, follow, and with the first lists in, work whenever we hold the Lease."""
    settings, health = parts.settings, parts.health
    async with asyncio.TaskGroup() as group:
        group.create_task(_tick(watchdog))
        await wait_for_resources(required_resources(settings), parts.kube, health)
        # A controller that only stands by follows everything too. When it gets the Lease its caches are full,
        # and it works at once.
        followed = new_followed(parts)
        if settings.guarded is not None:
            count_unguarded(followed.previews, parts.metrics)
        group.create_task(followed.operator.run())
        watching = informers(settings, parts.kube, health, followed)
        health.missing = "the first lists of Previews, sessions and pods are not in yet"
        for informer in watching:
            group.create_task(informer.run())
        # Not before all first lists are in: with half of the Previews known, the slots that the others hold
        # would look free.
        # A namespace that refuses us (403) is none of the others' business: it is said, and asked on.
        of_previews, *others = watching
        await asyncio.gather(of_previews.synced.wait(), *(each.settled.wait() for each in others))
        # Nor before there was one look at mirrord's operator, whatever came of it: nothing is made that it
        # would never answer.
        await followed.operator.looked.wait()
        health.missing = ""
        log.info("ready", extra={"previews": len(followed.store), "namespaces": settings.cluster.namespaces})
        try:
            while True:
                # In a task of its own: before Python 3.13 a task stays marked as cancelled whose TaskGroup an
                # error ended, and 3.11.2 then takes the next timeout in it for the end of everything.
                await asyncio.create_task(_lead(parts, followed))
        finally:
            # Whoever takes over must not meet us in the middle of something: here nobody acts any more.
            await parts.leadership.release()


async def _lead(parts: Parts, followed: Followed) -> None:
    """Wait for the Lease, and work until it runs out because the API server does not answer.

    Raises LeaseTaken (in a group) if somebody else has it: then this process starts from nothing.
    """
    workers, previews, gateway = followed.workers, followed.previews, followed.gateway
    parts.health.note_progress(LEASE)
    await parts.leadership.acquire()
    log.info("leading", extra={"previews": len(previews())})
    # What was remembered under an earlier Lease may be old: a new reconciler, and one look at everything.
    memory = Memory()
    reconciler = new_reconciler(parts, followed, memory)
    # Before the first pass: a link that its Gateway does not serve must not be shown for a moment.
    await gateway.once(memory.gateway)
    evicts = parts.settings.limits.evict == "idle"
    workers.lead(reconciler.first_in_line, reconciler.giving_way if evicts else None)
    # Whatever happened while nobody led: a session that ended, a time that is up. No event will tell of it
    # again.
    for name in {*(preview.name for preview in previews()), *followed.asked.previews()}:
        workers.queue.add(name)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(parts.leadership.hold())
            for number in range(WORKERS):
                group.create_task(workers.work(reconciler, number))
            group.create_task(list_for_ever(parts, followed, reconciler))
            group.create_task(gateway.run(memory.gateway, previews, workers.queue.add))
    except* LeaseLost as lost:
        if lost.subgroup(LeaseTaken):
            raise
        log.warning("standing by: the Lease was not renewed in time")
    finally:
        workers.lead(None)
        gateway.forget()
        followed.pace.forget()
        # Whoever stands by has no workers. Their silence must not make the process look stalled.
        parts.health.forget("worker", "listing")


async def _tick(watchdog: Watchdog) -> None:
    while True:
        watchdog.tick()
        await asyncio.sleep(_TICK_SECONDS)
