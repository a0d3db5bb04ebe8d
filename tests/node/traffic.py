"""Webhooks at a steady pace, as a busy GitHub sends them, and what they were answered with."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import aiohttp

from tests.node.town import PUBLIC_URL, Town

_TIMEOUT = aiohttp.ClientTimeout(total=10)


@dataclass
class Flow:
    """What was answered, by status (0: nothing, or not in 10 s) and by what was going on."""

    answers: dict[str, Counter[int]] = field(default_factory=dict)
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
            counted = flow.answers.setdefault(flow.during, Counter())
            task = asyncio.create_task(_send(session, delivery.body, headers, counted))
            sending.add(task)
            task.add_done_callback(sending.discard)
            number, next_at = number + 1, next_at + 1 / per_second
            await asyncio.sleep(max(0.0, next_at - time.monotonic()))


async def _send(
    session: aiohttp.ClientSession, body: bytes, headers: dict[str, str], counted: Counter[int]
) -> None:
    status = 0
    with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
        async with session.post(f"{PUBLIC_URL}/webhook", data=body, headers=headers) as answer:
            status = answer.status
    counted[status] += 1
