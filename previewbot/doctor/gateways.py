"""Waits for what becomes of a route that was just made: what the Gateway says of it, and what it does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from previewbot.clients.kubernetes.client import Kube
from previewbot.config.server import GatewaySettings
from previewbot.engine.route_answers import RouteAnswer, Verdict, route_answer
from previewbot.engine.routes import ROUTES

LOOK_AGAIN_SECONDS = 0.5

T = TypeVar("T")


async def last_look(
    look: Callable[[], Awaitable[T]],
    enough: Callable[[T], bool],
    clock: Callable[[], float],
    seconds: float,
    again: float = LOOK_AGAIN_SECONDS,
) -> T:
    """Look until it is enough, though not for longer than `seconds`; return what was seen last."""
    deadline = clock() + seconds
    while True:
        seen = await look()
        if enough(seen) or clock() >= deadline:
            return seen
        await asyncio.sleep(again)


async def said_of_route(
    kube: Kube, namespace: str, name: str, gateway: GatewaySettings, controller: str
) -> RouteAnswer:
    """Return what the Gateway, whose `controller` may be known, says of a route now."""
    found = await kube.get_child(ROUTES, namespace, name)
    return route_answer(found, gateway, controller) if found else RouteAnswer(Verdict.SILENT)


def decides(answer: RouteAnswer) -> bool:
    """Return whether the Gateway has said something of the route as it is."""
    return answer.verdict in (Verdict.ACCEPTED, Verdict.REFUSED)
