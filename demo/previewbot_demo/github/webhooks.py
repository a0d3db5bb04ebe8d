"""Deliveries, as GitHub makes them: signed, in the background, with 10 s to answer, and sent once.

https://docs.github.com/en/webhooks/webhook-events-and-payloads#delivery-headers
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import aiohttp

Payload = Mapping[str, Any]

_TIMEOUT = aiohttp.ClientTimeout(total=10)
_HOOK_ID = 31337


@dataclass(frozen=True)
class Delivery:
    """A delivery: its id, event, body, and the status answered (None before, 0 if none came), `at` when."""

    id: str
    event: str
    payload: Payload
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    status: int | None = None
    dropped: bool = False
    number: int = 0
    at: datetime | None = None
    seconds: float = 0.0
    again: bool = False


class Webhooks:
    """Sends deliveries to one address, and keeps a record of them."""

    def __init__(
        self, url: str, secret: str, app_id: int, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.url = url
        self._clock = clock
        self.secret = secret.encode()
        self._app_id = app_id
        self._records: dict[str, Delivery] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None
        self._drop_next = 0
        self._drop: Callable[[str, Payload], bool] = lambda event, payload: False

    @property
    def deliveries(self) -> list[Delivery]:
        """All deliveries, oldest first."""
        return list(self._records.values())

    def drop_next(self, number: int) -> None:
        """Lose the next deliveries on their way."""
        self._drop_next = number

    def drop_matching(self, matches: Callable[[str, Payload], bool]) -> None:
        """Lose the deliveries that a function of event and payload picks, from now on."""
        self._drop = matches

    def send(self, event: str, payload: Payload) -> None:
        """Send a delivery in the background; to be called in a running loop."""
        body = json.dumps(payload).encode()
        number = len(self._records) + 1
        delivery = Delivery(str(uuid.uuid4()), event, payload, {}, body, number=number)
        delivery = replace(delivery, headers=self._headers(delivery))
        if self._drop_next > 0 or self._drop(event, payload):
            self._drop_next = max(0, self._drop_next - 1)
            self._records[delivery.id] = replace(delivery, dropped=True)
            return
        self._records[delivery.id] = delivery
        self.redeliver(delivery.id)

    def redeliver(self, delivery_id: str) -> None:
        """Send a recorded delivery (again), with its old id, as a person can in GitHub's settings."""
        known = self._records[delivery_id]
        delivery = replace(known, again=known.at is not None)
        task = asyncio.get_running_loop().create_task(self._deliver(delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settled(self) -> None:
        """Wait until every delivery under way was answered, or was given up."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def close(self) -> None:
        """Give up what is under way, and close the connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _deliver(self, delivery: Delivery) -> None:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=_TIMEOUT)
        began = self._clock()
        try:
            async with self._session.post(self.url, data=delivery.body, headers=delivery.headers) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            status = 0
        seconds = (self._clock() - began).total_seconds()
        self._records[delivery.id] = replace(
            delivery, status=status, dropped=False, at=began, seconds=seconds
        )

    def _headers(self, delivery: Delivery) -> dict[str, str]:
        return {
            "Accept": "*/*",
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/f00ba12",
            "X-GitHub-Delivery": delivery.id,
            "X-GitHub-Event": delivery.event,
            "X-GitHub-Hook-ID": str(_HOOK_ID),
            "X-GitHub-Hook-Installation-Target-ID": str(self._app_id),
            "X-GitHub-Hook-Installation-Target-Type": "integration",
            "X-Hub-Signature": "sha1=" + hmac.new(self.secret, delivery.body, hashlib.sha1).hexdigest(),
            "X-Hub-Signature-256": "sha256="
            + hmac.new(self.secret, delivery.body, hashlib.sha256).hexdigest(),
        }
