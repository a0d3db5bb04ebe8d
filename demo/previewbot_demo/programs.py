"""What programs ask in the demo's world: the JSON beside the pages, GitHub's API, and `previewbot wait`."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp

from previewbot_demo.bot import environment
from previewbot_demo.processes import die_with_parent

_TIMEOUT = aiohttp.ClientTimeout(total=20)
_BLOCK = re.compile(r'^```json\n(\{\n  "previewbot": 1,\n.*?\n\})\n```$', re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Doors:
    """Where programs ask: previewbot's web at `page` with the bearer of a file, GitHub's API with a token."""

    page: str
    bearer_file: Path
    api: str
    token: str = field(repr=False)


@dataclass(frozen=True)
class Told:
    """An answer of the JSON: its status, its ETag, and what it says; None where it has no body."""

    status: int
    tag: str
    facts: Any


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


class Waiting:
    """`previewbot wait` under way, in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._output = asyncio.ensure_future(process.communicate())

    async def ended(self, patience: float) -> Ended:
        """Return how it ended; raises TimeoutError after so many seconds."""
        async with asyncio.timeout(patience):
            out, err = await asyncio.shield(self._output)
        return Ended(self._process.returncode or 0, out.decode(), err.decode())

    async def close(self) -> None:
        """End it, wherever it is."""
        if self._process.returncode is None:
            self._process.kill()
        await self._output


class Programs:
    """Asks about the pull requests of one repository, as CI and agents do."""

    def __init__(
        self, session: aiohttp.ClientSession, doors: Doors, repository: str, repository_id: int
    ) -> None:
        self._session = session
        self._doors = doors
        self._repository, self._repository_id = repository, repository_id
        self._waiting: list[Waiting] = []

    def by_number(self, number: int) -> str:
        """Return the path of a preview's JSON by its repository's number, beside its page."""
        return f"/p/{self._repository_id}/{number}.json"

    def by_name(self, number: int) -> str:
        """Return the path of the same by its repository's name."""
        return f"/p.json?{urlencode({'repository': self._repository, 'number': number})}"

    @property
    def bearer(self) -> str:
        """The bearer that counts."""
        return self._doors.bearer_file.read_text(encoding="utf-8").strip()

    async def ask(self, path: str, bearer: str = "", tag: str = "") -> Told:
        """Ask previewbot for a path; `tag` is the ETag of the answer one has."""
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        headers |= {"If-None-Match": tag} if tag else {}
        async with self._session.get(
            self._doors.page + path, headers=headers, allow_redirects=False, timeout=_TIMEOUT
        ) as answer:
            text = await answer.text()
            return Told(answer.status, answer.headers.get("ETag", ""), _parsed(text))

    async def head(self, number: int) -> str:
        """Return the newest commit of a pull request, as GitHub says it."""
        sha: str = (await self._github(f"pulls/{number}"))["head"]["sha"]
        return sha

    async def block(self, number: int) -> Any:
        """Return what the block in previewbot's comment says; None while there is no comment with one."""
        comments = await self._github(f"issues/{number}/comments")
        texts = [each["body"] for each in comments if each["user"]["login"] == "previewbot[bot]"]
        # The last one: a container's last words, which stand before it, may look like one.
        found = [block for text in texts for block in _BLOCK.findall(text)]
        return json.loads(found[-1]) if found else None

    async def wait(self, number: int, sha: str, *, with_bearer: bool = False) -> Waiting:
        """Start `previewbot wait` for a commit; it asks GitHub with the token, or else previewbot."""
        command = ["previewbot", "wait", f"{self._repository}#{number}", "--sha", sha]
        variables = {"GITHUB_TOKEN": self._doors.token, "GITHUB_API_URL": self._doors.api}
        if with_bearer:
            variables = {"PREVIEWBOT_URL": self._doors.page}
            command += ["--bearer-file", str(self._doors.bearer_file), "--json"]
        waiting = Waiting(await _started(command, environment() | variables))
        self._waiting.append(waiting)
        return waiting

    async def close(self) -> None:
        """End whoever still waits."""
        for waiting in self._waiting:
            await waiting.close()

    async def _github(self, path: str) -> Any:
        headers = {"Authorization": f"Bearer {self._doors.token}", "Accept": "application/vnd.github+json"}
        url = f"{self._doors.api}/repos/{self._repository}/{path}"
        async with self._session.get(url, headers=headers, timeout=_TIMEOUT) as answer:
            answer.raise_for_status()
            return await answer.json()


async def _started(command: list[str], variables: Mapping[str, str]) -> asyncio.subprocess.Process:
    pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *command),
        env=dict(variables),
        stdin=nothing,
        stdout=pipe,
        stderr=pipe,
        # Ctrl-C is for the tour, which ends this one itself.
        start_new_session=True,
        preexec_fn=die_with_parent(),
    )


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
