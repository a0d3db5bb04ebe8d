"""A GitHub whose answers are as long as somebody could make them, and a process that reads them.

    python -m tests.support.long_words URL READERS WHAT

reads with so many readers at once, as the controller does with its workers, and prints what it found and how
much memory it had at most.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from aiohttp import ClientTimeout, web

from previewbot.api.ci import Runs
from previewbot.clients.github import InstallationClient
from previewbot.clients.outgoing import client_session
from tests.support.clock import Clock
from tests.support.github_town import a_github
from tests.support.servers import served

_ROOT = Path(__file__).parents[2]
_READERS: dict[str, Callable[[InstallationClient], Any]] = {
    "comments": lambda client: client.comments("acme/shop", 7, None),
    "commits": lambda client: client.commits("acme/shop", 7),
    "files": lambda client: client.files("acme/shop", 7),
    "runs": lambda client: client.runs("acme/shop", "a" * 40),
    "pull requests": lambda client: client.open_pull_requests("acme/shop"),
    "pull request": lambda client: client.pull_request("acme/shop", 7),
}


@dataclass(frozen=True)
class Words:
    """An answer: so many pages of so many times this item, under a key or none, compressed or not.

    `at` is how the path ends that is answered with it.
    """

    at: str
    item: bytes
    per_page: int = 100
    pages: int = 1
    key: str = ""
    compressed: bool = False

    def parts(self) -> Iterator[bytes]:
        """Yield one page in parts."""
        yield b'{"total_count": 1, "%s": [' % self.key.encode() if self.key else b"["
        for number in range(self.per_page):
            yield (b"," if number else b"") + self.item
        yield b"]}" if self.key else b"]"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Send the page that is asked for."""
        page = int(request.query.get("page", "1"))
        response = web.StreamResponse(headers={"Content-Type": "application/json; charset=utf-8"})
        if page < self.pages:
            response.headers["Link"] = f'<{request.url.update_query(page=page + 1)}>; rel="next"'
        packer = zlib.compressobj(wbits=31) if self.compressed else None
        if packer is not None:
            response.headers["Content-Encoding"] = "gzip"
        await response.prepare(request)
        for part in self.parts():
            packed = packer.compress(part) if packer is not None else part
            if packed:
                await response.write(packed)
        if packer is not None:
            await response.write(packer.flush())
        await response.write_eof()
        return response


@dataclass(frozen=True)
class Found:
    """What a process found: how many items or which answer each of its readers had, and its peak in MiB."""

    items: list[Any]
    peak: int


def read_in_a_process(what: str, readers: int, words: Words) -> Found:
    """Let a process read an answer with so many readers at once."""

    async def handle(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/access_tokens"):
            token = {"token": "ghs_1", "expires_at": "2099-01-01T00:00:00Z"}
            return web.json_response(token, status=201)
        if request.path.endswith(words.at):
            return await words.answer(request)
        return web.json_response({"check_runs": [], "workflow_runs": []})

    with served(handle) as (url, _):
        command = [sys.executable, "-m", "tests.support.long_words", f"{url}/api/v3", str(readers), what]
        done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    return Found(found["items"], found["peak"])


async def _read(url: str, readers: int, what: str) -> Sequence[object]:
    async with client_session() as session:
        github = a_github(session, url, Clock())
        # An installation each: none of them finds in its memory what another has read.
        clients = [github.installation(number + 1) for number in range(readers)]
        return list(await asyncio.gather(*(_READERS[what](client) for client in clients)))


def _told(found: Any) -> object:
    if isinstance(found, Runs):
        return len(found.workflows) + len(found.checks)
    return len(getattr(found, "files", found))


def _peak() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM:"))


if __name__ == "__main__":
    # It is memory that counts here: beside other work so much may take longer than GitHub is waited for.
    with patch("previewbot.clients.github.transport._TIMEOUT", ClientTimeout()):
        items = asyncio.run(_read(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
    print(json.dumps({"items": [_told(found) for found in items], "peak": _peak()}))
