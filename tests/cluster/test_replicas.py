"""Two controllers, one Lease, a real API server: whatever happens to one of them, the other goes on, once."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

import aiohttp
import pytest
from aiohttp import web

from previewbot_demo.browser import Browser
from previewbot_demo.demo_tour import browser_of
from previewbot_demo.faults import Call
from previewbot_demo.ports import free_port
from previewbot_demo.processes import Process
from previewbot_demo.world import Options, World
from tests.support.control_plane import ControlPlane
from tests.support.crashes import live_on, opened

TAKEOVER_SECONDS = 15.0
"""What we promise; waited for generously, measured strictly."""


@dataclass
class Replicas:
    """A world with two controllers, `a`, which leads, and `b`."""

    world: World
    browser: Browser
    a: Process
    b: Process

    def holder(self) -> str:
        # The Lease in which web asks for a listing has no holder.
        return "".join(lease["spec"].get("holderIdentity", "") for lease in self.world.kube.objects("leases"))

    async def taken_over(self) -> float:
        """Wait until `b` leads; return how long that took in seconds."""
        began = time.monotonic()
        await until(lambda: self.holder() == "b", 4 * TAKEOVER_SECONDS, "b leads")
        return time.monotonic() - began

    def signal(self, process: Process, number: signal.Signals) -> None:
        os.kill(process.child.pid, number)


async def until(so: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < deadline, f"not in {seconds:.0f} s: {what}"
        await asyncio.sleep(0.05)


@pytest.fixture
async def replicas(control_plane: ControlPlane) -> AsyncIterator[Replicas]:
    options = Options(
        kubeconfig=control_plane.kubeconfig(), namespace="replicas", build_seconds=0.3, processes=False
    )
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(World(options))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        stack.push_async_callback(world.bot.stop_web)
        await world.bot.start_web()
        a = await world.bot.start_replica("a", free_port())
        stack.push_async_callback(a.kill)
        replicas = Replicas(world, browser_of(world, session), a, a)
        await until(lambda: replicas.holder() == "a", 20, "a leads")
        replicas.b = await world.bot.start_replica("b", free_port())
        stack.push_async_callback(replicas.b.kill)
        yield replicas


async def killed(replicas: Replicas) -> None:
    replicas.signal(replicas.a, signal.SIGKILL)


async def asked_to_end(replicas: Replicas) -> None:
    replicas.signal(replicas.a, signal.SIGTERM)


async def frozen(replicas: Replicas) -> None:
    replicas.signal(replicas.a, signal.SIGSTOP)


async def cut_off(replicas: Replicas) -> None:
    async def silence(call: Call) -> web.StreamResponse | None:
        if call.server == "kube" and call.agent.endswith("/a"):
            await asyncio.sleep(3600)
        return None

    replicas.world.faults.before = silence


@pytest.mark.parametrize("fault", [killed, asked_to_end, frozen, cut_off], ids=lambda f: f.__name__)
async def test_the_other_takes_over_in_the_middle_of_a_preview(
    replicas: Replicas, fault: Callable[[Replicas], Awaitable[None]]
) -> None:
    number = await opened(replicas.browser)
    assert replicas.holder() == "a"

    await fault(replicas)
    seconds = await replicas.taken_over()

    assert seconds < (5 if fault is asked_to_end else TAKEOVER_SECONDS)
    if fault is frozen:
        replicas.signal(replicas.a, signal.SIGCONT)
    seen = await live_on(replicas.browser, number)
    assert [by_app for by_app, _, _ in seen.conversation] == [True, False, True, False, True]
    assert replicas.holder() == "b"


async def test_a_leader_that_is_frozen_in_the_middle_of_an_action_does_nothing_when_it_wakes_up(
    replicas: Replicas,
) -> None:
    """It freezes with its request on the way: the request counts, and nothing after it."""
    calls: list[str] = []
    late: list[str] = []

    async def freeze(call: Call) -> web.StreamResponse | None:
        ours = call.changes and call.agent.endswith("/a")
        if ours and replicas.holder() == "b":
            late.append(f"{call.method} {call.path}")
        if ours and call.server == "github" and call.path.endswith("/comments") and not calls:
            calls.append(call.path)
            replicas.signal(replicas.a, signal.SIGSTOP)
        return None

    replicas.world.faults.before = freeze
    opening = asyncio.create_task(opened(replicas.browser))
    await until(lambda: bool(calls), 30, "a writes the comment")
    await replicas.taken_over()
    replicas.signal(replicas.a, signal.SIGCONT)

    seen = await live_on(replicas.browser, await opening)

    assert [by_app for by_app, _, _ in seen.conversation] == [True, False, True, False, True]
    assert [call for call in late if "/leases" not in call] == []
