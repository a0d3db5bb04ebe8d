"""Commands of people without rights: what they cost, and whether a writer is still obeyed."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from previewbot_demo.faults import Call
from previewbot_demo.github.model import Account, Comment
from previewbot_demo.tasks import ALICE, COPILOT
from previewbot_demo.world import REPOSITORY, Options, World

_PATIENCE_SECONDS = 120.0
_CALM_SECONDS = 5.0
_KINDS = (
    ("lookups", re.compile(r"GET .*/collaborators/[^/]+/permission")),
    ("reactions", re.compile(r"POST .*/reactions")),
    ("comments", re.compile(r"POST .*/issues/\d+/comments")),
    ("others", re.compile(r".*")),
)


@dataclass(frozen=True)
class Attack:
    """So many commands of so many strangers, of which GitHub tells; or they lie there `unread`."""

    name: str
    number: int
    strangers: int = 1
    unread: bool = False


@dataclass(frozen=True)
class Figures:
    """The calls that they cost, and after how many seconds a writer's `/preview stop` was obeyed."""

    attack: str
    calls: Counter[str]
    stopped: float | None

    def line(self) -> str:
        """Return the row of the table."""
        counts = "  ".join(f"{self.calls[name]:9}" for name, _ in _KINDS)
        stopped = "not in 120 s" if self.stopped is None else f"{self.stopped:10.1f} s"
        return f"{self.attack:44}  {counts}  {stopped}"


HEADER = f"{'commands':44}  {'  '.join(f'{name:>9}' for name, _ in _KINDS)}  {'stop obeyed':>12}"

ATTACKS = (
    Attack("nobody's", 0),
    Attack("200 × `/preview help` of one stranger", 200),
    Attack("600 unread commands of one stranger", 600, unread=True),
    Attack("600 unread commands of 600 strangers", 600, strangers=600, unread=True),
    Attack("5,000 unread commands of 600 strangers", 5_000, strangers=600, unread=True),
)


async def measure(attack: Attack) -> Figures:
    """Let a preview run, let strangers write, and have a writer stop it."""
    async with World(Options(build_seconds=0)) as world:
        files = {"services/web/NOTE": b"x"}
        pull = world.github.open_pull_request(REPOSITORY, COPILOT, "copilot/siege", files, "A siege")
        if await _until(lambda: _phase(world) == "Ready") is None:
            raise SystemExit("the preview does not become ready")
        calls: Counter[str] = Counter()
        last = [time.monotonic()]

        async def count(call: Call) -> None:
            if call.server == "github":
                line = f"{call.method} {call.path}"
                calls[next(name for name, pattern in _KINDS if pattern.fullmatch(line))] += 1
                last[0] = time.monotonic()

        world.faults.before = count
        _write(world, pull, attack)
        if not attack.unread:
            await _until(lambda: time.monotonic() - last[0] > _CALM_SECONDS)
        world.github.comment(pull, ALICE, "/preview stop")
        stopped = await _until(lambda: _phase(world) == "Stopped")
        return Figures(attack.name, calls, stopped)


def _write(world: World, pull: int, attack: Attack) -> None:
    strangers = [Account(4_000_000 + each, f"mallory-{each}") for each in range(attack.strangers)]
    if not attack.unread:
        for number in range(attack.number):
            world.github.comment(pull, strangers[number % len(strangers)], "/preview help")
        return
    store, key = world.github.store, world.github.pull_request(pull).key
    now = store.now()
    new = [
        Comment(store.next_id(), *key, strangers[n % len(strangers)], "/preview help", now, now)
        for n in range(attack.number)
    ]
    state = store.state
    users = {**state.users, **{each.login: each for each in strangers}}
    comments = {**state.comments, **{each.id: each for each in new}}
    store.change(replace(state, users=users, comments=comments))


def _phase(world: World) -> str:
    previews = world.kube.objects("previews")
    return next((str((preview.get("status") or {}).get("phase")) for preview in previews), "")


async def _until(done: Callable[[], bool]) -> float | None:
    """Wait until it is done; return after how many seconds, or None if it never was."""
    began = time.monotonic()
    while time.monotonic() - began < _PATIENCE_SECONDS:
        if done():
            return time.monotonic() - began
        await asyncio.sleep(0.1)
    return None
