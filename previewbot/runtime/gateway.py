"""Looks at the Gateway now and then, and wakes the previews whose links depend on it when it has changed.

Nothing else would: a Gateway is no child of a Preview, and to watch it takes more rights than to read it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from prometheus_client import CollectorRegistry, Gauge

from previewbot.api import Preview, Why
from previewbot.reconciler.gather.gateway import READ_EVERY, READ_IN_TROUBLE
from previewbot.reconciler.memory import GatewayMemory
from previewbot.reconciler.observation import GatewaySeen
from previewbot.runtime.health import Health

_WHAT = "the Gateway"


Look = Callable[[GatewayMemory], Awaitable[GatewaySeen]]
"""Looks at the Gateway, unless somebody did so within the minute."""


class GatewayWatch:
    """Says of the Gateway that it is in trouble: to `/readyz`, which stays ready, and as a metric.

    One for the process: the metric is registered once.
    """

    def __init__(self, look: Look, metrics: CollectorRegistry, health: Health) -> None:
        self._look, self._health = look, health
        self._trouble = Gauge(
            "previewbot_gateway_trouble",
            "1 while the Gateway of links takes no routes; the log and /readyz say why",
            registry=metrics,
        )

    async def run(
        self, memory: GatewayMemory, previews: Callable[[], Sequence[Preview]], wake: Callable[[str], None]
    ) -> None:
        """Look until cancelled. The first look wakes nobody: whoever leads looks at everything anyway."""
        before = await self.once(memory)
        while True:
            pause = READ_IN_TROUBLE if before.state.trouble else READ_EVERY
            await asyncio.sleep(pause.total_seconds())
            seen = await self.once(memory)
            if seen != before:
                for preview in previews():
                    link = preview.status.link
                    if link.kind is not None or link.reason is not None:
                        wake(preview.name)
            before = seen

    def forget(self) -> None:
        """Say nothing more of it: who stands by looks at no Gateway, and what was seen grows old."""
        self._trouble.set(0.0)
        self._health.note(_WHAT, "")

    async def once(self, memory: GatewayMemory) -> GatewaySeen:
        """Look once, and say how it is."""
        seen = await self._look(memory)
        self._trouble.set(float(bool(seen.state.trouble)))
        trouble = seen.state.trouble
        self._health.note(_WHAT, f"links do not work: {trouble}" if trouble else "")
        return seen


def count_unguarded(previews: Callable[[], Sequence[Preview]], metrics: CollectorRegistry) -> None:
    """Count as a metric the previews that a stranger got into, where the guard was to refuse them."""
    missing = Gauge(
        "previewbot_guard_missing",
        "Previews at which a stranger was not refused by the guard when they were asked last",
        registry=metrics,
    )
    missing.set_function(lambda: float(sum(each.status.link.why is Why.UNGUARDED for each in previews())))
