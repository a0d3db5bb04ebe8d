"""`previewbot` in a world, as somebody with the world's kubeconfig types it."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.forked import run_forked
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
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "previewbot",
        *arguments,
        env=_environment(town) | variables,
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
    """Run a command to its end, in a process that has imported what it needs already."""
    done = await asyncio.to_thread(run_forked, arguments, _environment(town) | variables, PATIENCE)
    return Ended(done.returncode, done.stdout, done.stderr)


def _environment(town: Scene) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREVIEWBOT_")}
    kubeconfig = str(town.world.bot.directory / "controller.kubeconfig")
    return kept | {"PYTHONPATH": str(Path(__file__).parents[2]), "PREVIEWBOT_CLUSTER__KUBECONFIG": kubeconfig}
