"""Words without end: what a conversation, commits and files of a stranger's cost the controller."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from bench.siege.gauges import Times, forget_peak, peak, probed_from_outside
from previewbot_demo.faults import Call
from previewbot_demo.github.model import Account, Comment, Commit
from previewbot_demo.tasks import COPILOT
from previewbot_demo.world import REPOSITORY, Options, World

STRANGER = Account(4_000_001, "mallory")
_COPILOT = Account(COPILOT.id, COPILOT.login, COPILOT.type)
_LONGEST_COMMENT = 65_536
_MEGABYTE = 1_000_000
_PATIENCE_SECONDS = 120.0
_CALM_SECONDS = 3.0


@dataclass(frozen=True)
class Figures:
    """What came of it: MiB, the longest wait for an answer of the loop, GitHub calls, seconds."""

    attack: str
    memory: float
    probes: Times
    calls: int
    seconds: float

    def line(self) -> str:
        """Return the row of the table."""
        return (
            f"{self.attack:36} {self.memory:5.0f} MiB   {self.probes.worst * 1000:6.0f} ms"
            f"   {self.calls:5}   {self.seconds:5.1f} s"
        )


HEADER = f"{'words':36} {'peak':>9}   {'/healthz':>9}   {'calls':>5}   {'until calm':>7}"


def comments(number: int, character: str) -> Callable[[World, int], None]:
    """Return what fills a conversation with so many of the longest comments."""

    def fill(world: World, pull: int) -> None:
        body, store = character * _LONGEST_COMMENT, world.github.store
        key = world.github.pull_request(pull).key
        now = store.now()
        new = [Comment(store.next_id(), *key, STRANGER, body, now, now) for _ in range(number)]
        state = store.state
        store.change(replace(state, comments={**state.comments, **{each.id: each for each in new}}))

    return fill


def commits(number: int) -> Callable[[World, int], None]:
    """Return what gives a pull request so many commits with messages of a megabyte."""

    def fill(world: World, pull: int) -> None:
        store, found = world.github.store, world.github.pull_request(pull)
        state, message = store.state, "x" * _MEGABYTE
        head = state.commits[found.head_sha]
        new = [_commit(head, found.author, message, each) for each in range(number)]
        everything = {**state.commits, **{commit.sha: commit for commit in new}}
        shas = (*(commit.sha for commit in new), *found.commits)
        store.change(replace(state, commits=everything).with_pull(replace(found, commits=shas)))

    return fill


def _commit(head: Commit, author: Account, message: str, number: int) -> Commit:
    sha = hashlib.sha1(str(number).encode(), usedforsecurity=False).hexdigest()
    return replace(head, sha=sha, message=message, author=author)


def nothing(world: World, pull: int) -> None:
    """Leave everything as it is."""


@dataclass(frozen=True)
class Attack:
    """What somebody who opened a pull request fills it with; `author` and `branch` are the pull request's."""

    name: str
    fill: Callable[[World, int], None]
    files: int = 1
    author: Account = _COPILOT
    branch: str = "copilot/siege"


ATTACKS = (
    Attack("nothing", nothing),
    Attack("1,000 comments of 65,536 letters", comments(1_000, "x")),
    Attack("5,000 comments of 65,536 letters", comments(5_000, "x")),
    Attack("1,000 comments of 65,536 emoji", comments(1_000, "\N{PILE OF POO}")),
    Attack("250 commit messages of 1 MB", commits(250), author=STRANGER, branch="fix"),
    Attack("3,000 files with patches of 100 KB", nothing, files=3_000),
)


async def measure(attack: Attack) -> Figures:
    """Let it be read by a controller that sees the pull request for the first time."""
    async with World(Options(processes=False, build_seconds=0)) as world:
        patch = b"x" * 99_000 if attack.files > 1 else b"x"
        files = {f"services/web/{number}.txt": patch for number in range(attack.files)}
        pull = world.github.open_pull_request(REPOSITORY, attack.author, attack.branch, files, "A siege")
        attack.fill(world, pull)
        calls: list[float] = []

        async def count(call: Call) -> None:
            # What is asked again every few seconds, an image that is not there, is no part of the look.
            if call.server == "github":
                calls.append(time.monotonic())

        world.faults.before = count
        began = time.monotonic()
        await world.bot.start()
        try:
            return await _measure(attack, world, calls, began)
        finally:
            await world.bot.stop()


async def _measure(attack: Attack, world: World, calls: list[float], began: float) -> Figures:
    controller = world.bot.controller
    assert controller is not None
    forget_peak(controller)
    async with probed_from_outside(0.02, f"{controller.url}/healthz") as probes:
        await _until_calm(began, calls)
    return Figures(attack.name, peak(controller), probes, len(calls), calls[-1] - began)


async def _until_calm(began: float, calls: list[float]) -> None:
    """Wait until the controller has asked nothing for some seconds."""
    while time.monotonic() - began < _PATIENCE_SECONDS:
        await asyncio.sleep(0.2)
        if calls and time.monotonic() - calls[-1] > _CALM_SECONDS:
            return
