"""A forward proxy, as companies have one before everything outside: it passes on, or says no."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.support.servers import LoopThread

_CHUNK = 65_536


@dataclass
class ForwardProxy:
    """Notes what it is asked for; `hosts` says where names lead that no DNS knows.

    With `login` (a header) it wants that, and with `refuses` it answers everybody with this status.
    """

    hosts: Mapping[str, int] = field(default_factory=dict)
    login: str = ""
    refuses: int = 0
    url: str = ""
    asked: list[str] = field(default_factory=list)
    """What was asked for: `CONNECT host:port`, or a method and a whole address."""
    heard: bytearray = field(default_factory=bytearray)
    """All that clients said, as it came by."""

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        try:
            await self._serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError, ExceptionGroup):
            return
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        line, *rest = head.decode("latin-1").split("\r\n")
        method, target, _ = line.split(" ", 2)
        fields = dict(each.split(": ", 1) for each in rest if each)
        headers = {name.lower(): value for name, value in fields.items()}
        self.asked.append(f"{method} {target}")
        status = 407 if self.login and headers.get("proxy-authorization") != self.login else self.refuses
        if status:
            writer.write(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            await writer.drain()
            return
        parts = urlsplit(f"//{target}" if method == "CONNECT" else target)
        host, port = parts.hostname or "", parts.port or 80
        place = ("127.0.0.1", self.hosts[host]) if host in self.hosts else (host, port)
        far_reader, far_writer = await asyncio.open_connection(*place)
        try:
            if method == "CONNECT":
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
                kept = [each for each in rest if not each.lower().startswith("proxy-")]
                far_writer.write(
                    "\r\n".join(
                        [f"{method} {path} HTTP/1.1", *kept[:-2], "Connection: close", "", ""]
                    ).encode()
                )
            async with asyncio.TaskGroup() as group:
                group.create_task(self._carry(reader, far_writer, self.heard))
                group.create_task(self._carry(far_reader, writer, None))
        finally:
            far_writer.close()

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, notes: bytearray | None
    ) -> None:
        while chunk := await reader.read(_CHUNK):
            if notes is not None:
                notes += chunk
            writer.write(chunk)
            await writer.drain()
        with suppress(OSError, RuntimeError):
            writer.close()


@contextmanager
def forward_proxy(tls: ssl.SSLContext | None = None, **options: Any) -> Iterator[ForwardProxy]:
    """Run a proxy on this machine; with a context it speaks TLS itself."""
    proxy, thread = ForwardProxy(**options), LoopThread()

    async def listen() -> asyncio.Server:
        return await asyncio.start_server(proxy.connected, "127.0.0.1", 0, ssl=tls)

    server = thread.call(listen())
    port = server.sockets[0].getsockname()[1]
    proxy.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    try:
        yield proxy
    finally:

        async def close() -> None:
            server.close()

        thread.call(close())
        thread.stop()
