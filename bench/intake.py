"""How many webhooks a second previewbot takes, each stored in a real API server before its answer.

    python -m bench.intake [SECONDS]

Prints, at 50, 100 and 200 webhooks a second and at saturation, how many were answered 202 and how fast. Each
second one is about a pull request of its own, the others come in bursts about one, as CI sends them.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from previewbot_demo.bot import Bot
from previewbot_demo.ports import free_port
from previewbot_demo.processes import Process
from tests.support.control_plane import ControlPlane

_APP_ID, _REPOSITORY_ID = 4242, 812
_RATES = (50, 100, 200)
_AT_ONCE = 32
_BURST = 8


@dataclass
class Answers:
    """What was answered, and after how many seconds each."""

    codes: dict[int, int] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)

    def add(self, code: int, seconds: float) -> None:
        """Take one answer."""
        self.codes[code] = self.codes.get(code, 0) + 1
        self.seconds.append(seconds)

    def line(self, what: str, duration: float) -> str:
        """Return the line of the table."""
        ordered = sorted(self.seconds)
        p50, p99 = (ordered[int(len(ordered) * share)] * 1000 for share in (0.5, 0.99))
        rate = self.codes.get(202, 0) / duration
        others = {code: count for code, count in self.codes.items() if code != 202}
        return f"{what:>12}  {rate:9.0f}/s  {p50:6.1f} ms  {p99:6.1f} ms  {others or 'none'}"


class Sender:
    """Sends signed webhooks to `previewbot web` and notes the answers."""

    def __init__(self, session: aiohttp.ClientSession, url: str, secret: str) -> None:
        self._session = session
        self._url = url
        self._secret = secret.encode()
        self._sent = 0
        self.answers = Answers()

    async def send(self) -> None:
        """Send the next webhook."""
        self._sent += 1
        number = 1 + self._sent if self._sent % 2 else 1_000_000 + self._sent // _BURST // 2
        body = json.dumps(_payload(number)).encode()
        headers = {
            "Content-Type": "application/json",
            "X-GitHub-Event": "pull_request",
            "X-GitHub-Delivery": f"bench-{self._sent}",
            "X-Hub-Signature-256": "sha256=" + hmac.new(self._secret, body, hashlib.sha256).hexdigest(),
        }
        began = time.monotonic()
        async with self._session.post(self._url, data=body, headers=headers) as answer:
            await answer.read()
        self.answers.add(answer.status, time.monotonic() - began)

    async def at_rate(self, rate: int, seconds: float) -> None:
        """Send this many a second, whether or not they are answered in time."""
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for number in range(int(rate * seconds)):
                await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
                group.create_task(self.send())

    async def saturate(self, seconds: float) -> None:
        """Keep a fixed number of webhooks under way."""
        ends = time.monotonic() + seconds

        async def one_after_the_other() -> None:
            while time.monotonic() < ends:
                await self.send()

        await asyncio.gather(*(one_after_the_other() for _ in range(_AT_ONCE)))


def _payload(number: int) -> dict[str, object]:
    return {
        "action": "synchronize",
        "pull_request": {"number": number, "updated_at": "2026-03-01T10:00:00Z"},
        "repository": {"id": _REPOSITORY_ID, "full_name": "acme/shop"},
        "installation": {"id": 1},
    }


async def measure(process: Process, secret: str, seconds: float) -> None:
    """Send at each rate and print the table as it grows."""
    print("        rate  answered 202     p50        p99     others")
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        for rate in (*_RATES, None):
            sender = Sender(session, f"{process.url}/webhook", secret)
            began = time.monotonic()
            await (sender.at_rate(rate, seconds) if rate else sender.saturate(seconds))
            what = f"{rate}/s" if rate else "saturation"
            print(sender.answers.line(what, time.monotonic() - began), flush=True)


async def main(seconds: float) -> None:
    """Start a control plane and `previewbot web`, and measure."""
    with tempfile.TemporaryDirectory(prefix="previewbot-bench-") as name:
        directory = Path(name)
        plane = ControlPlane(directory)
        plane.start()
        bot = Bot(directory, free_port(), _APP_ID, "staging", {"web": ""})
        try:
            _, secret = bot.prepare()
            (directory / "web.kubeconfig").write_bytes(plane.kubeconfig().read_bytes())
            await bot.start_web()
            assert bot.web is not None
            await measure(bot.web, secret, seconds)
        finally:
            await bot.stop_web()
            plane.stop()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 60.0))
