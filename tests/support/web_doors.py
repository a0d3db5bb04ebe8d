"""`previewbot web`, or `pages`, before an API server in memory, and senders that speak to it by socket."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import itertools
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from previewbot_demo.kube import FakeKube
from previewbot_demo.ports import free_port
from previewbot_demo.processes import Process, start
from tests.support.forked import spawn_forked
from tests.support.kubeconfigs import write_kubeconfig
from tests.support.servers import Handler, served

SECRET = b"it is a secret of thirty-two bytes"
PATIENCE_SECONDS = 60.0
"""Only a failure takes as long."""
_NUMBERS = itertools.count(1)


@dataclass
class Answer:
    """An answer of web's, and whether the connection ended with it."""

    status: int
    headers: Mapping[str, str]
    text: str


@dataclass
class Sender:
    """A connection to web; what it sends is up to the test."""

    sock: socket.socket
    _received: bytes = b""

    def send(self, data: bytes) -> None:
        """Send all of this."""
        self.sock.sendall(data)

    def answer(self) -> Answer:
        """Wait for the next answer."""
        head = self._until(lambda: b"\r\n\r\n" in self._received, "the end of the header")
        lines = head.partition(b"\r\n\r\n")[0].decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
        status = int(lines[0].split()[1])
        begin = head.index(b"\r\n\r\n") + 4
        end = begin + int(headers.get("content-length", 0))
        whole = self._until(lambda: len(self._received) >= end, "the end of the answer")
        self._received = whole[end:]
        return Answer(status, headers, whole[begin:end].decode())

    def ended(self) -> bool:
        """Wait until web closes the connection; return whether nothing more came before."""
        try:
            return self.sock.recv(1) == b""
        except ConnectionResetError:
            return True

    def is_open(self) -> bool:
        """Return whether the connection is open now, and nothing has come."""
        self.sock.setblocking(False)
        try:
            self.sock.recv(1, socket.MSG_PEEK)
            return False
        except BlockingIOError:
            return True
        except ConnectionResetError:
            return False
        finally:
            self.sock.settimeout(PATIENCE_SECONDS)

    def accepts(self, data: bytes) -> int:
        """Send until the connection ends, or takes nothing more for a second; return how much was taken."""
        self.sock.settimeout(1)
        taken = 0
        with contextlib.suppress(OSError):
            while taken < len(data):
                taken += self.sock.send(data[taken : taken + 65536])
        self.sock.settimeout(PATIENCE_SECONDS)
        return taken

    def close(self) -> None:
        """Leave."""
        self.sock.close()

    def _until(self, so: Callable[[], bool], what: str) -> bytes:
        while not so():
            more = self.sock.recv(65536)
            if not more:
                raise AssertionError(f"the connection ended before {what}: {self._received!r}")
            self._received += more
        return self._received


@dataclass
class Door:
    """A running `previewbot web` or `previewbot pages`; what is said here of web holds for both."""

    process: Process
    kube: FakeKube
    _senders: list[Sender] = field(default_factory=list)

    def connect(self, *, probes: bool = False, room: int | None = None) -> Sender:
        """Open a connection to web, or to where its probes are, with little `room` for answers in bytes."""
        sock = socket.socket()
        sock.settimeout(PATIENCE_SECONDS)
        if room is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        sender = Sender(sock)
        sock.connect(("127.0.0.1", self.process.probe_port if probes else self.process.port))
        self._senders.append(sender)
        return sender

    def ask(self, request: bytes, *, probes: bool = False) -> Answer:
        """Send one request on a connection of its own; return the answer."""
        sender = self.connect(probes=probes)
        sender.send(request)
        answer = sender.answer()
        sender.close()
        return answer

    def deliver(self) -> Answer:
        """Deliver what GitHub could, with a signature, about a pull request of its own."""
        return self.ask(post(a_payload()))

    def probe(self, path: str = "/healthz") -> Answer:
        """Ask what the kubelet asks."""
        return self.ask(get(path), probes=True)

    def metric(self, sample: str) -> float:
        """Return the value of a sample, 0 if there is none."""
        lines = self.probe("/metrics").text.splitlines()
        return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{sample} ")), 0.0)

    def memory(self) -> int:
        """Return how much memory web's processes have in RAM now, in bytes, largest first."""
        return max(_resident(number) for number in _family(self.process.child.pid))

    def connections(self) -> int:
        """Return how many connections web has open."""
        # https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html: what somebody has open has an
        # inode. 0A is the socket that listens.
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        ours = [row for row in rows if row[1].endswith(f":{self.process.port:04X}") and row[3] != "0A"]
        return sum(row[9] != "0" for row in ours)

    @contextmanager
    def held_up(self) -> Iterator[None]:
        """Let web do nothing meanwhile, so that what is sent to it is there all at once."""
        workers = _family(self.process.child.pid)[1:]
        for number in workers:
            os.kill(number, signal.SIGSTOP)
        try:
            yield
        finally:
            for number in workers:
                os.kill(number, signal.SIGCONT)

    def stop(self) -> None:
        """Tell it to end, and wait for that."""
        asyncio.run(self.process.stop())

    def leave(self) -> None:
        """Close all connections."""
        for sender in self._senders:
            sender.close()
        self._senders.clear()


def a_payload(size: int = 0, number: int | None = None) -> bytes:
    """Return a payload of at least so many bytes, about this pull request, or one that no other is about."""
    payload: dict[str, Any] = {
        "action": "opened",
        "pull_request": {"number": number or next(_NUMBERS), "updated_at": "2026-11-24T09:00:00Z"},
        "repository": {"id": 812, "full_name": "acme/shop"},
        "installation": {"id": 7},
        "padding": "",
    }
    payload["padding"] = "x" * max(0, size - len(json.dumps(payload)))
    return json.dumps(payload).encode()


def sign(body: bytes, secret: bytes = SECRET) -> str:
    """Return the signature of a body."""
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


WRONG_SIGNATURE = "sha256=" + "0" * 64
"""Well-formed, and made without the secret."""


def get(path: str, *lines: str) -> bytes:
    """Return a request for a page."""
    return "\r\n".join((f"GET {path} HTTP/1.1", "Host: previews", *lines, "", "")).encode()


def head(
    length: int | None, path: str = "/webhook", changes: Mapping[str, str | None] = MappingProxyType({})
) -> bytes:
    """Return the header of a delivery, as GitHub sends it but for `changes` (None leaves one out).

    Its body has a `length`, or comes in chunks.
    """
    fields: dict[str, str | None] = {
        "Host": "previews",
        "Content-Type": "application/json",
        "X-GitHub-Event": "pull_request",
        "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "X-Hub-Signature-256": WRONG_SIGNATURE,
        "Content-Length": None if length is None else str(length),
        "Transfer-Encoding": "chunked" if length is None else None,
    } | dict(changes)
    lines = [f"{name}: {value}" for name, value in fields.items() if value is not None]
    return "\r\n".join((f"POST {path} HTTP/1.1", *lines, "", "")).encode()


def post(body: bytes) -> bytes:
    """Return a signed delivery."""
    return head(len(body), changes={"X-Hub-Signature-256": sign(body)}) + body


@contextmanager
def a_door(
    directory: Path,
    between: Callable[[Handler], Handler] = lambda handler: handler,
    changes: Mapping[str, Any] = MappingProxyType({}),
    name: str = "web",
) -> Iterator[Door]:
    """Run `previewbot web`, or `pages` if that is the `name`.

    What stands `between` it and the API server may answer in its place; `changes` are settings that are not
    as they are by themselves.
    """
    kube = FakeKube(namespaces={"staging"})
    with served(between(kube.handle)) as (url, _):
        port, probe_port = free_port(), free_port()
        addresses = ("--bind", f"127.0.0.1:{port}", "--metrics-bind", f"127.0.0.1:{probe_port}")
        command = (*_command(name, directory, url, changes), *addresses)
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PREVIEWBOT_")}
        log = directory / f"{name}.log"
        # In this thread: the server that forks ends with the thread that started it.
        process = asyncio.run(
            start(command, environment, directory, log, port, "/readyz", spawn_forked, probe_port)
        )
        door = Door(process, kube)
        try:
            yield door
        finally:
            door.leave()
            door.stop()


def _command(name: str, directory: Path, url: str, changes: Mapping[str, Any]) -> tuple[str, ...]:
    for file, content in (("webhook-secret", SECRET), ("app.pem", b"")):
        (directory / file).write_bytes(content)
    settings = {
        "github": {
            "api_url": "https://api.github.com",
            "web_url": "https://github.com",
            "app_id": 4242,
            "private_key_file": str(directory / "app.pem"),
            "webhook_secret_file": str(directory / "webhook-secret"),
        },
        "public_url": "https://previews.example.com",
        "cluster": {
            "namespaces": ["staging"],
            "kubeconfig": str(write_kubeconfig(directory / "kubeconfig", url)),
        },
        "images": {"allowed": ["ghcr.io/acme/"]},
    }
    (directory / "settings.yaml").write_text(yaml.safe_dump(settings | dict(changes)))
    return (sys.executable, "-m", "previewbot", name, "--config", str(directory / "settings.yaml"))


def until(so: Callable[[], bool], what: str) -> None:
    """Wait for something that must come."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not so():
        assert time.monotonic() < deadline, f"no sign of {what}"
        time.sleep(0.02)


def _family(number: int) -> list[int]:
    children = Path(f"/proc/{number}/task/{number}/children").read_text().split()
    return [number, *(found for child in children for found in _family(int(child)))]


def _resident(number: int) -> int:
    lines = Path(f"/proc/{number}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))
