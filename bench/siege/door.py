"""Attacks at the door: what `previewbot web` takes, and whether it still answers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from bench.siege.attackers import Attack, besieging
from bench.siege.gauges import Times, deliver, forget_peak, measured, peak, probe
from previewbot_demo.world import Options, World

MIB = 1024 * 1024

ATTACKS = (
    Attack("nobody", 0),
    Attack("32 unsigned bodies of 25 MB", 32, 25 * MIB, 25 * MIB),
    Attack("64 unsigned bodies of 25 MB", 64, 25 * MIB, 25 * MIB),
    Attack("32 wrongly signed bodies of 2 MiB", 32, 2 * MIB, 2 * MIB, signed=True),
    Attack("64 wrongly signed bodies of 2 MiB", 64, 2 * MIB, 2 * MIB, signed=True),
    Attack("64 wrongly signed halves of 2 MiB", 64, 2 * MIB, MIB, signed=True, again=2),
    Attack("40 half bodies, unsigned", 40, 1_000, 500, again=2),
    Attack("400 half bodies, wrongly signed", 400, 1_000, 500, signed=True, again=2),
    Attack("986 idle connections", 986, again=2),
    Attack("2,000 idle connections", 2_000, again=2),
    Attack("10,000 idle connections", 10_000, again=2),
)

_SECONDS = 25.0
_SETTLE_SECONDS = 2.0


@dataclass(frozen=True)
class Figures:
    """What came of one attack: MiB, and the answers meanwhile."""

    attack: str
    memory: float
    probes: Times
    deliveries: Times

    def line(self) -> str:
        """Return the row of the table."""
        return f"{self.attack:36} {self.memory:5.0f} MiB   {self.probes.line()}   {self.deliveries.line()}"


HEADER = f"{'at the door':36} {'peak':>9}   {'/healthz, worst':>24}   {'deliveries at 20/s, worst':>24}"


async def measure(attack: Attack) -> Figures:
    """Start `previewbot web` alone, besiege it, and measure."""
    async with World(Options(processes=False)) as world:
        await world.bot.start_web()
        try:
            return await _measure(attack, world)
        finally:
            await world.bot.stop_web()


async def _measure(attack: Attack, world: World) -> Figures:
    web, secret = world.bot.web, world.directory / "webhook-secret"
    assert web is not None
    forget_peak(web)
    with besieging(attack, web.port):
        await asyncio.sleep(_SETTLE_SECONDS)
        async with (
            measured(0.5, probe(f"{web.probe_url}/healthz")) as probes,
            measured(0.05, deliver(f"{web.url}/webhook", secret.read_text("utf-8"))) as deliveries,
        ):
            await asyncio.sleep(_SECONDS)
    return Figures(attack.name, peak(web), probes, deliveries)
