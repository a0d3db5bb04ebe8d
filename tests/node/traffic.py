"""Webhooks at a steady pace, as a busy GitHub sends them, and what they were answered with."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import aiohttp

from tests.node.town import PUBLIC_URL, Town

_TIMEOUT = aiohttp.ClientTimeout(total=10)

_MOST_AT_ONCE = 60
"""How many deliveries are on their way at most: what three seconds bring.

A machine that is too slow for the pace, as it builds or tests something else, gets a slower one. Else more
and more would wait, each would be given up after its 10 s, and web would go on with those that nobody waits
for. So many that those which hang at a dead pod do not keep all others back.
"""


@dataclass
class Flow:
    """What was answered, by status (0: nothing, or not in 10 s) and by what was going on; and why nothing."""

    answers: dict[str, Counter[int]] = field(default_factory=dict)
    unanswered: Counter[str] = field(default_factory=Counter)
    during: str = "nothing"

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Count what is sent meanwhile under a name; a little of before and after included."""
        self.during = name
        yield
        self.during = "nothing"

    def sent(self, phase: str) -> int:
        """Return how many deliveries of a phase were answered, or given up."""
        return sum(self.answers.get(phase, Counter()).values())

    def lost(self, phase: str) -> int:
        """Return how many deliveries of a phase were answered with anything but 2xx."""
        counted = self.answers.get(phase, Counter())
        return sum(number for status, number in counted.items() if not 200 <= status < 300)

    def lines(self) -> list[tuple[str, str]]:
        """Say for people what was going on, and what came of it."""
        return [
            (phase, f"{self.sent(phase)} deliveries, {self.lost(phase)} not 2xx {dict(counted)}")
            for phase, counted in self.answers.items()
        ]


@contextmanager
def flowing(town: Town, per_second: int) -> Iterator[Flow]:
    """Send the latest delivery about each pull request again and again, each time as a new one."""
    flow = Flow()
    task = asyncio.run_coroutine_threadsafe(_flow(town, flow, per_second), town.loop)
    try:
        yield flow
    finally:
        task.cancel()


async def _flow(town: Town, flow: Flow, per_second: int) -> None:
    sending: set[asyncio.Task[None]] = set()
    number, next_at = 0, time.monotonic()
    async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
        while True:
            latest = {
                d.payload["number"]: d for d in town.github.webhooks.deliveries if d.event == "pull_request"
            }
            delivery = list(latest.values())[number % len(latest)]
            headers = {**delivery.headers, "X-GitHub-Delivery": str(uuid.uuid4())}
            task = asyncio.create_task(_send(session, delivery.body, headers, flow))
            sending.add(task)
            task.add_done_callback(sending.discard)
            number, next_at = number + 1, max(next_at + 1 / per_second, time.monotonic())
            await asyncio.sleep(next_at - time.monotonic())
            while len(sending) >= _MOST_AT_ONCE:
                await asyncio.wait(sending, return_when=asyncio.FIRST_COMPLETED)


async def _send(session: aiohttp.ClientSession, body: bytes, headers: dict[str, str], flow: Flow) -> None:
    counted = flow.answers.setdefault(flow.during, Counter())
    status = 0
    try:
        async with session.post(f"{PUBLIC_URL}/webhook", data=body, headers=headers) as answer:
            status = answer.status
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        flow.unanswered[f"{flow.during}: {type(error).__name__}"] += 1
    counted[status] += 1
