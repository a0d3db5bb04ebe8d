"""`make fresh-test`: what a newcomer does, as one: clone, and type the README's two commands.

It makes a user with an empty home who finds bash, git, make and Python on the PATH, and what is on every
machine (`sh`, `cat`, `date` …), in a network where only pip finds a way out. The demo's address is opened as
soon as it is printed, a button pressed, and the link in the comment followed; the tests must end with their
green line. What could not be checked here is said at the end. It needs Python alone, since there is no
virtual environment before it.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit
from urllib.response import addinfourl

from tests.fresh import perimeter
from tests.fresh.place import PROGRAMS, ROOT, Place, Unfit, clone_command, place, uncommitted
from tests.fresh.readme import two_commands

_INSTALLING = 1200.0  # seconds; a slow index
_TESTING = 3600.0
_LINKED = 120.0
_ENDING = 60.0
_ANSWERED = 30.0
_LOOK_AGAIN = 0.2
_PULLS = "/acme/shop"


class Failed(Exception):
    """Something is not as the README says; the text says what came instead."""


class Newcomer:
    """Types commands, and sees what they print; `seconds` has how long each took."""

    def __init__(self, where: Place, pip_proxy: str) -> None:
        self._where = where
        self._extra = {"PIP_PROXY": pip_proxy} if pip_proxy else {}
        self._running: subprocess.Popen[str] | None = None
        self.seconds: dict[str, float] = {}

    def take_the_steps(self, main_job: str, tests: str) -> None:
        """Clone, do the main job up to the link, and pass the tests; raises `Failed`."""
        with self._timed("git clone"):
            self._ends_well(clone_command(self._where), 300.0)
        self._main_job(main_job)
        with self._timed(tests):
            printed = self._ends_well(shlex.split(tests), _TESTING)
        green = [line for line in printed if re.search(r"\b[0-9]+ passed\b", line)]
        if not green or re.search(r"\b(?:failed|errors?)\b", green[-1]):
            raise Failed(f"`{tests}` ended well without a green line: {printed[-1:]}")
        if left := self._where.user.processes():
            raise Failed(f"the commands have ended, and these still run: {left}")

    def stop(self) -> None:
        """End what runs."""
        if self._running is not None and self._running.poll() is None:
            os.killpg(self._running.pid, signal.SIGKILL)

    def _main_job(self, command: str) -> None:
        began = time.monotonic()
        with self._typed(shlex.split(command), _INSTALLING) as (process, lines):
            address = next(filter(None, (_address(line) for line in lines)), "")
            if not address:
                raise Failed(f"`{command}` ended with {process.wait()} and printed no address")
            self.seconds[f"{command}, to its address"] = time.monotonic() - began
            link = self._link(address)
            self.seconds[f"{command}, to the link in the comment"] = time.monotonic() - began
            print(f"opened {address} and, from the comment, {link}", flush=True)
            os.killpg(process.pid, signal.SIGINT)  # Ctrl-C
            last = list(lines)
            # GNU make ends by the signal that it was sent, however well its command ended.
            if (code := process.wait(_ENDING)) not in (0, -signal.SIGINT) or "down" not in "".join(last):
                raise Failed(f"`{command}` ended with {code} at Ctrl-C, and said {last}")

    def _link(self, address: str) -> str:
        """Open the demo's address, let an agent change the front end, and follow the comment's link."""
        _open(address)
        base = "http://" + urlsplit(address).netloc
        pull = _open(f"{base}{_PULLS}/tasks/web", b"").geturl()
        deadline = time.monotonic() + _LINKED
        while not (link := _link_in(page := _read(pull))):
            if time.monotonic() > deadline:
                said = re.findall(r"(?s)<article.*?</article>", page)[-1:] or [page[:2000]]
                raise Failed(f"no link within {_LINKED:.0f} s at {pull}; the comment: {said[0]}")
            time.sleep(_LOOK_AGAIN)
        shown = _read(link)
        if "Autumn is here" not in shown:
            raise Failed(f"{link} does not show the change: {shown[:300]}")
        return link

    def _ends_well(self, words: list[str], patience: float) -> list[str]:
        with self._typed(words, patience) as (process, lines):
            printed = list(lines)
            if code := process.wait(_ENDING):
                raise Failed(f"`{' '.join(words)}` ended with {code}")
        return printed

    @contextmanager
    def _typed(
        self, words: list[str], patience: float
    ) -> Iterator[tuple[subprocess.Popen[str], Iterator[str]]]:
        """Start a command, and show its lines as they come; ended at the end, or when its time is up."""
        folder = self._where.clone if self._where.clone.exists() else self._where.home
        print(f"$ {' '.join(words)}", flush=True)
        process = self._running = self._where.start(words, folder, self._extra)
        late = threading.Timer(patience, lambda: os.killpg(process.pid, signal.SIGKILL))
        late.start()
        try:
            yield process, _shown(process)
        finally:
            late.cancel()
            self.stop()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()

    @contextmanager
    def _timed(self, what: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.seconds[what] = time.monotonic() - began


def main() -> int:
    """Run as a fresh user what the README says; return the exit code."""
    try:
        commands = two_commands((ROOT / "README.md").read_text(encoding="utf-8"))
        unable = perimeter.enter()
        with place() as where:
            print(f"as {where.user.name}, with {', '.join(PROGRAMS)} ({where.python})", flush=True)
            newcomers: list[Newcomer] = []
            _when_told_to_end(newcomers)
            code, without = perimeter.inside(lambda relay: _go(where, commands, relay, newcomers))
            for words in _unchecked(where, unable or without):
                print(f"not checked here: {words}")
            return code
    except (Unfit, ValueError) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1


def _go(
    where: Place, commands: tuple[str, str], relay: perimeter.Relay | None, newcomers: list[Newcomer]
) -> int:
    newcomer = Newcomer(where, relay.url if relay is not None else "")
    newcomers.append(newcomer)
    wrong = ""
    try:
        newcomer.take_the_steps(*commands)
    except (Failed, OSError, subprocess.TimeoutExpired) as problem:
        wrong = str(problem)
    for what, seconds in newcomer.seconds.items():
        print(f"{seconds:8.1f} s  {what}")
    if relay is not None:
        print(f"all that left the machine was pip's, to {', '.join(sorted(relay.asked)) or 'nobody'}")
    print(f"error: {wrong}" if wrong else "a fresh user got the link and the green line", flush=True)
    return 1 if wrong else 0


def _unchecked(where: Place, without_network: str) -> Iterator[str]:
    """Say what this run did not show."""
    if where.user.number is None:
        yield f"another user: without root it is {where.user.name} with an empty home"
    if without_network:
        yield f"that only pip leaves the machine: no network of its own could be made ({without_network})"
    if uncommitted():
        yield "what is not committed: a clone does not have it"


def _when_told_to_end(newcomers: list[Newcomer]) -> None:
    """At Ctrl-C or SIGTERM end what runs, so that the user and its home are removed."""

    def end(number: int, frame: object) -> None:
        for newcomer in newcomers:
            newcomer.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)


def _shown(process: subprocess.Popen[str]) -> Iterator[str]:
    """Yield a process' lines, and show them as they come."""
    for line in process.stdout or ():
        print("  " + line.rstrip("\n"), flush=True)
        yield line


def _address(line: str) -> str:
    """Return the address that a line says to open."""
    found = re.search(r"http://127\.0\.0\.1:[0-9]+/?\S*", line)
    return found[0] if found else ""


def _link_in(page: str) -> str:
    found = re.search(r'href="(http://[^"]+)"[^>]*>Open the preview', page)
    return found[1] if found else ""


def _open(url: str, form: bytes | None = None) -> addinfourl:
    """Open an address as a browser does, for which `*.localhost` is this machine; raises `Failed`."""
    parts = urlsplit(url)
    asked = urllib.request.Request(f"http://127.0.0.1:{parts.port}{parts.path or '/'}", form)
    asked.add_header("Host", parts.netloc)
    try:
        answer: addinfourl = _WITHOUT_PROXY.open(asked, timeout=_ANSWERED)
    except urllib.error.HTTPError as error:
        raise Failed(f"{url} answers {error.code}") from error
    return answer


_WITHOUT_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _read(url: str) -> str:
    with _open(url) as answer:
        return str(answer.read().decode())


if __name__ == "__main__":
    sys.exit(main())
