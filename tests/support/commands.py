"""`previewbot` in a world, as somebody with the world's kubeconfig types it."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.worlds import Scene

PATIENCE = 90.0


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str


async def started(town: Scene, *arguments: str, **variables: str) -> asyncio.subprocess.Process:
    """Start a command, with these variables besides those of this process that are not previewbot's."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PREVIEWBOT_")}
    kubeconfig = str(town.world.bot.directory / "controller.kubeconfig")
    root = str(Path(__file__).parents[2])
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "previewbot",
        *arguments,
        env=kept | {"PYTHONPATH": root, "PREVIEWBOT_CLUSTER__KUBECONFIG": kubeconfig} | variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def ended(process: asyncio.subprocess.Process) -> Ended:
    """Wait for the end of a command."""
    async with asyncio.timeout(PATIENCE):
        out, err = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


async def run(town: Scene, *arguments: str, **variables: str) -> Ended:
    """Run a command to its end."""
    return await ended(await started(town, *arguments, **variables))
