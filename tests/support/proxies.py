"""What stands between previewbot and an API server in tests: something that fails, or falls silent."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from pathlib import Path

import aiohttp
from aiohttp import web

from previewbot.clients.tls import end_at_once
from previewbot_demo.faults import Faults

_HOP_BY_HOP = frozenset({"connection", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"})
_CHUNK = 65_536


class Forwarder:
    """Passes requests on to an API server as its administrator; `faults` may answer instead of it."""

    def __init__(self, url: str, token: str, authority: Path, faults: Faults | None = None) -> None:
        self._url = url
        self._token = token
        self._context = end_at_once(ssl.create_default_context(cafile=str(authority)))
        self._session: aiohttp.ClientSession | None = None
        self.faults = faults or Faults()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request, or pass it on; the answer is streamed, as a watch needs it."""
        return await self.faults.around("kube", request, lambda: self._pass_on(request))

    async def close(self) -> None:
        """Close the connections to the API server; to be called in the loop that served."""
        if self._session is not None:
            await self._session.close()

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        if self._session is None:
            connector = aiohttp.TCPConnector(ssl=self._context, limit=0)
            timeout = aiohttp.ClientTimeout(total=None)
            self._session = aiohttp.ClientSession(connector=connector, timeout=timeout)
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _HOP_BY_HOP}
        headers["Authorization"] = f"Bearer {self._token}"
        url, body = self._url + request.raw_path, await request.read() or None
        async with self._session.request(request.method, url, headers=headers, data=body) as answer:
            kept = {"Content-Type": answer.headers.get("Content-Type", "text/plain")}
            response = web.StreamResponse(status=answer.status, headers=kept)
            await response.prepare(request)
            with contextlib.suppress(ConnectionError, aiohttp.ClientError):
                async for chunk in answer.content.iter_any():
                    await response.write(chunk)
                await response.write_eof()
            return response


class Wire:
    """Passes bytes on to a port of 127.0.0.1, until it is `cut` in silence: then nothing moves or ends.

    New connections are taken even then, as by a load balancer whose servers have frozen.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self._flows = asyncio.Event()
        self._flows.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.connections = 0

    async def open(self) -> int:
        """Listen; return the port."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def close(self) -> None:
        """End everything."""
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Fall silent, in the middle of whatever is under way."""
        self._flows.clear()

    def mend(self) -> None:
        """Let everything flow again; what was held back too."""
        self._flows.set()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._carry(reader, far_writer))
                    group.create_task(self._carry(far_reader, writer))
            finally:
                far_writer.close()
        except (OSError, ExceptionGroup, asyncio.CancelledError):
            # Swallowed, for asyncio's own server logs a handler that was cancelled as an error.
            return
        finally:
            writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(_CHUNK):
            await self._flows.wait()
            writer.write(chunk)
            await writer.drain()
        writer.close()
