"""Looks at the Gateway that links go through: seldom, and once for all previews."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from previewbot.api import Resource
from previewbot.config.server import GatewaySettings
from previewbot.engine.gateway_state import (
    GATEWAY_CLASSES,
    GATEWAYS,
    UNREAD,
    GatewayState,
    Stands,
    gateway_state,
)
from previewbot.errors import Forbidden, RemoteError
from previewbot.reconciler.memory import GatewayMemory
from previewbot.reconciler.observation import GatewaySeen

Object = Mapping[str, Any]

READ_EVERY = timedelta(seconds=60)
READ_IN_TROUBLE = timedelta(seconds=15)
"""How old what is known of the Gateway may be; somebody may be mending one that is in trouble."""

log = logging.getLogger(__name__)


class Reads(Protocol):
    """What reads an object of the cluster."""

    async def get_child(self, resource: Resource, namespace: str | None, name: str) -> Object | None:
        """Return an object, or None; raises RemoteError."""


async def look_at_gateway(
    kube: Reads, gateway: GatewaySettings | None, memory: GatewayMemory, now: datetime
) -> GatewaySeen:
    """Return how the Gateway of the settings stands, from a look that is a minute old at most.

    It raises nothing: a Gateway that cannot be read is unknown, and then only what is said of routes counts.
    """
    every = READ_IN_TROUBLE if memory.seen.state.trouble else READ_EVERY
    if gateway is None or (memory.read_at is not None and now - memory.read_at < every):
        return memory.seen
    # Passes that begin while this look is under way go by the one before.
    memory.read_at = now
    state = await read_gateway(kube, gateway, memory.seen.state)
    if state != memory.seen.state:
        _say(gateway, memory.seen.state, state)
        memory.seen = GatewaySeen(state, now)
    return memory.seen


async def read_gateway(kube: Reads, gateway: GatewaySettings, before: GatewayState = UNREAD) -> GatewayState:
    """Return how a Gateway stands now; as `before` if nobody answers, UNREAD if it may not be read."""
    try:
        found = await kube.get_child(GATEWAYS, gateway.namespace, gateway.name)
        name = str(((found or {}).get("spec") or {}).get("gatewayClassName") or "")
        gateway_class = await _read_class(kube, name) if name else None
    except Forbidden:
        return UNREAD
    except RemoteError:
        # An API server that is away for a moment has changed nothing about the Gateway, nor about what its
        # class can do, by which every route is made.
        return before
    return gateway_state(found, gateway_class, gateway)


async def _read_class(kube: Reads, name: str) -> Object | None:
    """Return the class of a Gateway, None if there is none or it may not be read; raises RemoteError."""
    try:
        return await kube.get_child(GATEWAY_CLASSES, None, name)
    except Forbidden:
        log.debug("the class of the Gateway may not be read", extra={"class": name})
        return None


def _say(gateway: GatewaySettings, before: GatewayState, state: GatewayState) -> None:
    """Say once that the Gateway is in trouble, and once that it is not any more."""
    extra = {"gateway": f"{gateway.namespace}/{gateway.name}"}
    if state.trouble and state.trouble != before.trouble:
        log.warning("links do not work: the Gateway", extra={**extra, "why": state.trouble})
    elif before.trouble and not state.trouble:
        log.info("the Gateway takes routes again", extra=extra)
    elif state.stands is Stands.UNKNOWN:
        log.info("the Gateway may not be read: only what it says of routes counts", extra=extra)
