"""Programs that give logins: docker's credential helpers, by their own protocol.

`docker-credential-NAME get` reads a server's name and writes `{"Username": …, "Secret": …}`, or why it
cannot (https://github.com/docker/docker-credential-helpers#development). So ECR, Google's and Azure's
registries work with their makers' programs, and previewbot knows no cloud.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from previewbot.clients.programs import MOST_BYTES, kill_with_all, without_ours
from previewbot.clients.registry.credentials import Credentials, HelperLogin, credentials_of
from previewbot.rules.masking import one_line
from previewbot.text.json import read_json

_SECONDS = 20.0
"""A cloud's program asks its own servers; a look has 45 seconds in all."""

_LIFETIME = 600.0
"""What does not say when it ends is asked for again this often, in seconds. The clouds' tokens live for an
hour at least, and their programs hand out one that has some minutes left."""

_MARGIN = 120.0
_LONGEST_LIFETIME = 12 * 3600.0
_NEVER = 1e12
_PAUSE = 30.0
"""How long a program that failed, or gave what was refused, is not started again."""

_LAST_WORDS = 2.0
_NOTHING = re.compile(r"credentials not found", re.IGNORECASE)


class HelperFailed(Exception):
    """A helper gives no login; the text says which and why, in one line without what looks like a secret."""


@dataclass(frozen=True)
class _Kept:
    login: Credentials | None
    ends: float
    asked: float
    failure: str = field(default="", repr=False)


class Helpers:
    """Asks helpers, and keeps what they give until shortly before it ends.

    `clock` is monotonic, `wall_clock` the time that tokens are written in; both in seconds.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        *,
        environment: Mapping[str, str] | None = None,
        seconds: float = _SECONDS,
    ) -> None:
        self._clock, self._wall_clock = clock, wall_clock
        self._environment = os.environ if environment is None else environment
        self._seconds = seconds
        self._kept: dict[HelperLogin, _Kept] = {}
        self._locks: dict[HelperLogin, asyncio.Lock] = {}

    async def login(self, asked: HelperLogin) -> Credentials | None:
        """Return a login, None if the helper knows none for this server; raises HelperFailed."""
        # One at a time: ten passes that look for images at once need one login.
        async with self._locks.setdefault(asked, asyncio.Lock()):
            kept = self._kept.get(asked)
            if kept is None or self._clock() >= kept.ends:
                kept = self._kept[asked] = await self._ask(asked)
        if kept.failure:
            raise HelperFailed(kept.failure)
        return kept.login

    def refused(self, asked: HelperLogin) -> None:
        """Take note that the registry refused what a helper gave: it is asked again, though not at once."""
        kept = self._kept.get(asked)
        if kept is not None and self._clock() - kept.asked >= _PAUSE:
            del self._kept[asked]

    async def _ask(self, asked: HelperLogin) -> _Kept:
        now = self._clock()
        try:
            login = await self._run(asked)
        except HelperFailed as error:
            return _Kept(None, now + _PAUSE, now, str(error))
        # That there is none may be what is said of a failure.
        lifetime = _LIFETIME if asked.for_all else _PAUSE
        if login is not None:
            ends = _end_of(login.identity_token or login.password)
            lifetime = _LIFETIME if ends is None else ends - self._wall_clock() - _MARGIN
        return _Kept(login, now + min(max(lifetime, _PAUSE), _LONGEST_LIFETIME), now)

    async def _run(self, asked: HelperLogin) -> Credentials | None:
        program = f"docker-credential-{asked.helper}"
        path = shutil.which(program, path=self._environment.get("PATH", os.defpath))
        if path is None:
            raise HelperFailed(f"the credential helper {program} is not in PATH")
        try:
            process = await asyncio.create_subprocess_exec(
                path,
                "get",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=without_ours(self._environment),
                start_new_session=True,
            )
        except OSError as error:
            raise HelperFailed(
                f"the credential helper {program} cannot be started: {error.strerror}"
            ) from error
        try:
            async with asyncio.timeout(self._seconds):
                output, beside = await _talk(process, asked.server)
        except TimeoutError as error:
            raise HelperFailed(
                f"the credential helper {program} does not answer within {self._seconds:g} s"
            ) from error
        finally:
            kill_with_all(process.pid)
            # It was killed at the latest now, so this ends; else the loop keeps what is left of it.
            await asyncio.shield(process.wait())
        if len(output) > MOST_BYTES:
            raise HelperFailed(f"the credential helper {program} writes more than {MOST_BYTES // 1024} KiB")
        return _read(program, process.returncode or 0, output, beside)


async def _talk(process: asyncio.subprocess.Process, server: str) -> tuple[bytes, bytes]:
    """Return what a program writes to its output, and what a failing one writes first beside it."""
    assert process.stdout is not None and process.stderr is not None
    beside = bytearray()
    listening = asyncio.create_task(_listen(process.stderr, beside))
    try:
        output = await _answer(process, process.stdout, server)
        if process.returncode:
            # It has ended, so this does too, unless what it started goes on and holds it open.
            await asyncio.wait({listening}, timeout=_LAST_WORDS)
    finally:
        listening.cancel()
    return output, bytes(beside)


async def _listen(stream: asyncio.StreamReader, beside: bytearray) -> None:
    # Words without end are read on all the same: else the program would wait for us.
    while piece := await stream.read(MOST_BYTES):
        beside.extend(piece[: MOST_BYTES - len(beside)])


async def _answer(process: asyncio.subprocess.Process, stdout: asyncio.StreamReader, server: str) -> bytes:
    assert process.stdin is not None
    # One that ends without reading has said what it has to say on its output.
    with contextlib.suppress(ConnectionError):
        process.stdin.write(f"{server}\n".encode())
        await process.stdin.drain()
    process.stdin.close()
    output = b""
    while len(output) <= MOST_BYTES and (piece := await stdout.read(MOST_BYTES)):
        output += piece
    # With its output whole it may still hang; with too much of it, it is not waited for.
    if len(output) <= MOST_BYTES:
        await process.wait()
    return output


def _read(program: str, code: int, output: bytes, beside: bytes) -> Credentials | None:
    text = output.decode("utf-8", "replace")
    if code:
        # The protocol's own way of saying that there is no login for this server: it is asked without one.
        if _NOTHING.search(text):
            return None
        # The protocol has errors on the output; Google's gcloud, for one, writes them beside it.
        told = one_line(text) or one_line(beside.decode("utf-8", "replace")) or "it does not say why"
        raise HelperFailed(f"the credential helper {program} fails with {code}: {told}")
    try:
        document = read_json(text)
        username, secret = document["Username"], document["Secret"]
    except (ValueError, TypeError, KeyError):
        username = secret = None
    # Not what it wrote: that may be the secret, in another form than it should have.
    if not isinstance(username, str) or not isinstance(secret, str):
        raise HelperFailed(f"the credential helper {program} writes no Username and Secret")
    return credentials_of(username, secret) if username or secret else None


def _end_of(secret: str) -> float | None:
    """Return when a token ends, in seconds since 1970, if it says so: a JWT, or what ECR gives."""
    parts = secret.split(".")
    for text, name in ((parts[1] if len(parts) == 3 else "", "exp"), (secret, "expiration")):
        try:
            found = read_json(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))[name]
        except (binascii.Error, ValueError, TypeError, KeyError):
            continue
        if isinstance(found, int | float) and not isinstance(found, bool) and abs(found) < _NEVER:
            return float(found)
    return None
