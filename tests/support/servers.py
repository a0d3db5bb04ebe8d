"""Fakes as servers on a free loopback port, in a thread of their own with their own event loop."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
T = TypeVar("T")


class LoopThread:
    """An event loop in a thread; `call` runs something there and returns its result."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def call(self, work: Awaitable[T]) -> T:
        """Run a coroutine in the loop and wait for it."""

        async def run() -> T:
            return await work

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(timeout=60)

    def stop(self) -> None:
        """End what still runs in the loop, then the loop and its thread."""

        async def cancel() -> None:
            tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        self.call(cancel())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(timeout=10)
        self.loop.close()


async def _serve(handler: Handler, tls: ssl.SSLContext | None) -> tuple[web.AppRunner, int]:
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    server: Any = site._server
    return runner, server.sockets[0].getsockname()[1]


@contextmanager
def served(handler: Handler, tls: ssl.SSLContext | None = None) -> Iterator[tuple[str, LoopThread]]:
    """Serve a handler, with TLS if there is a context; yield its URL and the loop it runs in."""
    thread = LoopThread()
    runner, port = thread.call(_serve(handler, tls))
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}", thread
    finally:
        thread.call(runner.cleanup())
        thread.stop()
