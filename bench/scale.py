"""How previewbot's controller does with many previews, on a real API server.

    python -m bench.scale [100 300 1000]

Prints per number of previews: the time from nothing to all of them Ready and commented on; the time from a
restart until each was looked at once; memory and CPU of the controller; requests per preview.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

from bench.crowd import NAMESPACE, Crowd
from previewbot_demo.kubeapi import KubeApi
from previewbot_demo.processes import Process
from tests.support.control_plane import ControlPlane

_IDLE_SECONDS = 20.0
_PATIENCE_SECONDS = 600.0
_DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "spec": {
        "replicas": 0,
        "selector": {"matchLabels": {"app": "x"}},
        "template": {
            "metadata": {"labels": {"app": "x"}},
            "spec": {"containers": [{"name": "app", "image": "x"}]},
        },
    },
}


@dataclass(frozen=True)
class Figures:
    """What was measured for one number of previews; seconds, megabytes, shares of a core, requests each.

    `busy` is the controller's own CPU time for each preview made, in milliseconds.
    """

    previews: int
    from_nothing: float
    busy: float
    restart: float
    memory: float
    idle: float
    kubernetes: float
    github: float


async def measure(number: int) -> Figures:
    """Bring up this many previews on a control plane of their own, and measure."""
    with tempfile.TemporaryDirectory(prefix="previewbot-bench-") as name:
        directory = Path(name)
        plane = ControlPlane(directory)
        plane.start()
        try:
            return await _measure(number, plane, directory)
        finally:
            plane.stop()


async def _measure(number: int, plane: ControlPlane, directory: Path) -> Figures:
    plane.make_namespace(NAMESPACE)
    for name in ("web", "api"):
        plane.apply({**_DEPLOYMENT, "metadata": {"name": name, "namespace": NAMESPACE}})
    api = _direct(plane)
    crowd = Crowd(directory, api)
    (directory / "controller.kubeconfig").write_bytes(plane.kubeconfig().read_bytes())
    crowd.fill(number)
    async with crowd.open():
        from_nothing = await _timed(
            crowd, lambda: _all_ready(crowd, number), f"{number} previews from nothing"
        )
        assert crowd.bot.controller is not None
        busy = _cpu(crowd.bot.controller)
        github, kubernetes = sum(crowd.calls.values()), _requests(plane)
        idle = await _idle(crowd.bot.controller)
        await crowd.bot.kill_controller()
        crowd.pulls_read.clear()
        restart = await _timed(crowd, lambda: _all_read(crowd, number), f"{number} previews after a restart")
        assert crowd.bot.controller is not None
        memory = _memory(crowd.bot.controller)
    await api.close()
    calls = (kubernetes / number, github / number)
    return Figures(number, from_nothing, busy / number * 1e3, restart, memory, idle, *calls)


async def _timed(crowd: Crowd, done: Callable[[], tuple[int, bool]], what: str) -> float:
    """Start the controller and wait until it is done, with its progress on one line."""
    began = time.monotonic()
    await crowd.bot.start_controller()
    while True:
        count, finished = done()
        seconds = time.monotonic() - began
        print(f"\r  {what}: {count} after {seconds:5.1f} s", end="", file=sys.stderr, flush=True)
        if finished:
            print(file=sys.stderr)
            return seconds
        if seconds > _PATIENCE_SECONDS:
            raise SystemExit(f"\n{what}: not done after {_PATIENCE_SECONDS:.0f} s")
        await asyncio.sleep(0.25)


def _all_ready(crowd: Crowd, number: int) -> tuple[int, bool]:
    ready = crowd.ready()
    return ready, ready >= number


def _all_read(crowd: Crowd, number: int) -> tuple[int, bool]:
    """A Preview is read once after a restart; with each look the pull request itself is read."""
    seen = len(crowd.pulls_read)
    return seen, seen >= number


async def _idle(controller: Process) -> float:
    """Return the share of a core that the controller takes when nothing happens."""
    await asyncio.sleep(5)
    before, began = _cpu(controller), time.monotonic()
    await asyncio.sleep(_IDLE_SECONDS)
    return (_cpu(controller) - before) / (time.monotonic() - began)


def _cpu(process: Process) -> float:
    fields = Path(f"/proc/{process.child.pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(process: Process) -> float:
    lines = Path(f"/proc/{process.child.pid}/status").read_text("utf-8").splitlines()
    kilobytes = next(line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(kilobytes) / 1024


def _requests(plane: ControlPlane) -> int:
    return sum(request.agent.startswith("previewbot-controller") for request in plane.requests())


def _direct(plane: ControlPlane) -> KubeApi:
    user = yaml.safe_load(plane.kubeconfig().read_text("utf-8"))["users"][0]["user"]
    return KubeApi(plane.url, "operator", user["token"], authority=plane.authority)


async def main(numbers: list[int]) -> None:
    """Measure each number and print the table."""
    figures = [await measure(number) for number in numbers]
    print("previews  from nothing  CPU  restart  memory  idle CPU  Kubernetes calls  GitHub calls (each)")
    for f in figures:
        print(
            f"{f.previews:8}  {f.from_nothing:10.1f} s  {f.busy:2.0f} ms  {f.restart:5.1f} s"
            f"  {f.memory:4.0f} MB  {f.idle:7.2%}  {f.kubernetes:16.1f}  {f.github:12.1f}"
        )


if __name__ == "__main__":
    asyncio.run(main([int(argument) for argument in sys.argv[1:]] or [100, 300, 1000]))
