"""A message broker for the demo's shop, declared as SQS: queues, and messages that are split off them.

    POST   /queues/<name>             {"body": …, "attributes": {"baggage": "…"}}: sends a message
    GET    /queues/<name>?wait=10     receives one, within so many seconds (204: there was none)
    DELETE /queues/<name>/<id>        says that it is done; otherwise it comes again

While mirrord splits a queue, a message whose attributes match goes to the queue of that session, and all
others to staging's
(https://metalbear.com/mirrord/docs/sharing-the-cluster/queue-splitting).
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from aiohttp import web

_COMES_AGAIN = 10.0
"""Seconds after which a message is given to the next, if nobody says that it is done."""

_MOST_TIMES = 5
"""How often a message is given out: one that nobody can handle must not come for ever."""

_MOST_WAIT = 20.0


@dataclass
class Message:
    """A message: what it says, and its attributes; `given` is how often it was given out."""

    id: str
    body: Any
    attributes: Mapping[str, str]
    given: int = 0

    def told(self) -> dict[str, Any]:
        """Return it as whoever receives it reads it."""
        return {"id": self.id, "body": self.body, "attributes": dict(self.attributes)}


@dataclass(frozen=True)
class Split:
    """Of `queue` the messages whose attributes match all `patterns` go to `into`.

    With `mirror` they go to staging's too. Without any pattern there is nothing that matches.
    """

    queue: str
    into: str
    patterns: Mapping[str, str]
    mirror: bool = False

    def takes(self, attributes: Mapping[str, str]) -> bool:
        """Say whether a message with these attributes is one of them."""
        return bool(self.patterns) and all(
            re.search(pattern, attributes.get(name, "")) is not None and name in attributes
            for name, pattern in self.patterns.items()
        )


@dataclass
class _Queue:
    """What waits, in order; who waits for it is told when there is more."""

    messages: list[Message] = field(default_factory=list)
    more: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, message: Message) -> None:
        self.messages.append(message)
        self.more.set()


class Broker:
    """The queues, by name; one is there as soon as somebody names it."""

    def __init__(self) -> None:
        self._queues: dict[str, _Queue] = defaultdict(_Queue)
        self._given: dict[tuple[str, str], asyncio.TimerHandle] = {}
        self._splits: list[Split] = []
        self._numbers = count(1)

    def send(self, queue: str, body: Any, attributes: Mapping[str, str]) -> None:
        """Send a message to whoever it is for: of two splits that match, the older one has it."""
        for split in self._splits:
            if split.queue == queue and split.takes(attributes):
                self._put(split.into, body, attributes)
                if not split.mirror:
                    return
        self._put(queue, body, attributes)

    def split(self, split: Split) -> None:
        """Split a queue from now on; what waits already stays where it is."""
        self._splits.append(split)

    def end(self, into: str) -> None:
        """End what was split into a queue; what nobody took from there goes back to staging's."""
        ended = [split for split in self._splits if split.into == into]
        self._splits = [split for split in self._splits if split.into != into]
        left = self._queues.pop(into, _Queue()).messages
        for split in ended:
            # Of mirrored ones staging has had its own.
            for message in () if split.mirror else left:
                self.send(split.queue, message.body, message.attributes)

    async def receive(self, queue: str, wait: float) -> Message | None:
        """Return the next message of a queue; None if there is none within so many seconds."""
        try:
            async with asyncio.timeout(min(wait, _MOST_WAIT)):
                while not self._queues[queue].messages:
                    self._queues[queue].more.clear()
                    await self._queues[queue].more.wait()
        except TimeoutError:
            return None
        message = self._queues[queue].messages.pop(0)
        message.given += 1
        again = asyncio.get_running_loop().call_later(_COMES_AGAIN, self._again, queue, message)
        self._given[(queue, message.id)] = again
        return message

    def done(self, queue: str, message: str) -> bool:
        """Note that a message is done; return whether it was given out."""
        again = self._given.pop((queue, message), None)
        if again is not None:
            again.cancel()
        return again is not None

    def close(self) -> None:
        """Forget what comes again."""
        for again in self._given.values():
            again.cancel()
        self._given.clear()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request of a service's."""
        parts = request.path.strip("/").split("/")
        if parts[0] != "queues" or len(parts) not in (2, 3):
            return web.Response(status=404, text="there is no such queue\n")
        if len(parts) == 3:
            found = request.method == "DELETE" and self.done(parts[1], parts[2])
            return web.Response(status=204 if found else 404)
        if request.method == "GET":
            message = await self.receive(parts[1], float(request.query.get("wait", "0")))
            return web.json_response(message.told()) if message else web.Response(status=204)
        try:
            given = json.loads(await request.read())
            self.send(parts[1], given["body"], given["attributes"])
        except (ValueError, KeyError, TypeError) as error:
            return web.Response(status=400, text=f"that is no message: {error}\n")
        return web.Response(status=202)

    def _put(self, queue: str, body: Any, attributes: Mapping[str, str]) -> None:
        self._queues[queue].put(Message(str(next(self._numbers)), body, attributes))

    def _again(self, queue: str, message: Message) -> None:
        self._given.pop((queue, message.id), None)
        if message.given < _MOST_TIMES:
            self._queues[queue].put(message)
