"""A network in which only pip finds a way out: nothing else that is started in it can leave the machine.

On Linux a network namespace belongs to a thread, and a socket to the namespace that it was made in. So one
thread moves into an empty one and starts the commands there; the socket that it made to listen on is served
by the threads that stayed outside, as a proxy that only `PIP_PROXY` names
(https://pip.pypa.io/en/stable/cli/pip/#cmdoption-proxy).
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import re
import socket
import struct
import sys
import threading
from collections.abc import Callable
from urllib.parse import urlsplit

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1
_PATIENCE = 60.0
_LARGEST_HEAD = 16384


class Relay:
    """A proxy for pip: `asked` has the hosts that were reached through it."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self.port: int = listening.getsockname()[1]
        self.asked: set[str] = set()
        upstream = os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy")
        self._upstream = urlsplit(upstream) if upstream else None

    @property
    def url(self) -> str:
        """What pip is told; a proxy of the machine's own has its name and password in it."""
        login = ""
        if self._upstream is not None and "@" in self._upstream.netloc:
            login = self._upstream.netloc.rpartition("@")[0] + "@"
        return f"http://{login}127.0.0.1:{self.port}"

    def start(self) -> None:
        """Serve from threads that end with the process."""
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            inside, _ = self._listening.accept()
            threading.Thread(target=self._serve, args=(inside,), daemon=True).start()

    def _serve(self, inside: socket.socket) -> None:
        try:
            with inside:
                inside.settimeout(_PATIENCE)
                head = _head(inside)
                place, tunnel = destination(head)
                self.asked.add(place[0])
                if self._upstream is not None:
                    place, tunnel = (self._upstream.hostname or "", self._upstream.port or 3128), False
                with socket.create_connection(place, _PATIENCE) as outside:
                    if tunnel:
                        inside.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    else:
                        outside.sendall(head)
                    back = threading.Thread(target=_copy, args=(outside, inside), daemon=True)
                    back.start()
                    _copy(inside, outside)
                    back.join()
        except (OSError, ValueError):
            return  # pip says itself that it had no answer, and asks again


def destination(head: bytes) -> tuple[tuple[str, int], bool]:
    """Return the host and port that a request to a proxy is for, and whether it asks for a tunnel.

    Raises ValueError for what no proxy is asked.
    """
    method, target, *_ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
    if method == "CONNECT":
        host, _, port = target.rpartition(":")
        return (host.strip("[]"), int(port)), True
    parts = urlsplit(target)
    if parts.scheme != "http" or parts.hostname is None:
        raise ValueError(f"not for a proxy: {target}")
    return (parts.hostname, parts.port or 80), False


def enter() -> str:
    """Take this process into a user namespace in which it may make networks; empty, or why that cannot be.

    Root needs none. It must be called before there is a second thread.
    """
    if not sys.platform.startswith("linux"):
        return "only Linux has network namespaces"
    uid, gid = os.geteuid(), os.getegid()
    if uid == 0:
        return ""
    if why := _unshare(_CLONE_NEWUSER):
        return why
    for name, words in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(words)
    return ""


def inside(work: Callable[[Relay | None], int]) -> tuple[int, str]:
    """Do the work in a thread without a network but for the relay; return its result, and why it had one.

    Where no namespace can be made the work is done all the same, without a relay: the reason is returned.
    """
    result: list[int] = []
    why: list[str] = []

    def run() -> None:
        # Of this thread alone: the others still have the machine's network.
        reason = _unshare(_CLONE_NEWNET)
        why.append(reason)
        if reason:
            result.append(work(None))
            return
        _bring_up("lo")
        with socket.create_server(("127.0.0.1", 0)) as listening:
            relay = Relay(listening)
            outside.put(relay)
            result.append(work(relay))

    outside = _Start()
    thread = threading.Thread(target=run)
    thread.start()
    # Started here, since what a thread starts is in the network of that thread.
    while thread.is_alive():
        outside.start_if_there(0.1)
        thread.join(0.1)
    return (result[0] if result else 1), (why[0] if why else "it did not begin")


class _Start:
    """Hands a relay from the thread inside to the one outside."""

    def __init__(self) -> None:
        self._given = threading.Event()
        self._relay: Relay | None = None

    def put(self, relay: Relay) -> None:
        self._relay = relay
        self._given.set()

    def start_if_there(self, seconds: float) -> None:
        if self._given.wait(seconds) and self._relay is not None:
            self._relay.start()
            self._relay = None


def _unshare(flag: int) -> str:
    """Leave a namespace; return why that cannot be, or nothing."""
    libc = ctypes.CDLL(None, use_errno=True)
    return "" if libc.unshare(flag) == 0 else os.strerror(ctypes.get_errno())


def _bring_up(interface: str) -> None:
    """Do what `ip link set … up` does, which not every machine has."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = struct.pack("16sH14s", interface.encode(), 0, b"")
        flags = struct.unpack("16sH14s", fcntl.ioctl(any_socket, _SIOCGIFFLAGS, asked))[1]
        asked = struct.pack("16sH14s", interface.encode(), flags | _IFF_UP, b"")
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, asked)


def _head(inside: socket.socket) -> bytes:
    """Read a request up to its empty line; pip sends nothing behind it before it has an answer."""
    head = b""
    while not re.search(rb"\r\n\r\n", head):
        if len(head) > _LARGEST_HEAD or not (more := inside.recv(4096)):
            raise ValueError("no request")
        head += more
    return head


def _copy(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        # One side is gone: the other has nothing to wait for.
        for each in (source, sink):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
